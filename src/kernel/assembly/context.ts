import { CONTEXT_NUMERIC, EMBEDDINGS, EMBEDDING_TABLE, pointer, word } from './program'

/**
 * What couplings see of one context row: floats and looked-up embedding rows, written with `stride` bytes between
 * features. Returns 0, or NaN where a float is not finite or a code names no level, which poisons the log-det:
 * a ReLU could otherwise swallow an infinity and leave a plausible density.
 */
export function loadContext(program: usize, row: usize, to: usize, stride: usize): f32 {
  let poison: f32 = 0
  for (let i = word(program + CONTEXT_NUMERIC); i > 0; i--, row += 4, to += stride) {
    const value = load<f32>(row)
    poison += value - value
    store<f32>(to, value)
  }
  let embedding = program + EMBEDDING_TABLE
  for (let e = word(program + EMBEDDINGS); e > 0; e--, row += 4, embedding += 12) {
    const width = word(embedding + 4)
    const code = load<f32>(row)
    const known = code >= 0 && code < <f32>word(embedding)
    if (!known) poison = NaN
    const level: i32 = known ? <i32>code : 0
    let from = pointer(embedding + 8) + (<usize>(level * width) << 2)
    for (let i = 0; i < width; i++, from += 4, to += stride) store<f32>(to, load<f32>(from))
  }
  return poison
}
