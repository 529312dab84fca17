import type { NewEvent } from '../capability/index.ts'
import type { Transaction } from '../kernel/index.ts'
import type { PlacedEvent, PublisherRule } from './check-events.ts'
import { type PublishDependencies, type PublishedEvent, publishEvents } from './publish-event.ts'
import { listKnownMerchants } from './store.ts'

// What is addressed to one installation tells of that installation: only the platform knows it happened.
const isTheHosts: PublisherRule = ({ type }, { addressedTo }) =>
  addressedTo === 'merchant'
    ? []
    : [
        {
          pointer: '/type',
          code: 'platform_type',
          message: `${type} is published by the platform itself`,
          fix: 'Use a type that /asyncapi.json shows as published by the host.',
        },
      ]

function merchantIsKnown(known: ReadonlySet<string>): PublisherRule {
  return ({ merchantId }: NewEvent) =>
    known.has(merchantId)
      ? []
      : [
          {
            pointer: '/merchantId',
            code: 'unknown_merchant',
            message: 'there is no such merchant',
            fix: 'Make it first: POST /host/v1/merchants.',
          },
        ]
}

/**
 * Publishes what the host's own systems report: only types that are the host's to publish, only of merchants that exist.
 * @throws events.invalid_event, events.data_too_large, events.external_id_taken
 */
export async function publishAsHost(
  tx: Transaction,
  placed: readonly PlacedEvent[],
  deps: PublishDependencies,
): Promise<readonly PublishedEvent[]> {
  const known = await listKnownMerchants(tx, [...new Set(placed.map(({ event }) => event.merchantId))])
  return publishEvents(tx, placed, deps, [isTheHosts, merchantIsKnown(new Set(known))])
}
