import { bind, bindingOf } from '../../src/db/executor.ts'
import type { Db } from '../../src/db/index.ts'

/** Texts of the raw statements outside transactions that have run since, in order. */
export interface StatementWatch {
  readonly texts: readonly string[]
  end(): void
}

/** Looks over the shoulder of a database that goes on as before. */
export function watchStatements({ queries }: Pick<Db, 'queries'>): StatementWatch {
  const binding = bindingOf(queries)
  const texts: string[] = []
  bind(queries, {
    ...binding,
    executor: {
      run(text, values) {
        texts.push(text)
        return binding.executor.run(text, values)
      },
    },
  })
  return { texts, end: () => bind(queries, binding) }
}
