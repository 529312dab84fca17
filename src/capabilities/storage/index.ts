import { type Capability, defineCapability } from '../../capability/index.ts'
import { storageOperations } from './operations.ts'

export const storageCapability: Capability = defineCapability({
  id: 'storage',
  summary: 'The app’s own key-value data at a merchant',
  operations: storageOperations,
})
