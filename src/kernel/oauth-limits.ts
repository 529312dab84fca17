import { day, hour, limit, minute, second } from './limit.ts'

/** The authorization server's part of the table in limits.ts. */
export const oauthLimits = {
  authorizationCodeMs: limit(60 * second, 'ms', 'One redirect and one token request'),
  accessTokenMs: limit(1 * hour, 'ms', 'The most a leaked token is worth'),
  idTokenMs: limit(1 * hour, 'ms', 'It tells who has signed in; nobody keeps it'),
  clientCredentialsTokenMs: limit(10 * minute, 'ms', 'Cheap to fetch again, so short'),
  refreshTokenIdleMs: limit(90 * day, 'ms', 'A seasonal shop is opened once a quarter'),
  refreshTokenMs: limit(365 * day, 'ms', 'A year after consent the merchant is asked again'),
  accessTokenCacheMs: limit(3 * second, 'ms', 'With 2 s of margin under the 5 s promise of revocation'),
  accessTokenCacheNegativeMs: limit(
    1 * second,
    'ms',
    'A token fetched a moment ago must work; guesses must not reach the database each time',
  ),
  accessTokenCacheEntriesMax: limit(50_000, 'entries', 'About 30 MB of callers'),
  interactionMs: limit(1 * hour, 'ms', 'A merchant may ask a colleague before consenting'),
  refreshReplayMs: limit(
    24 * hour,
    'ms',
    'How long a client that lost the answer of a rotation gets it again, until the successor is used',
  ),
  refusalKeptMs: limit(
    48 * hour,
    'ms',
    'How long an app cannot bring a person back to a consent they refused, unless they want to see it',
  ),
  refreshReplayPublicMs: limit(
    60 * second,
    'ms',
    'The same for a client that proves nothing but the old token: one retry, not a day for whoever found it',
  ),
  clientAssertionMs: limit(
    5 * minute,
    'ms',
    'How far ahead a client assertion may expire: it is made for one request, and clocks differ',
  ),
  dpopProofMs: limit(
    60 * second,
    'ms',
    'How old a DPoP proof for the API may be, or how far ahead: it is made for one request, and clocks differ',
  ),
  proofDatedAheadMs: limit(
    5 * minute,
    'ms',
    'How far ahead a DPoP proof at the token endpoint may be dated: the library’s own number',
  ),
  pushedRequestMs: limit(60 * second, 'ms', 'One redirect of a browser; the library’s own number'),
  dpopProofLengthMax: limit(4_096, 'characters', 'A proof by an RSA key of 4096 bits has about 2,000'),
  dpopJtiLengthMax: limit(256, 'characters', 'A UUID many times over'),
  useOnceBatchMax: limit(500, 'marks', 'One statement notes them'),
  useOnceWaitingMax: limit(
    5_000,
    'marks per process',
    'Proofs and assertions that wait for the database; beyond it requests are refused with 503',
  ),
  useOnceSweepMs: limit(
    1 * minute,
    'ms',
    'Marks of proofs are useless after a minute: the table stays small',
  ),
  jwksCacheMs: limit(5 * minute, 'ms', 'How long clients and proxies may keep the signing keys and metadata'),
  signingKeysFreshMs: limit(
    10 * second,
    'ms',
    'How old a node’s knowledge of the signing keys may be: a rotation needs no restart',
  ),
  oauthGrantMs: limit(
    366 * day,
    'ms',
    'The library’s grant, one per authorization, must outlive its last refresh token; the merchant’s grant has no end',
  ),
} as const
