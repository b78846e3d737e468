/** Milliseconds from the epoch that a date may be away, ECMA-262. */
export const MAX_DATE = 8.64e15

/** Epoch milliseconds as ISO 8601, null where they name no date. */
export function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined || !(Math.abs(ms) <= MAX_DATE) ? null : new Date(ms).toISOString()
}

/**
 * Epoch milliseconds → ISO 8601, null where they name no date. Times of one stream follow each other closely, so what
 * stays of the text from one call to the next, all down to the second, is kept.
 */
export function isoTimes(): (ms: number | undefined) => string | null {
  let second = Number.NaN
  let before = ''
  return (ms) => {
    if (ms === undefined || !(Math.abs(ms) <= MAX_DATE)) return null
    const whole = Math.trunc(ms)
    const its = Math.floor(whole / 1000)
    if (its !== second) {
      second = its
      before = new Date(whole).toISOString().slice(0, -4)
    }
    const rest = whole - its * 1000
    return `${before}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`
  }
}
