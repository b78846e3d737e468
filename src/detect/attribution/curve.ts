import { type Line, meanExp } from './line.ts'

/** A cell is asked about while its share of the mass times what the curve and its chord differ by (nats) exceeds this. */
const TOLERANCE = 0.008
/** A curve that was right to this at the point asked for, nats, is right around it. */
const ACCURATE = 0.05
/** A cell that falls by more than this, nats, holds its mass beside its upper end, and is asked about this far below it. */
const STEEP = 8
const BELOW = 1.5
/** … while its width at the height of that end would be this share of the mass: it might be a cliff. */
const CLIFF = 0.02
/** What lies further below the peak than this, nats, holds no mass. */
const NOTHING = 30
/** A cubic that leaves the range of its ends by more than this, nats, is not drawn unasked. */
const LEAVES = 0.3
/** A peak this close to an end of its cell, in widths of it, is at the end. */
const BESIDE = 0.02
/** Straight pieces stay this close to the curve, nats … */
const STRAIGHT = 0.03
/** … with so many of them a cell. */
const MOST_PARTS = 8

/**
 * v(t) = start + a t + b t² + c t³ over one cell, t = 0 … 1: the cubic through its ends with the slopes there. `peak`:
 * where inside it is greatest, or 0.
 */
interface Cell {
  readonly start: number
  readonly a: number
  readonly b: number
  readonly c: number
  readonly peak: number
}

/** Of the cubic over a cell: nobody asked, it was right, it was wrong. */
const [UNASKED, RIGHT, WRONG] = [0, 1, 2] as const
type Trust = typeof UNASKED | typeof RIGHT | typeof WRONG

/** ln of a density known at points, with a cubic between them that is exact where the density is Gaussian. */
export class Curve {
  #points: Float64Array
  #values: Float64Array
  #cells: readonly Cell[]
  /** The greatest value of the cubics. */
  #top = Number.NEGATIVE_INFINITY
  #trust: readonly Trust[]
  #predicted: readonly { readonly cell: number; readonly value: number; readonly share: number }[] = []

  /** Ascending points with their log densities, at least three. */
  constructor(points: Float64Array, values: Float64Array) {
    this.#points = points
    this.#values = values
    this.#trust = new Array<Trust>(points.length - 1).fill(UNASKED)
    this.#cells = this.#joined()
  }

