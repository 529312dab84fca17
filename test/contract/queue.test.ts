import { testServerUrl } from '../support/database.ts'
import { queueContract } from './queue.contract.ts'

queueContract('pglite')
if (testServerUrl() !== undefined) queueContract('postgresql')
if (process.env['REDIS_URL']) queueContract('redis')
