import type { AppClass } from '../../runtime/package/index.ts'
import { type Clock, newId, present, type Random, type Transaction } from '../kernel/index.ts'
import { type AppView, mayHoldSecret, type Visibility } from './app.ts'
import { mintCredential } from './credential/create-credential.ts'
import { insertCredential } from './credential/store.ts'
import type { RegistryDependencies } from './dependencies.ts'
import { RegistryErrors } from './errors.ts'
import { findApp, insertApp, merchantExists } from './store.ts'

interface CreateApp {
  readonly publisherId: string
  readonly name: string
  readonly appClass: AppClass
  readonly visibility: Visibility
  readonly privateMerchantId: string | null
  readonly personId: string
  readonly clock: Clock
  readonly random: Random
}

async function checkMerchant(tx: Transaction, { visibility, privateMerchantId }: CreateApp): Promise<void> {
  if ((visibility === 'private') !== (privateMerchantId !== null)) {
    const message = visibility === 'private' ? 'is missing' : 'belongs to a private app only'
    throw RegistryErrors.private_merchant_missing(undefined, {
      errors: [{ pointer: '/privateMerchantId', code: 'private_merchant', message }],
    })
  }
  if (privateMerchantId !== null && !(await merchantExists(tx, privateMerchantId))) {
    throw RegistryErrors.merchant_not_found()
  }
}

/** Registers an app. One with a server of its own gets its first secret; nobody can read it again. */
export async function createApp(
  tx: Transaction,
  { hashClientSecret }: RegistryDependencies,
  input: CreateApp,
): Promise<{ readonly app: AppView; readonly clientSecret: string | null }> {
  await checkMerchant(tx, input)
  const { publisherId, name, appClass, visibility, privateMerchantId, personId } = input
  const id = newId('app', input)
  const createdAtMs = input.clock.nowMs()
  const columns = { publisherId, name, appClass, visibility, privateMerchantId, createdAtMs }
  await insertApp(tx, { id, ...columns, createdBy: personId })
  const app = present(await findApp(tx, id), 'the app just inserted')
  if (!mayHoldSecret(appClass)) return { app, clientSecret: null }
  const { credential, clientSecret } = mintCredential(app, { ...input, hashClientSecret })
  await insertCredential(tx, credential)
  return { app, clientSecret }
}
