import { testServerUrl } from '../support/database.ts'
import { quotaContract } from './quota.contract.ts'

quotaContract('memory')
quotaContract('pglite')
// Without a server there is nothing to be held to it.
if (testServerUrl() !== undefined) quotaContract('postgresql')
if (process.env['REDIS_URL']) quotaContract('redis')
