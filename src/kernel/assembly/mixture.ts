import { loadBlock } from './block'
import { productBlock } from './dense'
import { exp, fma, log, pad4 } from './math'
import { pointer, word } from './program'

/** Word offsets of a compiled mixture (src/kernel/mixture-scorer.ts writes it). */
const DIM: usize = 0
const COMPONENTS: usize = 4
/** [components][dim]. */
const MEANS: usize = 8
/** Per component the triangle W, packed by fours of outputs, each with the inputs up to its diagonal. */
const WHITENINGS: usize = 12
/** Per component Wᵀ, each four of outputs with the inputs from its diagonal on. */
const PULLS: usize = 16
/** [components]: log density at the mean. */
const CONSTANTS: usize = 20
/** [components][dim]: ½ / P_jj, and what leaving out x_j adds to the constant. */
const RECIPROCALS: usize = 24
const RELIEFS: usize = 28
/** [dim]. */
const MEDIANS: usize = 32

/** A value further from a mean is as far as this: squares of it stay finite. */
const FARTHEST: f32 = 1e9
/** A density can be too small for a float; it stays comparable and finite. */
const LEAST: f32 = -1e30

/** Bytes of scratch that `weakest` needs for this program. */
export function mixtureScratchBytes(program: usize): usize {
  const dim = <usize>pad4(word(program + DIM))
  const components = <usize>word(program + COMPONENTS)
  return (dim * (components + 4) + components + 1) << 5
}

/**
 * min_j (log p(x_j | x_−j) − median_j) of `rows` records x [rows][dim], out [rows] float32. `fill` [rows][dim] bytes
 * or 0: values marked 1 are not judged; 0 comes out where none is.
 *
 * With d = x − μ_k, w = W_k d and u = W_kᵀ w, leaving out x_j adds g_kj = ½ u_j² / P_jj + relief_kj to the log density
 * a_k of the component, and log p(x_j | x_−j) = log Σ exp a_k − log Σ exp(a_k + g_kj): a_k enters by its distance from
 * the greatest alone, so that far from every mean nothing large cancels.
 */
export function weakest(program: usize, x: usize, fill: usize, rows: i32, out: usize, scratch: usize): void {
  const dim = word(program + DIM)
  const least = scratch
  for (let first = 0; first < rows; first += 8) {
    const present = min(rows - first, 8)
    const at = <usize>(first * dim)
    loadBlock(x + (at << 2), dim, present, scratch + 32)
    weakestOfBlock(program, dim, fill ? fill + at : 0, present, least)
    memory.copy(out + (<usize>first << 2), least, <usize>present << 2)
  }
}

/** `to` takes the 8 results; behind it lie the records, [dim][8]. */
function weakestOfBlock(program: usize, dim: i32, fill: usize, present: i32, to: usize): void {
  const components = word(program + COMPONENTS)
  const bytes = <usize>pad4(dim) << 5
  const records = to + 32
  const centred = records + bytes
  const white = centred + bytes
  const hidden = white + bytes
  const densities = hidden + bytes
  const gains = densities + (<usize>components << 5)
  const used = <usize>dim << 5

  let mean = pointer(program + MEANS)
  let whitening = pointer(program + WHITENINGS)
  let pull = pointer(program + PULLS)
  let constant = pointer(program + CONSTANTS)
  let reciprocal = pointer(program + RECIPROCALS)
  let relief = pointer(program + RELIEFS)
  let gain = gains
  for (let c: usize = 0; c < <usize>components; c++, constant += 4) {
    centre(records, mean, centred, used)
    mean += <usize>dim << 2
    for (let o = 0; o < dim; o += 4) {
      const inputs = min(o + 4, dim)
      productBlock(whitening, centred, white + (<usize>o << 5), inputs, 4)
      whitening += <usize>inputs << 4
    }
    density(white, used, load<f32>(constant), densities + (c << 5))
    for (let o = 0; o < dim; o += 4) {
      const skipped = <usize>o << 5
      productBlock(pull, white + skipped, centred + skipped, dim - o, 4)
      pull += <usize>(dim - o) << 4
    }
    for (let p = centred; p < centred + used; p += 32, gain += 32, reciprocal += 4, relief += 4) {
      const r = v128.load32_splat(reciprocal)
      const more = v128.load32_splat(relief)
      const u = v128.load(p)
      const v = v128.load(p, 16)
      v128.store(gain, fma(f32x4.mul(u, u), r, more))
      v128.store(gain, fma(f32x4.mul(v, v), r, more), 16)
    }
  }
  if (fill) hide(fill, dim, present, hidden)
  for (let half: usize = 0; half < 32; half += 16)
    v128.store(to + half, judge(densities, gains, components, dim, pointer(program + MEDIANS), fill ? hidden : 0, half))
}

