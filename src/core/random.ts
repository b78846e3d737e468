/** A seeded generator (splitmix64-seeded xoshiro128**, Blackman and Vigna 2018): same seed, same stream, anywhere. */
export interface Random {
  /** Uniform in [0, 1) with 32 bits. */
  uniform(): number
  /** Standard normal (Box–Muller, both halves used). */
  normal(): number
  /** Uniform integer in [0, n). */
  integer(n: number): number
  /** In-place Fisher–Yates. */
  shuffle<T extends { length: number; [i: number]: number }>(values: T): T
  /** Everything needed to go on from here: JSON-safe. */
  state(): readonly number[]
}

export function random(seed: number | readonly number[]): Random {
  const s = new Uint32Array(4)
  let spare = Number.NaN
  if (typeof seed === 'number') {
    let z = BigInt(Math.trunc(seed)) & 0xffffffffffffffffn
    for (let i = 0; i < 4; i += 2) {
      z = (z + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn
      let v = z
      v = ((v ^ (v >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn
      v = ((v ^ (v >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn
      v ^= v >> 31n
      s[i] = Number(v & 0xffffffffn)
      s[i + 1] = Number(v >> 32n)
    }
  } else {
    s.set(seed.slice(0, 4))
    spare = seed[5] === 1 ? seed[4] : Number.NaN
  }
  const next = (): number => {
    const r = Math.imul(s[1], 5)
    const result = Math.imul((r << 7) | (r >>> 25), 9) >>> 0
    const t = s[1] << 9
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = (s[3] << 11) | (s[3] >>> 21)
    return result
  }
  const uniform = () => next() / 4294967296
  const integer = (n: number) => Math.floor(uniform() * n)
  return {
    uniform,
    integer,
    normal() {
      if (!Number.isNaN(spare)) {
        const value = spare
        spare = Number.NaN
        return value
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
      const angle = 2 * Math.PI * uniform()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
    shuffle(values) {
      for (let i = values.length - 1; i > 0; i--) {
        const j = integer(i + 1)
        const kept = values[i]
        values[i] = values[j]
        values[j] = kept
      }
      return values
    },
    state: () => [...s, Number.isNaN(spare) ? 0 : spare, Number.isNaN(spare) ? 0 : 1],
  }
}
