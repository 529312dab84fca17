export type { Interaction, Locale, Page, PageCall, PageRequest, PageResponse, PageSession } from './page.ts'
export { pages } from './pages.ts'
export { renderError, renderErrorDocument } from './shared/error-page.tsx'
export { styleSheet } from './shared/style.ts'
