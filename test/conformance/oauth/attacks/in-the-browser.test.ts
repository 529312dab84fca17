import { useWorld } from '../use-world.ts'
import { browserAttacks } from './browsers.ts'
import { codeAttacks } from './codes.ts'
import { redirectUriAttacks } from './redirect-uris.ts'

const world = useWorld()
browserAttacks(world)
codeAttacks(world)
redirectUriAttacks(world)
