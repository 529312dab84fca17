/** Runs the story step by step and prints each with its milliseconds. A step that fails names itself. */
export interface Story {
  /** `show`: what the line says of the result, ids mostly. */
  step<T>(name: string, work: () => Promise<T>, show?: (result: T) => string): Promise<T>
}

export class StepFailed extends Error {
  override readonly name = 'StepFailed'
}

export function makeStory(print: (line: string) => void): Story {
  let number = 0
  return {
    async step(name, work, show) {
      number += 1
      const startedAt = performance.now()
      const label = `${String(number).padStart(2)}. ${name}`
      try {
        const result = await work()
        const ms = Math.round(performance.now() - startedAt)
        print(`${label.padEnd(58)} ${String(ms).padStart(6)} ms  ${show?.(result) ?? ''}`.trimEnd())
        return result
      } catch (error) {
        throw new StepFailed(`step ${label} failed`, { cause: error })
      }
    },
  }
}

const pollMs = 50

/** Asks again and again until the answer is not null. */
export async function until<T>(what: string, timeoutMs: number, ask: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (performance.now() > deadline) throw new Error(`${what} did not happen in ${timeoutMs} ms`)
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs)
    })
  }
}
