export { mixtureScratchBytes, weakest } from './mixture'
export { score, scratchBytes } from './score'
export { evaluate, gradient, trainingScratchBytes, transform } from './training/gradient'
export { adam, finishGradient, refresh, sumGradients } from './training/update'

/** First byte that the host may allocate. */
export function heapBase(): usize {
  return __heap_base
}
