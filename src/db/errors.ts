import { defineErrors } from '../kernel/index.ts'

export const DbErrors = defineErrors('db', {
  folder_in_use: {
    status: 503,
    title: 'The data folder is in use by another process',
    fix: 'Stop the other process, or give this one its own STOA_DATA_DIR; several processes share one DATABASE_URL.',
  },
  unavailable: {
    status: 503,
    title: 'The database does not answer right now',
    fix: 'Try again after the seconds named in Retry-After.',
  },
  migration_edited: {
    status: 500,
    title: 'A migration that this database has applied was changed afterwards',
    fix: 'Restore the committed text of the migration; put the change into a new one.',
  },
  migration_unknown: {
    status: 500,
    title: 'The database was migrated by a newer version of Stoa',
    fix: 'Start that version or a later one.',
  },
  migration_failed: {
    status: 500,
    title: 'A migration could not be applied',
    fix: 'Nothing of it was kept; the cause is in the log.',
  },
  blob_too_large: {
    status: 413,
    title: 'The file is larger than a database row may hold',
    fix: 'Make it smaller; the limit is named in the detail.',
  },
})
