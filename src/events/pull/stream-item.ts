/** What stands at one place of an app's stream, as its app may see it right now. */
export type StreamItem =
  | {
      readonly kind: 'shown'
      readonly sequence: bigint
      readonly deliveryId: string
      readonly eventId: string
      readonly eventType: string
      readonly subject: string
      readonly merchantId: string
      readonly installationId: string
      readonly createdAtMs: number
      /** The body says only what happened and where to read it: its data is no longer kept. */
      readonly thin: boolean
      /** The exact text that a webhook would carry. */
      readonly body: string
      /** The body holds personal data of the merchant's customers. */
      readonly personal: boolean
    }
  /** Places from `from` to `sequence` that show nothing and never will: permission withdrawn, or no longer kept. */
  | { readonly kind: 'cancelled'; readonly from: bigint; readonly sequence: bigint }
  /** The platform holds this merchant's deliveries back: to be asked for again later. */
  | { readonly kind: 'held'; readonly sequence: bigint }

export type ShownItem = Extract<StreamItem, { readonly kind: 'shown' }>

/** Puts markers where places have no item: what was removed from there must not look like a loss. */
export function withGapsFilled(
  items: readonly StreamItem[],
  { after, through }: { readonly after: bigint; readonly through: bigint },
): readonly StreamItem[] {
  const filled: StreamItem[] = []
  let last = after
  for (const item of items) {
    if (item.sequence > last + 1n)
      filled.push({ kind: 'cancelled', from: last + 1n, sequence: item.sequence - 1n })
    filled.push(item)
    last = item.sequence
  }
  if (last < through) filled.push({ kind: 'cancelled', from: last + 1n, sequence: through })
  return filled
}
