import { testServerUrl } from '../support/database.ts'
import { databaseContract } from './database.contract.ts'

databaseContract('pglite')
if (testServerUrl() !== undefined) databaseContract('postgresql')
