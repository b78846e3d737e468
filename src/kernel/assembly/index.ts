export { score, scratchBytes } from './score'

/** First byte that the host may allocate. */
export function heapBase(): usize {
  return __heap_base
}
