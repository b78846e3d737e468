import type { EncodedBatch } from '../../features/encoded.ts'
import type { FeatureEncoder } from '../../features/encoder.ts'
import { type Line, type LineSummary, summariseLine } from './line.ts'
import { sketchLines } from './sketch.ts'
import { Tile } from './tile.ts'

/** [rows], nats: the exact density of encoded records, P(discrete part) included, without Jacobians. */
export type ExactDensity = (encoded: EncodedBatch) => Float64Array

/** `state` code of a number that is there and on no heap. */
export const STATE_PRESENT = 1
/** Levels of a category whose density is asked for, the most probable first … */
const MOST_LEVELS = 64
/** … and no more than hold this probability by the discrete part alone. */
const ENOUGH = 0.9995
/** Standard scores about an anchored number's expectation. */
const HINTS = [-6, -3, -1.5, -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.5, 3, 6]

/** The mass of each code of a discrete column, the other columns being what they are; nats. */
export interface Alternatives {
  readonly own: number
  readonly logMass: Float64Array
}

/** The density along one number, and where on it the record is; 0 where the number is not there. */
export interface Sketch {
  readonly line: Line
  readonly actual: number
}

/** One number column of one row, to be walked along. */
interface Walk {
  readonly row: number
  readonly column: number
  readonly actual: number
  /** The number is not there: it is walked as if it were, with this state column set and this log P(discrete). */
  readonly imagined?: { readonly column: number; readonly logDiscrete: number }
}

/**
 * What the density says of a record when one field takes other values and all else stays. All fields of several
 * records are asked for together, so that the kernel's tiles are full.
 */
export class Variations {
  readonly #encoder: FeatureEncoder
  readonly #density: ExactDensity
  /** Per number column, its `state` column; −1 if none. */
  readonly #stateOf: readonly number[]

  constructor(encoder: FeatureEncoder, density: ExactDensity) {
    const { numeric, discrete } = encoder.layout
    this.#encoder = encoder
    this.#density = density
    this.#stateOf = numeric.map(({ field }) =>
      discrete.findIndex((one) => one.role === 'state' && one.field === field),
    )
  }

  /** Per row, the line of each number column that has or could have a continuous part there. */
  lines(encoded: EncodedBatch, rows: readonly number[]): Map<string, LineSummary>[] {
    return this.sketches(encoded, rows).map(
      (found) => new Map([...found].map(([field, { line, actual }]) => [field, summariseLine(line, actual)])),
    )
  }

  /** Like lines, as the points that they are made of. */
  sketches(encoded: EncodedBatch, rows: readonly number[]): Map<string, Sketch>[] {
    const { layout } = this.#encoder
    const walks = rows.flatMap((row) => this.#walks(encoded, row))
    const actual = Float64Array.from(walks, (walk) => walk.actual)
    const sketched = sketchLines(
      actual,
      (points, lines) => {
        const tile = this.#tileOf(
          encoded,
          lines.map((line) => walks[line]),
          points,
        )
        return parted(this.#density(tile), points)
      },
      walks.map(({ row, column }) => this.#hints(encoded, row, column)),
    )
    const found = new Map(rows.map((row) => [row, new Map<string, Sketch>()]))
    for (const [j, line] of sketched.entries()) {
      const { row, column } = walks[j]
      found.get(row)!.set(layout.numeric[column].field, { line, actual: actual[j] })
    }
    return [...found.values()]
  }

  /** Per row and discrete column, the mass of every code; undefined where the column only conditions. */
  alternatives(encoded: EncodedBatch, rows: readonly number[]): (Alternatives | undefined)[][] {
    const { layout } = this.#encoder
    const asked = rows.map((row) =>
      layout.discrete.map(({ role }, column) =>
        role === 'context' ? undefined : this.#question(encoded, row, column),
      ),
    )
    const all = asked.flat().filter((question) => question !== undefined)
    const source = all.flatMap(({ row, tried }) => new Array<number>(tried.length).fill(row))
    const tile = new Tile(encoded, Int32Array.from(source), layout)
    let at = 0
    for (const { column, tried } of all) {
      const number = layout.discrete[column].role === 'state' ? this.#stateOf.indexOf(column) : -1
      for (const code of tried) {
        tile.setCode(at, column, code, 0)
        if (number >= 0 && code !== STATE_PRESENT) tile.setNumber(at, number, Number.NaN)
        at++
      }
    }
    const densities = parted(
      this.#density(tile),
      all.map(({ tried }) => tried),
    )
    const answers = new Map(
      all.map((question, i) => [
        question,
        { own: question.own, logMass: massOfCodes(question, densities[i]) },
      ]),
    )
    return asked.map((row) => row.map((question) => question && answers.get(question)))
  }

  #tileOf(encoded: EncodedBatch, walks: readonly Walk[], points: readonly Float64Array[]): Tile {
    const source = new Int32Array(points.reduce((sum, own) => sum + own.length, 0))
    for (let j = 0, at = 0; j < walks.length; at += points[j++].length)
      source.fill(walks[j].row, at, at + points[j].length)
    const tile = new Tile(encoded, source, this.#encoder.layout)
    let at = 0
    for (const [j, { column, imagined }] of walks.entries())
      for (let i = 0; i < points[j].length; i++, at++) {
        tile.setNumber(at, column, points[j][i])
        if (imagined !== undefined) tile.setCode(at, imagined.column, STATE_PRESENT, imagined.logDiscrete)
      }
    return tile
  }

  #walks(encoded: EncodedBatch, row: number): Walk[] {
    const { layout, discrete } = this.#encoder
    const width = layout.numeric.length
    return layout.numeric.flatMap(({ lowCardinality }, column): Walk[] => {
      if (lowCardinality) return []
      const actual = encoded.numeric[row * width + column]
      if (!Number.isNaN(actual)) return [{ row, column, actual }]
      const state = this.#stateOf[column]
      if (state < 0) return []
      const codes = this.#codes(encoded, row)
      const levels = discrete.logProbOfLevels(codes, state)
      const logDiscrete = encoded.logDiscrete[row] + levels[STATE_PRESENT] - levels[codes[state]]
      return [{ row, column, actual: 0, imagined: { column: state, logDiscrete } }]
    })
  }

  /** Across the width that the record's categories leave an anchored number. */
  #hints({ codes }: EncodedBatch, row: number, column: number): readonly number[] {
    const anchor = this.#encoder.anchors.find((one) => one.column === column)
    if (anchor === undefined) return []
    const [mean, logScale] = anchor.estimate(codes, row * this.#encoder.layout.discrete.length)
    return HINTS.map((z) => mean + z * Math.exp(logScale))
  }

  #question(encoded: EncodedBatch, row: number, column: number): Question {
    const { role, pooledFrom, levels } = this.#encoder.layout.discrete[column]
    const codes = this.#codes(encoded, row)
    const own = codes[column]
    const logPrior = this.#encoder.discrete.logProbOfLevels(codes, column)
    const shift = encoded.logDiscrete[row] - logPrior[own]
    for (let code = 0; code < levels; code++) logPrior[code] += shift
    if (role === 'state') {
      if (own !== 0) logPrior[0] = Number.NEGATIVE_INFINITY
      const tried = Array.from(logPrior.keys()).filter((code) => code > 0 || own === 0)
      return { row, column, own, logPrior, tried, classOf: (code) => code }
    }
    const anchoring = this.#encoder.state.anchors.some(({ groupings }) =>
      groupings.some(({ by }) => by.includes(column)),
    )
    const classOf = (code: number) =>
      !anchoring && pooledFrom < levels && (code === 0 || code > pooledFrom) ? pooledFrom : code
    return { row, column, own, logPrior, tried: probable(logPrior, own, classOf), classOf }
  }

  #codes(encoded: EncodedBatch, row: number): Int32Array {
    const width = this.#encoder.layout.discrete.length
    return encoded.codes.subarray(row * width, (row + 1) * width)
  }
}

