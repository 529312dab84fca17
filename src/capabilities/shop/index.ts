import { type Capability, defineCapability } from '../../capability/index.ts'
import { shopOperations } from './operations.ts'
import { shopsBound } from './shops-bound.ts'

export { boundByShops, shopMember } from './shops-bound.ts'

export const shopCapability: Capability = defineCapability({
  id: 'shop',
  summary: 'Shops of an organisation',
  boundTypes: [shopsBound],
  operations: shopOperations,
})
