// Runs inside the platform, in a sandbox: no server of its own, no network, no clock but the event's.

async function readThanks(stoa) {
  try {
    const { value } = await stoa.storage.get({ key: 'thanks' })
    return value
  } catch (error) {
    if (error.code === 'storage.not_found') return { orders: 0, lastOrderId: null, lastTotal: null }
    throw error
  }
}

on('order.paid', async (event, stoa) => {
  const order = await stoa.order.get({ orderId: event.data.orderId })
  const thanks = await readThanks(stoa)
  // An event may be delivered more than once; the same order is thanked once.
  if (thanks.lastOrderId === order.id) return thanks

  const next = { orders: thanks.orders + 1, lastOrderId: order.id, lastTotal: order.total }
  await stoa.storage.set({ key: 'thanks', value: next })
  console.log('thanked for order', order.id)
  return next
})
