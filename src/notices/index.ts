export type { NoticeData } from './notice.ts'
export { notifyMerchant, notifyPerson, notifyPublisher, notifyReuse } from './notify.ts'
export { noticesCapability } from './operations.ts'
