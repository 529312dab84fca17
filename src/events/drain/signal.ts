/** Wakes one waiter; raised while nobody waits, the next wait returns at once. */
export interface Signal {
  raise(): void
  wait(): Promise<void>
}

export function makeSignal(): Signal {
  let raised = false
  let waiter: (() => void) | null = null
  return {
    raise() {
      raised = true
      waiter?.()
    },
    async wait() {
      if (!raised) {
        await new Promise<void>((resolve) => {
          waiter = resolve
        })
      }
      raised = false
      waiter = null
    },
  }
}
