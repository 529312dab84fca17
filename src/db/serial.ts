/** Makes a function that runs its steps one after the other, in the order of the calls. */
export function makeSerial(): <T>(step: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (step) => {
    const next = last.then(step, step)
    last = next.catch(() => undefined)
    return next
  }
}
