import { beforeAll, describe, expect, it } from 'vitest'
import type { Bijector } from '../../src/flow/bijector.ts'
import { createBijector } from '../../src/flow/bijectors/table.ts'
import { type Tensor1D, type Tensor2D, tf, useCpu } from '../../src/flow/engine.ts'
import { BIJECTOR_CHECKS, type BijectorSubject } from './bijector.suite.ts'

type Faulty = Pick<Bijector, 'inverseAndLogDet' | 'forwardAndLogDet'>

/** Each fault is one that a bijector could really have; the checks named must be the ones that notice. */
const FAULTS: readonly (readonly [fault: string, plant: (sound: Bijector) => Faulty, noticedBy: RegExp])[] = [
  [
    'log-det doubled both ways',
    (sound) => ({
      inverseAndLogDet: (x, c) => withLogDet(sound.inverseAndLogDet(x, c), (l) => tf.mul(l, 2)),
      forwardAndLogDet: (z, c) => withLogDet(sound.forwardAndLogDet(z, c), (l) => tf.mul(l, 2)),
    }),
    /numeric Jacobian/,
  ],
  [
    'inverse replaced by forward',
    (sound) => ({
      inverseAndLogDet: (x, c) => sound.forwardAndLogDet(x, c),
      forwardAndLogDet: (z, c) => sound.forwardAndLogDet(z, c),
    }),
    /round trips/,
  ],
  [
    'rows coupled within a batch',
    (sound) => ({
      inverseAndLogDet: (x, c) => sound.inverseAndLogDet(tf.sub(x, tf.mean(x, 0)) as Tensor2D, c),
      forwardAndLogDet: (z, c) => sound.forwardAndLogDet(z, c),
    }),
    /a row alone/,
  ],
  [
    'log-det missing from the gradient',
    (sound) => ({
      inverseAndLogDet: (x, c) => withLogDet(sound.inverseAndLogDet(x, c), detached),
      forwardAndLogDet: (z, c) => sound.forwardAndLogDet(z, c),
    }),
    /finite differences/,
  ],
]

describe('the bijector suite', () => {
  beforeAll(useCpu)

  for (const [fault, plant, noticedBy] of FAULTS) {
    it(`notices: ${fault}`, async () => {
      const subject: BijectorSubject = {
        spec: { kind: 'affine-coupling', split: 2, hidden: [6], maxLogScale: 2 },
        dim: 4,
        contextWidth: 2,
        create(spec, placement) {
          const sound = createBijector(spec, placement)
          const { variables, dim } = sound
          return { spec, dim, variables, ...plant(sound), [Symbol.dispose]: () => sound[Symbol.dispose]() }
        },
      }
      const failed: string[] = []
      for (const [promise, check] of Object.entries(BIJECTOR_CHECKS))
        await check(subject).catch(() => failed.push(promise))
      expect(failed.join('; ')).toMatch(noticedBy)
    })
  }
})

function withLogDet(
  mapped: ReturnType<Bijector['inverseAndLogDet']>,
  change: (logDet: Tensor1D) => tf.Tensor,
): ReturnType<Bijector['inverseAndLogDet']> {
  return { value: mapped.value, logDet: change(mapped.logDet) as Tensor1D }
}

function detached(logDet: Tensor1D): tf.Tensor {
  return tf.customGrad((input) => ({
    value: tf.clone(input as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }))(logDet)
}
