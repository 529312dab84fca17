import type { Scope } from '../../capability/index.ts'

export const orderScopes: readonly Scope[] = [
  {
    name: 'order:read',
    title: { en: 'See orders', 'zh-CN': '查看订单' },
    consent: {
      en: 'See your orders: what was bought, how much was paid and whether it was shipped. Not who bought it.',
      'zh-CN': '查看您的订单：购买的商品、支付的金额以及是否已发货。不包括购买者是谁。',
    },
    fields: [
      { en: 'Order number, and your own number of it', 'zh-CN': '订单编号以及您自己的订单号' },
      { en: 'Goods, quantities and prices', 'zh-CN': '商品、数量和单价' },
      { en: 'Total and currency', 'zh-CN': '总金额和币种' },
      { en: 'When it was placed, paid and shipped', 'zh-CN': '下单、付款和发货时间' },
      { en: 'Tracking number', 'zh-CN': '物流单号' },
    ],
    dataCategory: 'orders',
    sensitivity: 'protected',
  },
  {
    name: 'order:write',
    title: { en: 'Mark orders as shipped', 'zh-CN': '将订单标记为已发货' },
    consent: {
      en: 'Mark your paid orders as shipped and add tracking numbers. Your customers may be told.',
      'zh-CN': '将您已付款的订单标记为已发货并填写物流单号。您的顾客可能会收到通知。',
    },
    fields: [
      { en: 'Whether an order is shipped', 'zh-CN': '订单是否已发货' },
      { en: 'Tracking number', 'zh-CN': '物流单号' },
    ],
    dataCategory: 'orders',
    sensitivity: 'protected',
  },
  {
    name: 'order:refund',
    title: { en: 'Refund orders', 'zh-CN': '为订单退款' },
    consent: {
      en: 'Refund your paid orders, wholly or in part. The money goes back to the customer and your payout becomes smaller.',
      'zh-CN': '对您已付款的订单进行全额或部分退款。款项将退还给顾客，您的结算金额会相应减少。',
    },
    dataCategory: 'orders',
    sensitivity: 'protected',
  },
  {
    name: 'customer:read',
    title: { en: 'See who ordered', 'zh-CN': '查看顾客信息' },
    consent: {
      en: 'See the name, phone number and delivery address of the customers who ordered.',
      'zh-CN': '查看下单顾客的姓名、电话号码和收货地址。',
    },
    fields: [
      { en: 'Name', 'zh-CN': '姓名' },
      { en: 'Phone number', 'zh-CN': '电话号码' },
      { en: 'Delivery address', 'zh-CN': '收货地址' },
    ],
    dataCategory: 'customers',
    sensitivity: 'private',
  },
]
