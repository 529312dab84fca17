import { appOf, defineOperation, idOf, installationOf, schema } from '../../capability/index.ts'
import { shopsBound } from './shops-bound.ts'
import { listShops } from './store.ts'

const shop = schema.named(
  'Shop',
  schema.object({ id: idOf('merchant'), name: schema.string({ maxLength: 200 }) }),
)

export const shopOperations = [
  defineOperation({
    id: 'shop.list',
    summary: 'The shops of the organisation that the grant reaches, besides the organisation itself',
    description: 'Name one as shopId where an operation has that member.',
    method: 'GET',
    path: '/v1/shops',
    audience: 'app',
    access: { kind: 'installation' },
    kind: 'read',
    hostFunction: 'list',
    input: schema.object({}),
    output: schema.object({ data: schema.array(shop, { maxItems: 1_000 }) }),
    errors: [],
    async handle({ queries, caller }) {
      const shopIds = appOf(caller).bounds.flatMap((detail) =>
        detail.type === shopsBound.type ? shopsBound.idsOf(detail) : [],
      )
      return { data: await listShops(queries, installationOf(caller).merchantId, shopIds) }
    },
  }),
]
