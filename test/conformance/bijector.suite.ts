import { beforeAll, describe, expect, it } from 'vitest'
import { isSurprisalError } from '../../src/core/errors.ts'
import type { BijectorSpec, WeightTensor } from '../../src/core/flow-spec.ts'
import { random } from '../../src/core/random.ts'
import type { Bijector, Mapped, Placement } from '../../src/flow/bijector.ts'
import { type Tensor2D, tf, useCpu } from '../../src/flow/engine.ts'
import { close, closeToSlopes, numericLogDets, oneSidedSlopes } from './numeric-slopes.ts'
import { randomisedPlacement } from './randomised.ts'

export interface BijectorSubject {
  readonly spec: BijectorSpec
  readonly dim: number
  readonly contextWidth: number
  /** Bound that the map promises for |log-det|; absent where there is none. */
  readonly logDetBound?: number
  create(spec: BijectorSpec, placement: Placement): Bijector
}

type Check = (subject: BijectorSubject) => Promise<void>

const ROWS = 5
const DIRECTIONS = ['inverseAndLogDet', 'forwardAndLogDet'] as const

/** What every bijector promises, on randomised parameters: at the start of training, faults hide behind zeros. */
export const BIJECTOR_CHECKS: Readonly<Record<string, Check>> = {
  'round trips both ways, with opposite log-dets': onEachSeed(async (bijector, { x, context }) => {
    for (const [there, back] of [DIRECTIONS, [...DIRECTIONS].reverse()] as const) {
      const mapped = bijector[there](x, context)
      const returned = bijector[back](mapped.value, context)
      close(await returned.value.data(), await x.data(), 1e-4)
      close(await returned.logDet.data(), await tf.neg(mapped.logDet).data(), 1e-4)
    }
  }),

  'log-dets equal those of a numeric Jacobian': onEachSeed(async (bijector, { x, context }) => {
    for (const direction of DIRECTIONS) {
      const { logDet } = bijector[direction](x, context)
      close(await logDet.data(), await numericLogDets(bijector, direction, x, context), 5e-3)
    }
  }),

  'gradients in input and every parameter equal finite differences': onEachSeed(
    async (bijector, { x, context, seed }) => {
      const draw = random(seed + 1)
      const pull = tf.tensor2d(
        Float32Array.from({ length: x.size }, () => draw.normal()),
        x.shape,
      )
      const push = tf.tensor1d(Float32Array.from({ length: ROWS }, () => draw.normal()))
      for (const direction of DIRECTIONS) {
        const input = tf.variable(x)
        const loss = (): tf.Scalar => {
          const { value, logDet } = bijector[direction](input as unknown as Tensor2D, context)
          return tf.add(tf.sum(tf.mul(value, pull)), tf.sum(tf.mul(logDet, push))) as tf.Scalar
        }
        const checked = [...bijector.variables.map((v) => v.variable), input]
        const { grads } = tf.variableGrads(loss, checked)
        for (const variable of checked) {
          const exact = await (grads[variable.name] ?? tf.zerosLike(variable)).data()
          closeToSlopes(exact, await oneSidedSlopes(variable, loss), 2e-2)
        }
        input.dispose()
      }
    },
  ),

  'a row alone equals the same row in a batch': onEachSeed(async (bijector, { x, context }) => {
    const row = (t: Tensor2D, r: number) => tf.slice(t, [r, 0], [1, t.shape[1]])
    for (const direction of DIRECTIONS) {
      const whole = bijector[direction](x, context)
      for (let r = 0; r < ROWS; r++) {
        const alone = bijector[direction](row(x, r), context && row(context, r))
        close(await alone.value.data(), await row(whole.value, r).data(), 1e-6)
        close(await alone.logDet.data(), (await whole.logDet.data()).subarray(r, r + 1), 1e-6)
      }
    }
  }),

  'outliers of ±1e6 stay finite, log-dets within their bound': onEachSeed(
    async (bijector, { x, context }, subject) => {
      for (const outlier of [1e6, -1e6]) {
        const far = tf.mul(tf.sign(x), outlier) as Tensor2D
        for (const direction of DIRECTIONS) {
          const { value, logDet } = bijector[direction](far, context)
          const logDets = await logDet.data()
          expect([...(await value.data()), ...logDets].every(Number.isFinite)).toBe(true)
          const bound = subject.logDetBound ?? Number.POSITIVE_INFINITY
          for (const value of logDets) expect(Math.abs(value)).toBeLessThanOrEqual(bound * (1 + 1e-6))
        }
      }
    },
  ),

  'spec and weights as bytes rebuild the same map': async (subject) => {
    const { placement, x, context } = sampleOf(subject, 3)
    const copy: Placement = {
      ...placement,
      weight(name) {
        const { shape, data } = placement.weight(name)
        return { shape, data: new Float32Array(structuredClone(data.buffer)) } satisfies WeightTensor
      },
    }
    using first = subject.create(subject.spec, placement)
    using second = subject.create(JSON.parse(JSON.stringify(subject.spec)), copy)
    for (const direction of DIRECTIONS)
      expect(await flat(second[direction](x, context))).toEqual(await flat(first[direction](x, context)))
  },

  'a data-dependent start gives unit moments and refuses a single row': async (subject) => {
    const { placement } = sampleOf(subject, 4)
    using bijector = subject.create(subject.spec, placement)
    if (bijector.initialize === undefined) return
    const draw = random(9)
    const sample = tf.tensor2d(
      Float32Array.from(
        { length: 64 * subject.dim },
        (_, i) => (i % subject.dim) * 3 - 2 + 5 * draw.normal(),
      ),
      [64, subject.dim],
    )
    bijector.initialize(sample)
    const { mean, variance } = tf.moments(bijector.inverseAndLogDet(sample).value, 0)
    for (const value of await mean.data()) expect(value).toBeCloseTo(0, 4)
    for (const value of await variance.data()) expect(value).toBeCloseTo(1, 4)
    const one = tf.slice(sample, [0, 0], [1, subject.dim])
    expect(
      isSurprisalError(
        thrownBy(() => bijector.initialize?.(one)),
        'DATA_INSUFFICIENT',
      ),
    ).toBe(true)
  },
}

export function bijectorSuite(name: string, subject: BijectorSubject): void {
  describe(`bijector ${name}`, () => {
    beforeAll(useCpu)
    for (const [promise, check] of Object.entries(BIJECTOR_CHECKS)) it(promise, () => check(subject))
  })
}

interface Sample {
  readonly seed: number
  readonly placement: Placement
  readonly x: Tensor2D
  readonly context: Tensor2D | undefined
}

function onEachSeed(
  check: (bijector: Bijector, sample: Sample, subject: BijectorSubject) => Promise<void>,
): Check {
  return async (subject) => {
    for (const seed of [1, 2]) {
      const sample = sampleOf(subject, seed)
      using bijector = subject.create(subject.spec, sample.placement)
      await check(bijector, sample, subject)
    }
  }
}

function sampleOf({ spec, dim, contextWidth }: BijectorSubject, seed: number): Sample {
  const draw = random(seed + 100)
  const normal = (columns: number) =>
    tf.tensor2d(
      Float32Array.from({ length: ROWS * columns }, () => draw.normal()),
      [ROWS, columns],
    )
  return {
    seed,
    placement: randomisedPlacement(spec, dim, contextWidth, seed),
    x: normal(dim),
    context: contextWidth > 0 ? normal(contextWidth) : undefined,
  }
}

async function flat({ value, logDet }: Mapped): Promise<readonly number[]> {
  return [...(await value.data()), ...(await logDet.data())]
}

function thrownBy(action: () => void): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}
