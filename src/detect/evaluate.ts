import { SurprisalError } from '../core/errors.ts'

export interface Evaluation {
  readonly records: number
  readonly anomalies: number
  /** Area under the ROC curve: P(score of an anomaly > score of a normal record), ties count half. */
  readonly auroc: number
  /** Average precision: Σ (recall_k − recall_(k−1)) · precision_k over the distinct scores, descending. */
  readonly auprc: number
  readonly nominal_rate: number
  /** Share of normal records (label 0) with p ≤ nominal rate. */
  readonly realised_rate: number
  /** Share of anomalies with p ≤ nominal rate. */
  readonly recall: number
  /** Share of anomalies among the flagged; 0 where nothing is flagged. */
  readonly precision: number
}

/**
 * How well `score` (higher is more anomalous) ranks what `label` (1 anomaly, 0 normal) says, and how often
 * `pValue` ≤ `rate` flags either. Rows whose score is NaN are not counted. DATA_INSUFFICIENT unless both labels occur.
 */
export function evaluate(
  score: ArrayLike<number>,
  pValue: ArrayLike<number>,
  label: ArrayLike<number>,
  rate: number,
): Evaluation {
  const order: number[] = []
  for (let i = 0; i < score.length; i++) if (!Number.isNaN(score[i])) order.push(i)
  const anomalies = order.reduce((sum, i) => sum + (label[i] === 1 ? 1 : 0), 0)
  const normals = order.length - anomalies
  if (anomalies === 0 || normals === 0) {
    throw new SurprisalError(
      'DATA_INSUFFICIENT',
      `${normals} normal and ${anomalies} anomalous scored records: an evaluation needs both labels, 0 and 1`,
    )
  }
  order.sort((a, b) => score[b] - score[a])
  let hits = 0
  let falses = 0
  let concordant = 0
  let auprc = 0
  for (let at = 0; at < order.length; ) {
    let end = at
    let tiedHits = 0
    while (end < order.length && score[order[end]] === score[order[at]])
      tiedHits += label[order[end++]] === 1 ? 1 : 0
    const tiedFalses = end - at - tiedHits
    concordant += tiedHits * (normals - falses - tiedFalses) + (tiedHits * tiedFalses) / 2
    hits += tiedHits
    falses += tiedFalses
    auprc += (tiedHits / anomalies) * (hits / (hits + falses))
    at = end
  }
  const flagged = order.filter((i) => pValue[i] <= rate)
  const flaggedHits = flagged.filter((i) => label[i] === 1).length
  return {
    records: order.length,
    anomalies,
    auroc: concordant / (anomalies * normals),
    auprc,
    nominal_rate: rate,
    realised_rate: (flagged.length - flaggedHits) / normals,
    recall: flaggedHits / anomalies,
    precision: flagged.length === 0 ? 0 : flaggedHits / flagged.length,
  }
}