interface Question {
  readonly row: number
  readonly column: number
  readonly own: number
  /** log P of the discrete part with the column at each code. */
  readonly logPrior: Float64Array
  /** The codes that are evaluated, one of each class. */
  readonly tried: readonly number[]
  /** Codes that neither flow nor anchors can tell apart share a class, named by one of them. */
  readonly classOf: (code: number) => number
}

/** The classes of the most probable codes, and of the own one. */
function probable(logPrior: Float64Array, own: number, classOf: (code: number) => number): number[] {
  const order = Array.from(logPrior.keys()).sort((a, b) => logPrior[b] - logPrior[a])
  const peak = logPrior[order[0]]
  const total = logPrior.reduce((sum, p) => sum + Math.exp(p - peak), 0)
  const tried = new Set([classOf(own)])
  let held = 0
  for (const code of order) {
    if (tried.size >= MOST_LEVELS || held > ENOUGH * total) break
    tried.add(classOf(code))
    held += Math.exp(logPrior[code] - peak)
  }
  return [...tried]
}

/** log P(code) + log p(numbers | code); a code that was not tried counts with the mean density of those that were. */
function massOfCodes({ logPrior, tried, classOf }: Question, density: Float64Array): Float64Array {
  const known = new Map(tried.map((code, i) => [code, density[i]]))
  let mean = Number.NaN
  return logPrior.map((prior, code) => {
    const own = known.get(classOf(code))
    if (own !== undefined) return prior + own
    if (Number.isNaN(mean)) mean = meanDensity(logPrior, tried, density)
    return prior + mean
  })
}

function meanDensity(logPrior: Float64Array, tried: readonly number[], density: Float64Array): number {
  const priors = Float64Array.from(tried, (code) => logPrior[code])
  return logSum(priors.map((prior, i) => prior + density[i])) - logSum(priors)
}

/** One view on `values` for each of the lists that they answer, in order. */
function parted(values: Float64Array, lists: readonly { readonly length: number }[]): Float64Array[] {
  let from = 0
  return lists.map(({ length }) => {
    from += length
    return values.subarray(from - length, from)
  })
}

export function logSum(values: Float64Array): number {
  let peak = Number.NEGATIVE_INFINITY
  for (const value of values) if (value > peak) peak = value
  let sum = 0
  for (const value of values) sum += Math.exp(value - peak)
  return peak + Math.log(sum)
}
