/** A manifest that uses every member. */
export const fullManifest = {
  $schema: 'https://platform.example.com/schemas/manifest.json',
  app_id: 'com.example.thank-you',
  name: 'Thank you',
  short_name: 'Thanks',
  description: 'Says thank you.\nFor every order.',
  lang: 'en',
  dir: 'auto',
  color_scheme: 'light',
  device_type: ['phone', 'tablet'],
  icons: [{ src: 'images/icon.png', sizes: '48x48 96x96', label: 'A heart' }],
  pages: ['pages/index', 'pages/help'],
  platform_version: { min_code: 1, target_code: 2, release_type: 'beta' },
  version: { code: 7, name: '1.2.3' },
  req_permissions: [{ name: 'system.permission.CAMERA', reason: 'To scan' }],
  widgets: [{ name: 'counter', path: 'widgets/counter', min_code: 1 }],
  window: { fullscreen: false, background_color: '#fff', navigation_bar_title_text: 'Thank you' },
  theme_color: 'tolerated: a member of another specification',
  stoa_names: { en: 'Thank you', 'zh-CN': '谢谢', 'zh-Hant-TW': '謝謝' },
  stoa_purpose: { en: 'Thanks your customers for their orders.', 'zh-CN': '感谢顾客的订单。' },
  stoa_publisher: {
    legal_name: 'Thankful Ltd.',
    country: 'DE',
    contact: 'privacy@example.com',
    privacy_policy: 'https://example.com/privacy?lang=en#data',
  },
  stoa_scopes: {
    required: [
      {
        name: 'order:read',
        purpose: { en: 'To thank for the order', 'zh-CN': '为订单致谢' },
        justification: { en: 'One cannot thank for what one does not know', 'zh-CN': '不知道就无从感谢' },
        retention_days: 0,
        recipients: [],
      },
    ],
    optional: [
      {
        name: 'order:write',
        purpose: { en: 'To mark orders as thanked' },
        without: { en: 'Customers may be thanked twice' },
        retention_days: 30,
        recipients: [
          { name: 'Cards & Co', country: 'CN', role: 'entrusted', purpose: { en: 'Prints cards' } },
          { name: 'Statistics Inc.', country: 'US', role: 'independent' },
        ],
      },
      { name: 'order:refund', purpose: { en: 'To give a little back' } },
    ],
  },
  stoa_authorization_details: [
    { type: 'refund', currency: 'CNY', max_amount_per_day: 10_000 },
    { type: 'shops' },
  ],
  stoa_device_authorization: false,
  stoa_events: [
    { type: 'order.paid', version: 1 },
    { type: 'order.shipped', version: 2 },
  ],
  stoa_handlers: 'handlers.js',
  stoa_redirect_uris: ['https://app.example.com/callback?x=1', 'http://127.0.0.1:8080/cb', 'http://[::1]/'],
  stoa_egress_hosts: ['api.example.com', 'xn--fiqs8s.example.cn'],
}

export const backendManifest = {
  app_id: 'com.example.printer',
  name: 'Printer',
  icons: [],
  pages: [],
  platform_version: { min_code: 1 },
  version: { code: 7, name: '1.0.0' },
  stoa_scopes: { required: [{ name: 'order:read', purpose: { en: 'To print' } }] },
  stoa_events: [{ type: 'order.paid', version: 1 }],
  stoa_redirect_uris: ['https://app.example.com/callback'],
}
