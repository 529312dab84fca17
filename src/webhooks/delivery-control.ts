const words = ['disable', 'abort-message'] as const

/** What a receiver says beside its status: send nothing more, or do not try this delivery again. */
export type DeliveryControl = (typeof words)[number]

/** Reads the response header `webhook-delivery`; null when it says neither. The stronger word wins. */
export function parseDeliveryControl(value: string | undefined): DeliveryControl | null {
  if (value === undefined) return null
  const said = new Set(value.split(',').map((word) => word.trim().toLowerCase()))
  return words.find((word) => said.has(word)) ?? null
}
