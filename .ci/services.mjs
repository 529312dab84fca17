// What .ci/run needs of a PostgreSQL and a Redis, without psql and redis-cli.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import pg from 'pg'

async function withPostgresql(url, work) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function withRedis(url, work) {
  const client = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: 3_000,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    client.disconnect()
  }
}

function at(url, path) {
  const address = new URL(url)
  address.pathname = `/${path}`
  return address.href
}

const commands = {
  async answers(url) {
    if (url.startsWith('redis')) await withRedis(url, (client) => client.ping())
    else await withPostgresql(url, (client) => client.query('select 1'))
  },

  async 'create-database'(adminUrl) {
    const name = `stoa_ci_${randomBytes(4).toString('hex')}`
    await withPostgresql(adminUrl, (client) => client.query(`create database ${name}`))
    console.log(at(adminUrl, name))
  },

  async 'drop-database'(adminUrl, url) {
    const name = new URL(url).pathname.slice(1)
    await withPostgresql(adminUrl, (client) => client.query(`drop database if exists ${name} with (force)`))
  },

  // Redis has numbers instead of databases: an empty one is taken, marked so that another run takes the next.
  async 'claim-redis'(url) {
    for (let number = 15; number >= 1; number -= 1) {
      const candidate = at(url, number)
      const claimed = await withRedis(candidate, async (client) => {
        if ((await client.dbsize()) > 0) return false
        return (await client.set('stoa-ci', process.pid, 'EX', 7_200, 'NX')) === 'OK'
      })
      if (claimed) return console.log(candidate)
    }
    throw new Error('all fifteen databases of this Redis are in use')
  },

  async 'release-redis'(url) {
    await withRedis(url, (client) => client.flushdb())
  },
}

const [command = '', ...args] = process.argv.slice(2)
await commands[command](...args)
