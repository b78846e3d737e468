/** The scores of a batch in columns that can change threads. */
export interface ScoredColumns {
  readonly logProb: Float64Array
  readonly score: Float64Array
  readonly pValue: Float64Array
  readonly pMethod: Uint8Array
  readonly verdict: Uint8Array
  readonly reasons: Map<number, readonly string[]>
}

/** Columns for so many rows, nothing in them yet. */
export function emptyColumns(rows: number): ScoredColumns {
  return {
    logProb: new Float64Array(rows),
    score: new Float64Array(rows),
    pValue: new Float64Array(rows),
    pMethod: new Uint8Array(rows),
    verdict: new Uint8Array(rows),
    reasons: new Map(),
  }
}

/** Puts the shares of one batch together; share i begins at row starts[i]. */
export function joinColumns(
  shares: readonly ScoredColumns[],
  starts: readonly number[],
  rows: number,
): ScoredColumns {
  const out = emptyColumns(rows)
  for (const [i, share] of shares.entries()) {
    const from = starts[i]
    out.logProb.set(share.logProb, from)
    out.score.set(share.score, from)
    out.pValue.set(share.pValue, from)
    out.pMethod.set(share.pMethod, from)
    out.verdict.set(share.verdict, from)
    for (const [row, reasons] of share.reasons) out.reasons.set(from + row, reasons)
  }
  return out
}
