/** A bound of the system: value, unit and why. docs/reference/limits.md is printed from this table. */
export interface Limit {
  readonly value: number
  readonly unit: string
  readonly reason: string
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const kib = 1024
const mib = 1024 * kib

function limit(value: number, unit: string, reason: string): Limit {
  return { value, unit, reason }
}

export const limitTable = {
  requestBodyBytesMax: limit(
    1 * mib,
    'bytes',
    'A JSON request is data, not a file; files have their own operation',
  ),
  requestMs: limit(60 * second, 'ms', 'A 2 MB package over a line of 300 kbit/s'),
  requestHeadersMs: limit(15 * second, 'ms', 'Headers are one packet; slower is an attack on sockets'),
  requestHeaderBytesMax: limit(16 * kib, 'bytes', 'Node’s own default, written down'),
  jsonDepthMax: limit(32, 'levels', 'Deeper JSON is an attack on recursive code'),
  inputValuesMax: limit(
    10_000,
    'values per input',
    'Of a larger input that is wrong only the first problem is told: looking for all of them takes seconds',
  ),
  inputProblemsMax: limit(100, 'problems per answer', 'Nobody reads more, and an answer is not a weapon'),
  pageSizeDefault: limit(50, 'rows', 'A screen full'),
  pageSizeMax: limit(200, 'rows', 'Keeps one answer under about 1 MiB'),
  idempotencyKeyLengthMax: limit(255, 'characters', 'Fits a UUID with a prefix many times over'),
  idempotencyKeptMs: limit(24 * hour, 'ms', 'Longer than any client’s retry loop'),

  authorizationCodeMs: limit(60 * second, 'ms', 'One redirect and one token request'),
  accessTokenMs: limit(1 * hour, 'ms', 'The most a leaked token is worth'),
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
  deviceCodeMs: limit(10 * minute, 'ms', 'To find a browser, sign in and type eight letters'),
  devicePollIntervalMs: limit(
    5 * second,
    'ms',
    'RFC 8628’s own default; one that is early waits as much longer',
  ),
  devicePollIntervalMsMax: limit(1 * minute, 'ms', 'What a client that never waits is slowed down to'),
  devicePollSlackMs: limit(500, 'ms', 'A client that waits by its own clock must not be early by ours'),
  userCodeFailuresMax: limit(
    10,
    'wrong codes per person in 15 min',
    'With ten codes open one guesser in 256 million hits one',
  ),
  userCodeNetworkFailuresMax: limit(
    100,
    'wrong codes per network in 15 min',
    'Accounts are cheap; an office behind one address mistypes less',
  ),
  userCodeWindowMs: limit(15 * minute, 'ms', 'The window of userCodeFailuresMax; longer than a code lives'),
  sessionTokenMs: limit(1 * minute, 'ms', 'From the app’s page to its backend to /oauth/token'),
  exchangedTokenMs: limit(
    10 * minute,
    'ms',
    'While somebody uses the app its page brings a new session token, so what is given for one is short',
  ),
  exchangeDepthMax: limit(
    4,
    'exchanges',
    'Longest act chain: a front, a gateway, a service and one behind it',
  ),
  interactionMs: limit(1 * hour, 'ms', 'A merchant may ask a colleague before consenting'),
  refreshReplayMs: limit(
    24 * hour,
    'ms',
    'How long a client that lost the answer of a rotation gets it again, until the successor is used',
  ),
  oauthGrantMs: limit(
    366 * day,
    'ms',
    'The library’s grant, one per authorization, must outlive its last refresh token; the merchant’s grant has no end',
  ),
  sessionMs: limit(14 * day, 'ms', 'Two weeks of a console left open'),
  personalTokenMs: limit(90 * day, 'ms', 'Default life of a personal token'),
  personalTokenMsMax: limit(365 * day, 'ms', 'No credential of a person lives longer than a year unseen'),
  invitationMs: limit(7 * day, 'ms', 'A week to read one mail'),
  passwordLengthMin: limit(
    12,
    'characters',
    'NIST SP 800-63B asks for at least 8; length is the only rule, so longer',
  ),
  passwordLengthMax: limit(256, 'characters', 'Bounds the hash’s input; NIST asks for at least 64'),
  signInFailuresMax: limit(
    20,
    'failures per account and address in 15 min',
    'Guessing is slow, a stranger cannot lock others out',
  ),
  signInWindowMs: limit(15 * minute, 'ms', 'The window of signInFailuresMax'),
  credentialSeenMs: limit(
    1 * minute,
    'ms',
    'How exact “last used” is: one write a minute, not one per request',
  ),
  sessionsMax: limit(50, 'live sessions per person', 'The one unseen longest ends when another begins'),
  personalTokensMax: limit(50, 'live tokens per person', 'One per machine and script; more is a leak'),
  membershipsMax: limit(500, 'memberships per person and kind', 'Every request of the person carries them'),
  invitationsOpenMax: limit(200, 'open invitations per team', 'A team is invited, not a mailing list'),
  liveSecretsMax: limit(2, 'secrets per app', 'The old one and the new one during a rotation'),
  secretOverlapMs: limit(24 * hour, 'ms', 'A working day to deploy the new secret'),

  packageBytesMax: limit(
    2 * mib,
    'bytes',
    'Mini-programs are small; blobs of this size live in database rows',
  ),
  packageFilesMax: limit(512, 'files', 'More is a bundle that was not bundled'),
  packageUnpackedBytesMax: limit(10 * mib, 'bytes', 'What one upload may cost in memory'),
  packageRatioMax: limit(100, 'unpacked bytes per packed byte', 'A ZIP bomb is far above, text is below 20'),
  releasesConsideredMax: limit(50, 'releases per app', 'No installation runs one that is older than these'),
  packageCacheBytesMax: limit(
    32 * mib,
    'unpacked bytes per process',
    'Thirty mini-programs of 1 MB; the rest is unpacked again',
  ),
  handlersBytesMax: limit(512 * kib, 'bytes', 'A bundle for QuickJS, which parses about 4 MB a second'),
  scriptCheckMs: limit(3 * second, 'ms', 'A bundle of 2 MB is parsed in 0.2 s; only an attack takes longer'),
  scriptChecksWaitingMax: limit(
    16,
    'uploads',
    'They are parsed one after the other; beyond it callers try again',
  ),

  reviewSweepMs: limit(30 * second, 'ms', 'The longest a lost wake delays the automatic checks of a case'),
  reviewSweepMax: limit(100, 'cases', 'Woken in one sweep; the next one wakes the rest'),
  reviewChecksAtOnce: limit(
    2,
    'cases per process',
    'Checks share the sandbox with the handlers of live apps',
  ),

  sandboxWorkers: limit(2, 'threads', 'One per core of the smallest machine; one more is kept ready'),
  sandboxMemoryBytesMax: limit(32 * mib, 'bytes', 'A thousand orders as objects are about 2 MB'),
  sandboxHandlerFuelMax: limit(50_000_000, 'fuel units', 'About 0.2 s of pure computation here'),
  sandboxHandlerWallMs: limit(5 * second, 'ms', 'Watchdog only: fuel decides'),
  sandboxRunsPerAppMax: limit(2, 'runs per app at once', 'Threads are few; one app may not take them all'),
  sandboxGrantFreshMs: limit(2 * second, 'ms', 'A running handler’s permissions are read again after that'),
  sandboxProgramsMax: limit(64, 'programs kept in memory', 'At most the size of that many bundles'),
  sandboxHostCallsMax: limit(256, 'calls per run', 'Ends a loop over a merchant’s whole catalogue'),
  sandboxLogBytesMax: limit(64 * kib, 'bytes per run', 'Enough for a trace, too little for a data dump'),
  sandboxResultBytesMax: limit(1 * mib, 'bytes', 'A result is a value, not a file'),

  storageValueBytesMax: limit(64 * kib, 'bytes', 'Settings and counters, not files'),
  storageKeyLengthMax: limit(256, 'characters', 'Fits an id with a path'),
  storageBytesMax: limit(1 * mib, 'bytes per installation', 'Thousands of counters'),
  storageItemsMax: limit(1_000, 'items per installation', 'Bounds the list'),

  eventDataBytesMax: limit(
    192 * kib,
    'bytes',
    'With the envelope under 256 KiB, what receivers and their proxies commonly accept',
  ),
  eventAttributeLengthMax: limit(
    255,
    'characters',
    'Subject, source and external id: an id or a short address',
  ),
  personalDataKeptMs: limit(
    7 * day,
    'ms',
    'Event data and bodies with customers’ personal data: twice the retry horizon; then deliveries go out thin',
  ),
  eventsKeptMs: limit(
    30 * day,
    'ms',
    'Events, deliveries, bodies and attempts: how long a receiver may be away and still find everything',
  ),
  accessRecordsKeptMs: limit(365 * day, 'ms', 'A merchant may ask about the past year'),
  retentionBatchMax: limit(1_000, 'rows per transaction', 'Locks held for some 50 ms'),
  metricsFreshMs: limit(5 * second, 'ms', 'Numbers that need the database are read at most that often'),
  metricsCountMax: limit(
    100_000,
    'rows',
    'Of a longer queue /metrics says this number: what a scrape may cost',
  ),
  eventsPerBatchMax: limit(500, 'events per request', 'One relay batch; 2 KiB each fit requestBodyBytesMax'),
  relayBatchMax: limit(500, 'events', 'One transaction of about 30 ms'),
  relayDeliveriesMax: limit(
    5_000,
    'deliveries',
    'What one relay batch may write: half a second, in which the streams it numbers cannot be drained',
  ),
  relayBytesMax: limit(16 * mib, 'bytes of event data', 'What one relay batch may cost in memory'),
  relayBusyRetryMs: limit(100, 'ms', 'When another relay was at work, which may just have missed the event'),
  relayIntervalMs: limit(1 * second, 'ms', 'The longest an event waits when its wake was lost'),
  sweepIntervalMs: limit(1 * second, 'ms', 'The longest a due delivery waits when its wake was lost'),
  streamLeaseMs: limit(6 * second, 'ms', 'Renewed every 2 s, so two renewals may be lost'),
  streamLeaseRenewMs: limit(2 * second, 'ms', 'A third of the lease'),
  drainBatchMax: limit(400, 'deliveries', 'One statement claims them while those before are sent'),
  drainRecordMin: limit(100, 'results', 'As many are recorded at once, without waiting for drainFlushMs'),
  drainRecordMax: limit(1_000, 'results', 'Of several streams, in one statement'),
  drainConcurrency: limit(
    8,
    'requests per endpoint at once',
    'Where every endpoint begins: enough for most, little for a small server',
  ),
  drainConcurrencyMax: limit(
    32,
    'requests per endpoint at once',
    'What an endpoint reaches that answers well; more did not deliver more',
  ),
  drainTemposMax: limit(10_000, 'streams', 'Whose pace and rate one process remembers: about 2 MB'),
  drainHoldMsMax: limit(
    1 * minute,
    'ms',
    'How long one Retry-After holds a whole endpoint back; the delivery’s own wait is as asked',
  ),
  drainSubjectMax: limit(
    32,
    'deliveries of one subject in hand',
    'With FIFO they go one by one: one busy subject must not fill the claim',
  ),
  drainCrowdMs: limit(
    500,
    'ms',
    'How often a drain looks for merchants behind the flood of another; it walks over the flood',
  ),
  drainFreshMs: limit(
    2 * second,
    'ms',
    'A permission that was checked longer ago is checked again before sending',
  ),
  drainClaimLengthMax: limit(4 * mib, 'characters of bodies', 'What one claim may cost in memory'),
  drainFlushMs: limit(20, 'ms', 'Group commit of attempts'),
  drainFlushMsMax: limit(100, 'ms', 'The same, when the database takes that long to record'),
  drainTurnMs: limit(5 * second, 'ms', 'How long one stream may keep its place while others wait'),
  drainStopMs: limit(3.5 * second, 'ms', 'Within shutdownMs, with time left to record'),
  sweepStreamsMax: limit(1_000, 'streams per sweep', 'The rest is found a second later'),
  drainStreamsMax: limit(64, 'streams per worker at once', 'Bounds sockets and memory of one worker'),
  drainStreamsWaitingMax: limit(
    512,
    'streams per worker',
    'Woken and waiting for a place. Beyond it the queue finds another worker, at ten times the cost of a place here',
  ),
  deliveryAttemptsMax: limit(10, 'attempts', 'The retry table’s length'),
  endpointUrlLengthMax: limit(2_048, 'characters', 'What proxies and browsers carry everywhere'),
  webhookSecretOverlapMsMax: limit(
    7 * day,
    'ms',
    'How long two signing secrets of an endpoint may both sign',
  ),
  webhookChallengeMs: limit(
    5 * second,
    'ms',
    'An endpoint that echoes a text needs no more; a person waits for it',
  ),
  webhookChallengeIntervalMs: limit(
    10 * second,
    'ms',
    'Between two challenges of one endpoint: a developer tries again at once, a stranger’s server feels nothing',
  ),
  webhookChallengeReadBytesMax: limit(4 * kib, 'bytes', 'A challenge is 43 characters'),
  webhookChallengeShownLengthMax: limit(200, 'characters', 'Of a wrong answer, shown to the developer'),
  webhookFailingMsMax: limit(
    72 * hour,
    'ms',
    'Without a 2xx for so long an endpoint is paused: a long weekend',
  ),
  webhookProbeMs: limit(
    5 * minute,
    'ms',
    'The first probe of a paused endpoint; each next one waits twice as long',
  ),
  webhookProbeMsMax: limit(6 * hour, 'ms', 'The longest a receiver that is back waits to be found'),
  webhookRatePerSecondMax: limit(1_000, 'attempts per second', 'More is no limit for one endpoint'),
  webhookKeysMax: limit(200, 'keys per page', 'Of /.well-known/webhooks.json: about 50 KiB'),
  webhookKeysCacheMs: limit(5 * minute, 'ms', 'How long receivers and proxies may keep public keys'),
  replayRatePerSecond: limit(50, 'deliveries per second', 'When none is asked for; half an hour of 90,000'),
  replayRatePerSecondMax: limit(
    500,
    'deliveries per second',
    'A replay runs beside live traffic, not before it',
  ),
  replayConcurrency: limit(4, 'requests per replay at once', 'An eighth of what live traffic may use'),
  replayBatchMax: limit(50, 'deliveries', 'The most that a killed process makes a replay send twice'),
  replayPauseMsMax: limit(
    30 * second,
    'ms',
    'How long a replay waits at most when nothing gets through, before it goes on',
  ),
  replaysMax: limit(4, 'replays per process at once', 'They share its sockets with live traffic'),
  replaySweepMs: limit(1 * second, 'ms', 'The longest a replay waits when its wake was lost'),
  replayEventTypesMax: limit(100, 'event types', 'More than the catalogue has'),
  endpointStatsMs: limit(24 * hour, 'ms', 'What the statistics of an endpoint look back on'),
  endpointStatsAttemptsMax: limit(
    20_000,
    'attempts',
    'The latest ones: about 0.1 s, in which an embedded database does nothing else',
  ),
  endpointBacklogMax: limit(100_000, 'deliveries', 'Counted up to here; more is “many”'),
  webhookConnectMs: limit(2 * second, 'ms', 'A host that does not answer a SYN in 2 s is down'),
  webhookConnectionsMax: limit(32, 'sockets per receiver', 'The most an endpoint gets at once'),
  webhookRequestMs: limit(15 * second, 'ms', 'Standard Webhooks recommends 15 to 30 s; body included'),
  webhookResponseReadBytesMax: limit(64 * kib, 'bytes', 'A receiver that sends more is cut off'),
  webhookResponseKeptBytesMax: limit(16 * kib, 'bytes', 'Enough of an error page for the developer to read'),

  pullWaitMsMax: limit(30 * second, 'ms', 'Under the idle time-out of every common proxy'),
  pullBytesMax: limit(1 * mib, 'bytes of bodies', 'One answer; a single larger body still comes, alone'),
  pullWaitsPerAppMax: limit(20, 'waiting requests per app and process', 'One per process of a large app'),
  pullWaitsMax: limit(2_000, 'waiting requests per process', 'A socket and a timer each, about 40 MB'),
  streamWatchMs: limit(
    500,
    'ms',
    'The longest a waiting reader does not hear of what another process relayed; one statement, whoever waits',
  ),
  acknowledgedMax: limit(
    5_000,
    'deliveries per acknowledgement',
    'One transaction of under a second on two cores; the answer says how far it came',
  ),
  streamPartitionsMax: limit(50, 'partitions', 'One socket each; more than an app may open is no use'),
  socketsPerAppMax: limit(50, 'sockets per app and process', 'One per process of a large app'),
  socketsMax: limit(1_000, 'sockets per process', 'One that is stuck holds a little more than pullBytesMax'),
  socketBatchMax: limit(100, 'deliveries', 'Read for a socket at once'),
  socketPingMs: limit(20 * second, 'ms', 'Keeps proxies from closing an idle socket'),
  socketPongMs: limit(10 * second, 'ms', 'A peer that does not answer a ping for so long is gone'),
  socketRecheckMs: limit(
    1.5 * second,
    'ms',
    'With accessTokenCacheMs less than the 5 s in which a revocation must hold',
  ),
  socketMessageBytesMax: limit(1 * kib, 'bytes', 'An acknowledgement has 40'),
  socketBufferBytesMax: limit(
    256 * kib,
    'bytes',
    'Not yet taken by the peer: beyond it nothing more is read',
  ),
  socketStuckMs: limit(
    20 * second,
    'ms',
    'A peer that has not taken what it got in so long is closed: pullBytesMax at 50 KiB/s',
  ),
  socketCloseMs: limit(1 * second, 'ms', 'How long a peer may take to answer a close; within shutdownMs'),

  transactionMs: limit(15 * second, 'ms', 'Longer is a bug; the transaction is rolled back'),
  transactionWaitMs: limit(10 * second, 'ms', 'How long a caller waits for a connection before 503'),
  transactionRetriesMax: limit(5, 'retries', 'After five serialization failures the load is the problem'),
  poolConnectionsMax: limit(
    16,
    'connections',
    'Ours and as many again for the queue: PostgreSQL’s default of 100 serves three nodes',
  ),
  accessRecordBufferMs: limit(50, 'ms', 'Group commit of access records'),
  accessRecordBufferMax: limit(
    5_000,
    'records',
    'About a minute of reads while the database is away; beyond it calls are refused with 503',
  ),
  requestDrainMs: limit(
    3 * second,
    'ms',
    'How long requests in flight may go on after Ctrl-C; within shutdownMs',
  ),
  shutdownMs: limit(5 * second, 'ms', 'Ctrl-C to exit'),
} as const satisfies Readonly<Record<string, Limit>>

export type LimitName = keyof typeof limitTable

/** The values alone: `limits.accessTokenMs`. */
export const limits = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value }]) => [name, value]),
) as { readonly [Name in LimitName]: number }
