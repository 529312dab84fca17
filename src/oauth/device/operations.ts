import {
  defineOperation,
  idOf,
  type Operation,
  type PersonCaller,
  personOf,
  schema,
} from '../../capability/index.ts'
import { currentClientAddress, toIso } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import { cliAudiences, cliClientId, isCliAudience } from './cli-client.ts'
import {
  approveCli,
  type DeviceDependencies,
  type DeviceRequest,
  denyDevice,
  findDeviceRequest,
} from './device-request.ts'

const userCode = schema.string({
  minLength: 1,
  maxLength: 40,
  description: 'As the device shows it; hyphens, spaces and lower case do not matter',
})
const words = schema.object({
  en: schema.string({ maxLength: 500 }),
  'zh-CN': schema.string({ maxLength: 500 }),
})

const Device = schema.named(
  'DeviceRequest',
  schema.object({
    kind: schema.oneOf(['app', 'cli'], {
      description:
        'app: a merchant decides (installation.create with this userCode). cli: you do, for yourself',
    }),
    appId: schema.nullable(idOf('app')),
    appName: schema.string({ maxLength: 200 }),
    publisherName: schema.nullable(schema.string({ maxLength: 200 })),
    asks: schema.array(words, {
      maxItems: 10,
      description: 'Of the command line: what it will be able to do',
    }),
    address: schema.string({ maxLength: 64, description: 'Network address the request came from' }),
    userAgent: schema.string({ maxLength: 256 }),
    requestedAt: schema.time(),
    expiresAt: schema.time(),
  }),
)

function toDevice(request: DeviceRequest) {
  const { kind, appId, appName, publisherName, scopes, address, userAgent } = request
  const isCli = appId === cliClientId
  return {
    ...{ kind, appName, publisherName, address, userAgent },
    appId: isCli ? null : appId,
    asks: isCli ? scopes.filter(isCliAudience).map((audience) => cliAudiences[audience]) : [],
    requestedAt: toIso(request.requestedAtMs),
    expiresAt: toIso(request.expiresAtMs),
  }
}

const found = [OAuthErrors.user_code_not_found, OAuthErrors.too_many_user_codes]

/** A token that could approve would make itself another one, with another life and other rights. */
function browserOnly(person: PersonCaller): PersonCaller {
  if (person.credentialId?.startsWith('ses_') === true) return person
  throw OAuthErrors.browser_session_required()
}

const paths = '/account/v1/device-authorizations'

/** What a person does on the device page. */
export function deviceOperations(deps: DeviceDependencies): readonly Operation[] {
  const look = (personId: string, typed: string) =>
    findDeviceRequest(deps, { personId, address: currentClientAddress() ?? '' }, typed)
  return [
    defineOperation({
      id: 'device.find',
      summary: 'What waits behind a code that a device shows',
      description:
        'Only for a device in front of you: whoever sends you a code by mail or on the phone wants your rights.',
      method: 'POST',
      path: `${paths}:find`,
      audience: 'account',
      access: { kind: 'person' },
      kind: 'read',
      input: schema.object({ userCode }),
      output: Device,
      errors: found,
      handle: async ({ caller, input }) => toDevice(await look(personOf(caller).personId, input.userCode)),
    }),
    defineOperation({
      id: 'device.approve',
      summary: 'Sign the command line in as yourself',
      description:
        'Its next question is answered with a personal token, which /account/v1/tokens lists and ends.',
      method: 'POST',
      path: `${paths}:approve`,
      audience: 'account',
      access: { kind: 'person' },
      kind: 'write',
      input: schema.object({ userCode }),
      output: schema.nothing,
      errors: [...found, OAuthErrors.browser_session_required],
      // Wrong codes count also where nobody looked first.
      async prepare({ caller, input }) {
        const { personId } = browserOnly(personOf(caller))
        await look(personId, input.userCode)
      },
      async handle({ tx, caller, input }) {
        await approveCli(deps, tx, { userCode: input.userCode, personId: personOf(caller).personId })
        return undefined
      },
    }),
    defineOperation({
      id: 'device.deny',
      summary: 'Refuse what a device asks for',
      method: 'POST',
      path: `${paths}:deny`,
      audience: 'account',
      access: { kind: 'person' },
      kind: 'write',
      input: schema.object({ userCode }),
      output: schema.nothing,
      errors: found,
      async prepare({ caller, input }) {
        await look(personOf(caller).personId, input.userCode)
      },
      async handle({ tx, caller, input }) {
        await denyDevice(deps, tx, { userCode: input.userCode, personId: personOf(caller).personId })
        return undefined
      },
    }),
  ]
}
