import type { AdamStep, Rows, TrainingShare } from '../kernel/training-share.ts'

/** What the threads of a trainer are told to do; each does its share of it. */
export type Work =
  | { readonly kind: 'step'; readonly data: Rows; readonly adam: AdamStep }
  | { readonly kind: 'refresh' }
  | { readonly kind: 'evaluate'; readonly data: Rows; readonly constant: number; readonly out: number }
  | {
      readonly kind: 'transform'
      readonly data: Rows
      readonly first: number
      readonly last: number
      readonly out: number
    }
  | { readonly kind: 'end' }

const KINDS = ['step', 'refresh', 'evaluate', 'transform', 'end'] as const

/** Float64s that any work fits in. */
export const WORK_DOUBLES = 16

/** Work as numbers, for threads that wait in shared memory. */
export function encodeWork(work: Work, to: Float64Array): void {
  to[0] = KINDS.indexOf(work.kind)
  if ('data' in work) to.set([work.data.x, work.data.context, work.data.rows], 1)
  if (work.kind === 'step') {
    const { rate, correction, beta1, beta2, epsilon, clipNorm } = work.adam
    to.set([rate, correction, beta1, beta2, epsilon, clipNorm], 4)
  } else if (work.kind === 'evaluate') to.set([work.constant, work.out], 4)
  else if (work.kind === 'transform') to.set([work.first, work.last, work.out], 4)
}

export function decodeWork(from: Float64Array): Work {
  const [kind, x, context, rows, a, b, c, d, e, f] = from
  const data = { x, context, rows }
  switch (KINDS[kind]) {
    case 'step':
      return {
        kind: 'step',
        data,
        adam: { rate: a, correction: b, beta1: c, beta2: d, epsilon: e, clipNorm: f },
      }
    case 'refresh':
      return { kind: 'refresh' }
    case 'evaluate':
      return { kind: 'evaluate', data, constant: a, out: b }
    case 'transform':
      return { kind: 'transform', data, first: a, last: b, out: c }
    case 'end':
      return { kind: 'end' }
  }
}

/** Does a thread's share; false once the work is to end. */
export function perform(share: TrainingShare, work: Work): boolean {
  switch (work.kind) {
    case 'step':
      share.step(work.data, work.adam)
      return true
    case 'refresh':
      share.refresh()
      return true
    case 'evaluate':
      share.evaluate(work.data, work.constant, work.out)
      return true
    case 'transform':
      share.transform(work.data, work.first, work.last, work.out)
      return true
    case 'end':
      return false
  }
}
