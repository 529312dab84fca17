// Preloaded into a Stoa process (NODE_OPTIONS=--import …): its clock runs CLOCK_SKEW_MS ahead, or behind.
const skewMs = Number(process.env.CLOCK_SKEW_MS)
const realNow = Date.now
const RealDate = Date

globalThis.Date = class extends RealDate {
  constructor(...values) {
    if (values.length === 0) super(realNow() + skewMs)
    else super(...values)
  }
  static now() {
    return realNow() + skewMs
  }
}