function centre(records: usize, mean: usize, to: usize, used: usize): void {
  const far = f32x4.splat(FARTHEST)
  const near = f32x4.splat(-FARTHEST)
  const end = to + used
  for (; to < end; to += 32, records += 32, mean += 4) {
    const m = v128.load32_splat(mean)
    v128.store(to, f32x4.max(near, f32x4.min(far, f32x4.sub(v128.load(records), m))))
    v128.store(to, f32x4.max(near, f32x4.min(far, f32x4.sub(v128.load(records, 16), m))), 16)
  }
}

/** constant − ½ |w|², not below LEAST. */
function density(white: usize, used: usize, constant: f32, to: usize): void {
  let a = f32x4.splat(0)
  let b = a
  for (let p = white; p < white + used; p += 32) {
    const v = v128.load(p)
    const w = v128.load(p, 16)
    a = fma(v, v, a)
    b = fma(w, w, b)
  }
  const half = f32x4.splat(-0.5)
  const top = f32x4.splat(constant)
  const low = f32x4.splat(LEAST)
  v128.store(to, f32x4.max(low, fma(a, half, top)))
  v128.store(to, f32x4.max(low, fma(b, half, top)), 16)
}

/** Bytes [rows][dim] to [dim][8] floats: infinite where marked, 0 elsewhere. */
function hide(fill: usize, dim: i32, rows: i32, to: usize): void {
  for (let r = 0; r < 8; r++) {
    let from = fill + <usize>(min(r, rows - 1) * dim)
    let p = to + (<usize>r << 2)
    for (let d = 0; d < dim; d++, from++, p += 32) store<f32>(p, load<u8>(from) ? f32.MAX_VALUE * 2 : 0)
  }
}

/** Of the four records at `half`. Overwrites the densities by their distances from the greatest. */
function judge(
  densities: usize,
  gains: usize,
  components: i32,
  dim: i32,
  median: usize,
  hidden: usize,
  half: usize,
): v128 {
  const stride = <usize>dim << 5
  const firstDensity = densities + half
  const lastDensity = firstDensity + (<usize>components << 5)
  let peak = v128.load(firstDensity)
  for (let p = firstDensity + 32; p < lastDensity; p += 32) peak = f32x4.max(peak, v128.load(p))
  let sum = f32x4.splat(0)
  for (let p = firstDensity; p < lastDensity; p += 32) {
    const below = f32x4.sub(v128.load(p), peak)
    v128.store(p, below)
    sum = f32x4.add(sum, exp(below))
  }
  const joint = log(sum)
  const none = f32x4.splat(f32.MAX_VALUE * 2)
  let least = none
  let column = gains + half
  for (let d = 0; d < dim; d++, column += 32, median += 4) {
    let value: v128
    if (components == 1) value = f32x4.neg(v128.load(column))
    else {
      let gain = column
      let top = f32x4.add(v128.load(gain), v128.load(firstDensity))
      for (let p = firstDensity + 32; p < lastDensity; p += 32) {
        gain += stride
        top = f32x4.max(top, f32x4.add(v128.load(gain), v128.load(p)))
      }
      let others = f32x4.splat(0)
      gain = column
      for (let p = firstDensity; p < lastDensity; p += 32, gain += stride)
        others = f32x4.add(others, exp(f32x4.sub(f32x4.add(v128.load(gain), v128.load(p)), top)))
      value = f32x4.sub(joint, f32x4.add(top, log(others)))
    }
    value = f32x4.sub(f32x4.max(value, f32x4.splat(LEAST)), v128.load32_splat(median))
    if (hidden) value = f32x4.add(value, v128.load(hidden + half + (<usize>d << 5)))
    least = f32x4.min(least, value)
  }
  return v128.andnot(least, f32x4.eq(least, none))
}
