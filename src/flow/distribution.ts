import type { Random } from '../core/random.ts'
import { type Tensor1D, type Tensor2D, tf } from './engine.ts'

/** A density over latents [rows, dim]. */
export interface Distribution {
  /** [rows], nats. */
  logProb(z: Tensor2D): Tensor1D
  /** [rows, dim], drawn on the host, so that a seed means the same on every backend. */
  sample(rows: number, random: Random): Tensor2D
}

/** log p(z) = −½ Σ_d z_d² − ½ dim · log 2π. */
export class StandardNormal implements Distribution {
  readonly #dim: number

  constructor(dim: number) {
    this.#dim = dim
  }

  logProb(z: Tensor2D): Tensor1D {
    const constant = 0.5 * this.#dim * Math.log(2 * Math.PI)
    return tf.sub(tf.mul(tf.sum(tf.mul(z, z), 1), -0.5), constant) as Tensor1D
  }

  sample(rows: number, random: Random): Tensor2D {
    const values = Float32Array.from({ length: rows * this.#dim }, () => random.normal())
    return tf.tensor2d(values, [rows, this.#dim])
  }
}
