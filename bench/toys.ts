import { type Random, random } from '../src/core/random.ts'

/** A density on the plane, known exactly. */
export interface Toy {
  readonly name: string
  sample(rows: number, random: Random): Float32Array
  /** p(x, y). */
  density(x: number, y: number): number
  /** The density vanishes, to 1e-12, outside [−extent, extent]². */
  readonly extent: number
}

/** Eight round Gaussians, σ = 0.3, on a circle of radius 3. */
export const eightGaussians: Toy = {
  name: 'eight Gaussians',
  extent: 6,
  sample: (rows, draw) =>
    points(rows, () => {
      const angle = (Math.PI / 4) * draw.integer(8)
      return [3 * Math.cos(angle) + 0.3 * draw.normal(), 3 * Math.sin(angle) + 0.3 * draw.normal()]
    }),
  density(x, y) {
    let sum = 0
    for (let k = 0; k < 8; k++) {
      const angle = (Math.PI / 4) * k
      sum += Math.exp(-((x - 3 * Math.cos(angle)) ** 2 + (y - 3 * Math.sin(angle)) ** 2) / (2 * 0.09))
    }
    return sum / (8 * 2 * Math.PI * 0.09)
  },
}

const MOON = { radius: 2, sigma: 0.2 } as const

/** Two interleaved half circles of radius 2, blurred with σ = 0.2. */
export const twoMoons: Toy = {
  name: 'two moons',
  extent: 6,
  sample: (rows, draw) =>
    points(rows, () => {
      const [x, y] = onMoon(draw.uniform() < 0.5, Math.PI * draw.uniform())
      return [x + MOON.sigma * draw.normal(), y + MOON.sigma * draw.normal()]
    }),
  density(x, y) {
    const steps = 256
    let sum = 0
    for (const upper of [true, false])
      for (let k = 0; k < steps; k++) {
        const [u, v] = onMoon(upper, (Math.PI * (k + 0.5)) / steps)
        sum += Math.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * MOON.sigma ** 2))
      }
    return sum / (2 * steps * 2 * Math.PI * MOON.sigma ** 2)
  },
}

function onMoon(upper: boolean, angle: number): readonly [number, number] {
  const [x, y] = [MOON.radius * Math.cos(angle), MOON.radius * Math.sin(angle)]
  return upper ? [x - 1, y - 0.5] : [1 - x, 0.5 - y]
}

/** Every second square of a 4 × 4 board on [−4, 4]², uniform. */
export const checkerboard: Toy = {
  name: 'checkerboard',
  extent: 4,
  sample: (rows, draw) =>
    points(rows, () => {
      const column = draw.integer(4)
      const row = 2 * draw.integer(2) + (column % 2)
      return [2 * (column + draw.uniform()) - 4, 2 * (row + draw.uniform()) - 4]
    }),
  density(x, y) {
    const [column, row] = [Math.floor((x + 4) / 2), Math.floor((y + 4) / 2)]
    const inside = column >= 0 && column < 4 && row >= 0 && row < 4
    return inside && (column + row) % 2 === 0 ? 1 / 32 : 0
  },
}

const RADII = [1, 2, 3, 4] as const
const RING_SIGMA = 0.15

/** Four rings of radius 1, 2, 3 and 4, equally likely; the distance from the centre has σ = 0.15. */
export const rings: Toy = {
  name: 'rings',
  extent: 6,
  sample: (rows, draw) =>
    points(rows, () => {
      const radius = RADII[draw.integer(4)] + RING_SIGMA * draw.normal()
      const angle = 2 * Math.PI * draw.uniform()
      return [radius * Math.cos(angle), radius * Math.sin(angle)]
    }),
  density(x, y) {
    const r = Math.hypot(x, y)
    let sum = 0
    for (const radius of RADII)
      for (const signed of [r, -r]) sum += Math.exp(-((signed - radius) ** 2) / (2 * RING_SIGMA ** 2))
    const radial = sum / (4 * Math.sqrt(2 * Math.PI) * RING_SIGMA)
    return r === 0 ? 0 : radial / (2 * Math.PI * r)
  },
}

export const TOYS: readonly Toy[] = [eightGaussians, twoMoons, checkerboard, rings]

/** −∫ p log p over the plane, nats, by the midpoint rule; throws where ∫ p is not 1, which says the two disagree. */
export function entropyOf({ name, density, extent }: Toy, points = 1000): number {
  const step = (2 * extent) / points
  let mass = 0
  let sum = 0
  for (let i = 0; i < points; i++)
    for (let j = 0; j < points; j++) {
      const p = density((i + 0.5) * step - extent, (j + 0.5) * step - extent)
      mass += p
      if (p > 0) sum -= p * Math.log(p)
    }
  if (Math.abs(mass * step * step - 1) > 1e-3)
    throw new Error(`the density of ${name} integrates to ${mass * step * step}`)
  return sum * step * step
}

/** −mean log p of a fresh sample under the true density: the entropy again, by Monte Carlo, with its error. */
export function sampledEntropy(toy: Toy, rows: number, seed: number): { mean: number; error: number } {
  const data = toy.sample(rows, random(seed))
  const values = Array.from({ length: rows }, (_, r) => -Math.log(toy.density(data[2 * r], data[2 * r + 1])))
  const mean = values.reduce((a, b) => a + b, 0) / rows
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / rows
  return { mean, error: Math.sqrt(variance / rows) }
}

function points(rows: number, draw: () => readonly [number, number]): Float32Array {
  const data = new Float32Array(2 * rows)
  for (let r = 0; r < rows; r++) data.set(draw(), 2 * r)
  return data
}
