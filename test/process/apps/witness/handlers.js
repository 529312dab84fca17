// The handler of the process tests: it counts its runs per order. An order named “endless-…” hangs its first run, and one
// named “ship-…” is marked as shipped.

async function readRuns(stoa, orderId) {
  try {
    const { value } = await stoa.storage.get({ key: orderId })
    return value
  } catch (error) {
    if (error.code === 'storage.not_found') return 0
    throw error
  }
}

async function tryToShip(stoa, orderId) {
  try {
    await stoa.order.markShipped({ orderId })
    return null
  } catch (error) {
    return error.code
  }
}

on('order.paid', async (event, stoa) => {
  const { orderId, externalId } = event.data
  const order = await stoa.order.get({ orderId })
  const runs = (await readRuns(stoa, orderId)) + 1
  await stoa.storage.set({ key: orderId, value: runs })
  let spins = 0
  while (externalId.startsWith('endless') && runs === 1) spins += 1
  const refusal = externalId.startsWith('ship') ? await tryToShip(stoa, orderId) : null
  return { orderId, state: order.state, runs, spins, refusal }
})
