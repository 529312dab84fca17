export type { NoticeData } from './notice.ts'
export { notifyPublisher, notifyReuse } from './notify.ts'
export { noticesCapability } from './operations.ts'
