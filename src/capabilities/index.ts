import type { Capability } from '../capability/index.ts'
import { orderCapability } from './order/index.ts'
import { shopCapability } from './shop/index.ts'
import { storageCapability } from './storage/index.ts'

/** The host's abilities: adding one is a folder and a line. */
export const hostCapabilities: readonly Capability[] = [orderCapability, shopCapability, storageCapability]
