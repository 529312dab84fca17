export type { NoticeData } from './notice.ts'
export { notifyPublisher } from './notify.ts'
export { noticesCapability } from './operations.ts'
