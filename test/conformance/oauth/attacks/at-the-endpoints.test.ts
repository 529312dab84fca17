import { useWorld } from '../use-world.ts'
import { assertionAttacks } from './assertions.ts'
import { deviceAttacks } from './devices.ts'
import { proofAttacks } from './proofs.ts'
import { requestAttacks } from './requests.ts'
import { timingAttacks } from './timing.ts'

const world = useWorld()
assertionAttacks(world)
deviceAttacks(world)
proofAttacks(world)
requestAttacks(world)
timingAttacks(world)
