import { renderToString } from 'preact-render-to-string'
import decodeQR from 'qr/decode.js'
import { expect, test } from 'vitest'
import { QrCode } from '../../../src/console/account/qr-code.tsx'

/** The drawing as a camera sees it: each module several pixels wide. */
function photographed(svg: string, scale = 4) {
  const size = Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1])
  const dark = new Set(
    [...(/class="qr-dark" d="([^"]*)"/.exec(svg)?.[1] ?? '').matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(
      ([, x, y]) => `${x} ${y}`,
    ),
  )
  const width = size * scale
  const data = new Uint8Array(width * width * 4).fill(255)
  for (let y = 0; y < width; y += 1)
    for (let x = 0; x < width; x += 1)
      if (dark.has(`${Math.floor(x / scale)} ${Math.floor(y / scale)}`))
        data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3)
  return { width, height: width, data }
}

test.each([
  'otpauth://totp/open.example:ada%40dev.example?issuer=open.example&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA1&digits=6&period=30',
  'x',
  '中文 & <script>',
])('a QR code says what it was drawn from: %s', (text) => {
  const svg = renderToString(QrCode({ text, label: 'a "label"' }))
  expect(decodeQR(photographed(svg))).toBe(text)
  expect(svg).not.toMatch(/style=|<script/)
  expect(svg).toContain('aria-label="a &quot;label&quot;"')
})