  /** New points, ascending, one in each cell where mass lies by the curve and nothing confirms it; none: it is known. */
  questions(): Float64Array {
    const [points, values, cells, top] = [this.#points, this.#values, this.#cells, this.#top]
    const masses = new Float64Array(cells.length)
    let total = 0
    for (let i = 0; i < cells.length; i++) {
      masses[i] = (points[i + 1] - points[i]) * meanOf(cells[i], values[i + 1], top)
      total += masses[i]
    }
    const asked: number[] = []
    const predicted: { cell: number; value: number; share: number }[] = []
    for (let i = 0; i < cells.length; i++) {
      if (this.#trust[i] === RIGHT) continue
      const [cell, start, end] = [cells[i], values[i], values[i + 1]]
      const share = masses[i] / total
      const steep = isSteep(cell, end)
      const t = !steep ? cell.peak || 0.5 : this.#trust[i] === WRONG ? 0.5 : belowTop(cell, end)
      const value = at(cell, t)
      const most = ((points[i + 1] - points[i]) * Math.exp(Math.max(start, end) - top)) / total
      const worth = steep ? most > CLIFF : share * Math.abs(value - start - t * (end - start)) > TOLERANCE
      if (!worth) continue
      asked.push(points[i] + t * (points[i + 1] - points[i]))
      predicted.push({ cell: i, value, share: steep ? 1 : share })
    }
    this.#predicted = predicted
    return Float64Array.from(asked)
  }

  /** The log densities at the points of the last `questions`. */
  learn(asked: Float64Array, answers: Float64Array): void {
    const points = new Float64Array(this.#points.length + asked.length)
    const values = new Float64Array(points.length)
    const trust: Trust[] = []
    for (let i = 0, q = 0, to = 0; i < this.#points.length; i++) {
      points[to] = this.#points[i]
      values[to++] = this.#values[i]
      const question = this.#predicted[q]
      if (question?.cell !== i) {
        trust.push(this.#trust[i])
        continue
      }
      const error = Math.abs(answers[q] - question.value)
      const right = error <= ACCURATE || error * question.share <= TOLERANCE ? RIGHT : WRONG
      trust.push(right, right)
      points[to] = asked[q]
      values[to++] = answers[q++]
    }
    trust.length = points.length - 1
    this.#points = points
    this.#values = values
    this.#trust = trust
    this.#cells = this.#joined()
  }

  /** The curve in straight pieces; straight all along where it leaves the range of its ends. */
  line(): Line {
    const points: number[] = []
    const logDensity: number[] = []
    for (const [i, cell] of this.#cells.entries()) {
      const [from, width, end] = [this.#points[i], this.#points[i + 1] - this.#points[i], this.#values[i + 1]]
      points.push(from)
      logDensity.push(cell.start)
      if (Math.max(cell.start, end) < this.#top - NOTHING) continue
      const { count, step, first } = cuts(cell, end)
      for (let k = 0; k < count; k++) {
        const t = first + k * step
        points.push(from + t * width)
        logDensity.push(at(cell, t))
      }
    }
    const last = this.#points.length - 1
    points.push(this.#points[last])
    logDensity.push(this.#values[last])
    return { points: Float64Array.from(points), logDensity: Float64Array.from(logDensity) }
  }

  /** With slopes of the parabola through each point and its neighbours. */
  #joined(): Cell[] {
    const [points, values] = [this.#points, this.#values]
    const cells: Cell[] = []
    const last = points.length - 2
    let [width, chord] = [points[1] - points[0], (values[1] - values[0]) / (points[1] - points[0])]
    let slope = 0
    for (let i = 0; i <= last; i++) {
      const next = i < last ? points[i + 2] - points[i + 1] : width
      const nextChord = i < last ? (values[i + 2] - values[i + 1]) / next : chord
      const end = i < last ? (width * nextChord + next * chord) / (width + next) : 2 * chord - slope
      if (i === 0) slope = 2 * chord - end
      const cell = cellOf(values[i], values[i + 1] - values[i], width * slope, width * end)
      this.#top = Math.max(this.#top, values[i], values[i + 1], at(cell, cell.peak))
      cells.push(cell)
      width = next
      chord = nextChord
      slope = end
    }
    return cells
  }
}

/** The cubic that rises by `rise`, monotone (Fritsch and Carlson 1980) where its slopes go with that. */
function cellOf(start: number, rise: number, startSlope: number, endSlope: number): Cell {
  let [first, second] = [startSlope, endSlope]
  const monotone = first * rise >= 0 && second * rise >= 0
  if (monotone) {
    const most = 3 * Math.abs(rise)
    first = Math.max(-most, Math.min(most, first))
    second = Math.max(-most, Math.min(most, second))
  }
  const [b, c] = [3 * rise - 2 * first - second, first + second - 2 * rise]
  const peak = monotone ? 0 : peakOf(first, b, c)
  return { start, a: first, b, c, peak }
}

/** Where a + 2 b t + 3 c t² changes from + to − inside the cell; 0 if it does not. */
function peakOf(a: number, b: number, c: number): number {
  const root = b * b - 3 * a * c
  if (!(root > 0)) return 0
  const q = -(b + (b < 0 ? -1 : 1) * Math.sqrt(root))
  for (const t of [q / (3 * c), a / q]) if (t > BESIDE && t < 1 - BESIDE && b + 3 * c * t < 0) return t
  return 0
}

function at({ start, a, b, c }: Cell, t: number): number {
  return start + t * (a + t * (b + t * c))
}

/** Mean of exp(v − top) over a cell, roughly. */
function meanOf(cell: Cell, end: number, top: number): number {
  const { start, peak, b, c } = cell
  if (peak > 0) return Math.exp(at(cell, peak) - top) * Math.min(1, 2.5 / Math.sqrt(-2 * (b + 3 * c * peak)))
  if (Math.max(start, end) < top - NOTHING) return 0
  const middle = at(cell, 0.5)
  return (meanExp(start - top, middle - top) + meanExp(middle - top, end - top)) / 2
}

function isSteep(cell: Cell, end: number): boolean {
  return cell.peak === 0 && Math.abs(end - cell.start) > STEEP
}

/** Where a monotone cell has fallen by BELOW. */
function belowTop(cell: Cell, end: number): number {
  const down = end < cell.start
  const level = Math.max(cell.start, end) - BELOW
  let [low, high] = [0, 1]
  for (let step = 0; step < 20; step++) {
    const t = (low + high) / 2
    if (at(cell, t) > level === down) low = t
    else high = t
  }
  return Math.max(1e-3, Math.min(1 - 1e-3, low))
}

/**
 * Where to cut a cell so that straight pieces follow it: evenly, or beside its upper end if it is steep. Nowhere if it
 * leaves the range of its ends.
 */
function cuts(cell: Cell, end: number): { count: number; first: number; step: number } {
  const rise = end - cell.start
  let bend = 0
  let left = cell.peak > 0 ? at(cell, cell.peak) - Math.max(cell.start, end) : 0
  for (let t = 0.25; t < 1; t += 0.25) {
    const value = at(cell, t)
    bend = Math.max(bend, Math.abs(value - cell.start - t * rise))
    left = Math.max(left, value - Math.max(cell.start, end), Math.min(cell.start, end) - value)
  }
  const parts = left > LEAVES ? 1 : Math.max(1, Math.min(MOST_PARTS, Math.ceil(Math.sqrt(bend / STRAIGHT))))
  const count = parts - 1
  if (Math.abs(rise) <= STEEP) return { count, step: 1 / parts, first: 1 / parts }
  const step = Math.min(1 / parts, 0.5 / Math.sqrt(2 * Math.abs(rise)))
  return { count, step, first: rise < 0 ? step : 1 - count * step }
}
