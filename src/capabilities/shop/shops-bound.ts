import { type AuthorizationDetail, boundBy, defineBoundType, idOf, schema } from '../../capability/index.ts'

const idsMax = 100

/** Shops of the organisation at which the app is installed. Without ids, in a manifest: it may ask for some. */
export interface ShopsDetail extends AuthorizationDetail {
  readonly type: 'shops'
  readonly ids?: readonly string[] | undefined
}

function common(one: ShopsDetail, other: ShopsDetail): readonly string[] | undefined {
  if (one.ids === undefined) return other.ids
  return one.ids.filter((id) => other.ids === undefined || other.ids.includes(id))
}

/** Opens the data of single shops of an organisation; without it, an installation reaches its own merchant alone. */
export const shopsBound = defineBoundType<ShopsDetail, { readonly shopId: string }>({
  type: 'shops',
  scope: null,
  kind: 'reach',
  detail: schema.object({
    type: schema.oneOf(['shops']),
    ids: schema.optional(
      schema.array(idOf('merchant'), { minItems: 1, maxItems: idsMax, uniqueItems: true }),
    ),
  }),
  meet(one, other) {
    const ids = common(one, other)
    if (ids === undefined) return { type: 'shops' }
    return ids.length === 0 ? null : { type: 'shops', ids }
  },
  covers: (allowed, { ids }) =>
    ids?.every((id) => allowed.ids === undefined || allowed.ids.includes(id)) === true,
  idsOf: ({ ids = [] }) => ids,
  title: { en: 'Which shops', 'zh-CN': '适用店铺' },
  sentence({ ids = [] }, nameOf) {
    const names = ids.map(nameOf)
    return {
      en: `Use all of this for these shops of yours, too: ${names.join(', ')}.`,
      'zh-CN': `以上权限同时适用于您的以下店铺：${names.join('、')}。`,
    }
  },
  check: (details, { shopId }) =>
    details.some(({ ids = [] }) => ids.includes(shopId))
      ? { kind: 'within', charges: [], merchantId: shopId }
      : { kind: 'outside', detail: 'the grant does not reach this shop' },
})

/** The input member of operations that may act at a shop. */
export const shopMember = {
  shopId: schema.optional(idOf('merchant')),
} as const

/** For operations that have `shopMember`. */
export const boundByShops = boundBy(shopsBound, ({ shopId }: { readonly shopId?: string }) =>
  shopId === undefined ? null : { shopId },
)
