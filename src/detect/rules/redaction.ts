/** Reasons begin with the field they are about; of a redacted field only that it is about it remains. */
export function redactReasons(reasons: readonly string[], redact: readonly string[]): readonly string[] {
  if (redact.length === 0) return reasons
  return reasons.map((reason) => {
    const field = redact.find((name) => reason.startsWith(`${name}: `))
    return field === undefined ? reason : `${field}: (redacted)`
  })
}
