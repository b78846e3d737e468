/** A share of a scale as a bar. */
export function Bar({
  value,
  max,
  label,
  tone = 'blame',
}: {
  value: number
  max: number
  /** Of what, with its unit: "Surprise of altitude, nats". */
  label: string
  tone?: string
}) {
  const share = Math.max(0, Math.min(1, value / max))
  return (
    <span class={`meter ${tone}`} role="img" aria-label={`${label}: ${value.toPrecision(3)}`}>
      <span style={{ width: `${(share * 100).toFixed(1)}%` }} />
    </span>
  )
}
