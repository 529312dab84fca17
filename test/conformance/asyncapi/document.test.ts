import specs from '@asyncapi/specs'
import { Ajv, type ValidateFunction } from 'ajv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { execute } from '../../../src/db/index.ts'
import { newId } from '../../../src/kernel/index.ts'
import { orderData } from '../../integration/events/fixture.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type TestMerchant } from '../../support/story.ts'
import { type ReceivedRequest, startReceiver, type TestReceiver } from '../../support/test-receiver.ts'

type Json = Record<string, unknown>

interface Message {
  readonly headers: Json
  readonly payload: Json
  readonly examples: readonly { readonly headers: Json; readonly payload: Json }[]
}

interface Document extends Json {
  readonly asyncapi: string
  readonly channels: Record<string, Json>
  readonly operations: Record<string, Json>
  readonly components: { readonly messages: Record<string, Message>; readonly securitySchemes: Json }
}

/** The official schema of AsyncAPI 3.0.0, which is draft-07. */
const official = specs.schemas['3.0.0'] as Json

let at: TestPlatform
let receiver: TestReceiver
let merchant: TestMerchant
let document: Document
let isAsyncApi: ValidateFunction

beforeAll(async () => {
  // It brings draft-07's own schema along.
  isAsyncApi = new Ajv({ strict: false, meta: false, validateSchema: false, validateFormats: false }).compile(
    official,
  )
  receiver = await startReceiver()
  at = await startTestPlatform()
  document = (await at.anonymous.request<Document>('GET', '/asyncapi.json')).body
  const story = makeStory(at)
  const publisher = await story.publisher()
  const app = await story.publish(publisher, {
    manifest: {
      required: ['order:read'],
      optional: ['customer:read'],
      events: ['order.paid', 'app.installed'],
    },
  })
  merchant = await story.merchant()
  const { id } = await publisher.owner.api.call<{ readonly id: string }>(
    'POST',
    `/developer/v1/apps/${app.appId}/endpoints`,
    { url: receiver.url },
  )
  await execute(at.db.queries, `update endpoint set state = 'active', verified_at = now() where id = $1`, id)
  await story.install(merchant, app)
})
afterAll(async () => {
  await at.close()
  await receiver.close()
})

/** Schemas of the document, with its components within reach. */
function validatorOf(pointer: string): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema({ $id: 'doc', ...document }, 'doc')
  return ajv.compile({ $ref: `doc#${pointer}` })
}

function problemsOf(validate: ValidateFunction, value: unknown): unknown {
  return validate(value) ? [] : validate.errors
}

const messagePointer = (type: string, part: string) => `/components/messages/${type}/${part}`

describe('/asyncapi.json', () => {
  test('is what the official schema of AsyncAPI 3.0.0 asks for', () => {
    expect(document.asyncapi).toBe('3.0.0')
    expect(problemsOf(isAsyncApi, document)).toEqual([])
  })

  test.each<[string, (broken: Document & Json) => void]>([
    ['without a title', (broken) => delete (broken['info'] as Json)['title']],
    [
      'with an action nobody knows',
      (broken) => Object.assign(broken.operations['deliver'] ?? {}, { action: 'emit' }),
    ],
    ['with a member of OpenAPI', (broken) => Object.assign(broken, { paths: {} })],
    [
      'with a security scheme that is none',
      (broken) => Object.assign(broken.components.securitySchemes, { v1: { type: 'hmac' } }),
    ],
  ])('%s would not pass', (_what, breakIt) => {
    const broken = structuredClone(document)
    breakIt(broken)
    expect(isAsyncApi(broken)).toBe(false)
  })

  test('every reference in it leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    )
    expect(references.length).toBeGreaterThan(10)
    for (const reference of references) {
      const found = reference
        .split('/')
        .slice(1)
        .reduce<unknown>((value, name) => (value as Json | undefined)?.[name], document)
      expect(found, reference).toBeDefined()
    }
  })

  test('has a message for every event type of the catalogue, and its examples are such messages', () => {
    const types = [...at.platform.catalog.eventTypes.keys()]
    expect(Object.keys(document.components.messages)).toEqual(types)
    for (const type of types) {
      const { examples } = document.components.messages[type] ?? { examples: [] }
      expect(examples, type).toHaveLength(1)
      for (const { headers, payload } of examples) {
        expect(problemsOf(validatorOf(messagePointer(type, 'headers')), headers), type).toEqual([])
        expect(problemsOf(validatorOf(messagePointer(type, 'payload')), payload), type).toEqual([])
      }
    }
  })

  test('names what each type needs', () => {
    expect(document.components.messages['order.paid']).toMatchObject({
      'x-stoa-scope': 'order:read',
      'x-stoa-field-scopes': { customer: 'customer:read' },
      'x-stoa-published-by': 'host',
      'x-stoa-resource': '/v1/orders/{subject}',
    })
    expect(document.components.messages['app.installed']).toMatchObject({
      'x-stoa-scope': null,
      'x-stoa-published-by': 'platform',
    })
  })
})

describe('what is really sent', () => {
  async function sent(type: string): Promise<ReceivedRequest> {
    await at.platform.events.relayNow()
    await at.platform.events.drainNow()
    const found = receiver.requests.find(({ body }) => (JSON.parse(body) as Json)['type'] === type)
    if (found === undefined) throw new Error(`${type} has not come`)
    return found
  }

  test.each(['app.installed', 'order.paid'])('%s is the message of that name', async (type) => {
    const subject = newId('order', at)
    if (type === 'order.paid')
      await at.host.call('POST', '/host/v1/events', {
        ...{ type, merchantId: merchant.merchantId, subject, data: orderData(subject, true) },
      })
    const { headers, body } = await sent(type)
    expect(problemsOf(validatorOf(messagePointer(type, 'headers')), headers)).toEqual([])
    expect(problemsOf(validatorOf(messagePointer(type, 'payload')), JSON.parse(body))).toEqual([])
  })

  test('and a message of another type is not', async () => {
    const { body } = await sent('app.installed')
    expect(validatorOf(messagePointer('order.paid', 'payload'))(JSON.parse(body))).toBe(false)
  })
})
