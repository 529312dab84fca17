import { encodeQR } from 'qr'

/** A text as a QR code: one path, coloured by the style sheet, since the policy lets no style stand in the page. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const rows = encodeQR(text, 'raw', { border: 4 })
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  return (
    <svg class="qr" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={label}>
      <path class="qr-light" d={`M0 0h${rows.length}v${rows.length}h-${rows.length}z`} />
      <path class="qr-dark" d={path} />
    </svg>
  )
}
