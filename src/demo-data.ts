import { fileURLToPath } from 'node:url'
import { packFolder } from '../runtime/node/index.ts'
import type { Caller, PersonCaller } from './capability/index.ts'
import { type Db, readFact, writeFact } from './db/index.ts'
import { allAudiences, loadPerson } from './identity/index.ts'
import { type Clock, KernelErrors, mintToken, present, type Random } from './kernel/index.ts'
import type { Platform } from './platform.ts'

const factName = 'demo_data'
const thankYou = fileURLToPath(new URL('../examples/thank-you', import.meta.url))

interface SeedContext {
  readonly clock: Clock
  readonly random: Random
  print(line: string): void
}

/** Demo people have passwords that were printed on a screen: nobody else may reach them. */
export async function refuseDemoDataInPublic(db: Db, onLoopback: boolean): Promise<void> {
  if (!onLoopback && (await readFact(db.queries, factName)) !== null) {
    throw KernelErrors.invalid_configuration(
      'HOST, STOA_PUBLIC_URL: there is demo data here, so only addresses of this machine may be used; start with another STOA_DATA_DIR and STOA_SEED=none',
    )
  }
}

interface DemoPerson {
  readonly email: string
  readonly password: string
  readonly caller: PersonCaller
}

/** Everything below goes through the one door, as the people themselves would do it. */
function actor({ door }: Platform) {
  return async <T>(operationId: string, caller: Caller, input: unknown, body?: Uint8Array): Promise<T> => {
    const call = {
      caller,
      input,
      via: 'console',
      requestId: 'demo',
      ...(body === undefined ? {} : { body }),
    } as const
    const { output } = await door.invoke(operationId, call)
    return output as T
  }
}

const host: Caller = { kind: 'host' }
const nobody: Caller = { kind: 'anonymous' }

async function callerOf(platform: Platform, personId: string): Promise<PersonCaller> {
  return present(await loadPerson(platform.db.queries, personId, allAudiences), 'the demo person')
}

/** A person of an organisation of the platform: invited by the host, accepted with a password. */
async function invited(
  platform: Platform,
  random: Random,
  person: { readonly email: string; readonly displayName: string },
  invite: { readonly operation: string; readonly input: Readonly<Record<string, string>> },
): Promise<DemoPerson> {
  const act = actor(platform)
  const password = mintToken('personalToken', random).slice(8, 28)
  const { invitation } = await act<{ readonly invitation: { readonly token: string } }>(
    invite.operation,
    host,
    {
      ...invite.input,
      email: person.email,
    },
  )
  const { personId } = await act<{ readonly personId: string }>('invitation.accept', nobody, {
    token: invitation.token,
    password,
    displayName: person.displayName,
  })
  return { email: person.email, password, caller: await callerOf(platform, personId) }
}

async function makeDeveloper(platform: Platform, random: Random): Promise<DemoPerson> {
  const act = actor(platform)
  const email = 'developer@stoa.example'
  const password = mintToken('personalToken', random).slice(8, 28)
  const { id } = await act<{ readonly id: string }>('person.register', nobody, {
    email,
    password,
    displayName: 'Demo developer',
  })
  await act('publisher.create', await callerOf(platform, id), { name: 'Demo studio' })
  return { email, password, caller: await callerOf(platform, id) }
}

async function releaseThankYou(
  platform: Platform,
  developer: DemoPerson,
  reviewer: DemoPerson,
): Promise<void> {
  const act = actor(platform)
  const [publisherId] = developer.caller.publishers.keys()
  const app = await act<{ readonly id: string }>('app.create', developer.caller, {
    publisherId,
    name: 'Thank you',
    class: 'mini-program',
  })
  const version = await act<{ readonly id: string; readonly packageSha256: string }>(
    'version.upload',
    developer.caller,
    { appId: app.id },
    await packFolder(thankYou),
  )
  const ids = { appId: app.id, versionId: version.id }
  const submission = await act<{ readonly id: string }>('version.submit', developer.caller, ids)
  await platform.checkCase(submission.id)
  await act('review_case.decide', reviewer.caller, {
    caseId: submission.id,
    decision: 'approve',
    packageSha256: version.packageSha256,
  })
  await act('release.create', developer.caller, ids)
}

/** The first start of the embedded platform: three people, a merchant and a released app. Passwords are printed once. */
export async function seedDemo(platform: Platform, { clock, random, print }: SeedContext): Promise<void> {
  const { db } = platform
  const state = await readFact(db.queries, factName)
  if (state === 'finished') return
  if (state !== null) {
    throw KernelErrors.invalid_configuration(
      'STOA_DATA_DIR: the first start ended while it made the demo data; remove the folder and start again',
    )
  }
  await writeFact(db.queries, { name: factName, value: 'started', atMs: clock.nowMs() })

  const merchant = await actor(platform)<{ readonly id: string }>('merchant.create', host, {
    kind: 'shop',
    name: 'Green Leaf Tea',
    externalId: 'demo-shop',
  })
  // At once: what takes time is the hash of each password.
  const [owner, reviewer, developer] = await Promise.all([
    invited(
      platform,
      random,
      { email: 'merchant@stoa.example', displayName: 'Demo merchant' },
      { operation: 'merchant_member.create', input: { merchantId: merchant.id, role: 'owner' } },
    ),
    invited(
      platform,
      random,
      { email: 'reviewer@stoa.example', displayName: 'Demo reviewer' },
      { operation: 'staff.create', input: { role: 'reviewer' } },
    ),
    makeDeveloper(platform, random),
  ])
  await releaseThankYou(platform, developer, reviewer)
  await writeFact(db.queries, { name: factName, value: 'finished', atMs: clock.nowMs() })

  print('')
  print('  demo people (the passwords are shown this once)')
  for (const { email, password } of [developer, reviewer, owner]) print(`    ${email.padEnd(24)} ${password}`)
  print('')
}
