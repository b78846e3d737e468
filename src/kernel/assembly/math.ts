/** a · b + c: fused where the relaxed variant may fuse, rounded twice otherwise. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  return RELAXED ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c)
}

/** The constants of exp, loaded where they are used: the engine would rebuild each from integers in the loop. */
const EXP = memory.data<f32>([
  88.3, -87.3, 1.4426950408889634, 12582912, -0.693359375, 2.12194440e-4, 1.9875691500e-4, 1.3981999507e-3,
  8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1,
])
// @ts-ignore: decorator
@inline
function constant(index: usize): v128 {
  return v128.load32_splat(EXP + (index << 2))
}

/**
 * exp(x) for x clamped to [−87.3, 88.3]; NaN stays NaN. Two-part ln 2 reduction and a degree-6 polynomial
 * (Cephes expf); the rounding constant 1.5 · 2^23 leaves the exponent in the low bits of the sum.
 */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const unordered = f32x4.ne(x, x)
  const v = f32x4.pmax(f32x4.pmin(x, constant(0)), constant(1))
  const shifted = fma(v, constant(2), constant(3))
  const n = f32x4.sub(shifted, constant(3))
  let r = fma(n, constant(4), v)
  r = fma(n, constant(5), r)
  let p = fma(constant(6), r, constant(7))
  p = fma(p, r, constant(8))
  p = fma(p, r, constant(9))
  p = fma(p, r, constant(10))
  p = fma(p, r, constant(11))
  p = fma(p, f32x4.mul(r, r), f32x4.add(r, constant(12)))
  return v128.or(i32x4.add(p, i32x4.shl(shifted, 23)), unordered)
}

/** Polynomial and ln 2 in two parts, for log. */
const LOG = memory.data<f32>([
  7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1, -2.12194440e-4, 0.693359375, 1, 0.5,
])
// @ts-ignore: decorator
@inline
function logConstant(index: usize): v128 {
  return v128.load32_splat(LOG + (index << 2))
}

/** ln x of normal x > 0; NaN stays NaN. The mantissa in [√½, √2) and a polynomial of degree 9 (Cephes logf). */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3))
  const e = f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23))
  const m = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3))
  const r = f32x4.sub(m, logConstant(11))
  let p = fma(logConstant(0), r, logConstant(1))
  p = fma(p, r, logConstant(2))
  p = fma(p, r, logConstant(3))
  p = fma(p, r, logConstant(4))
  p = fma(p, r, logConstant(5))
  p = fma(p, r, logConstant(6))
  p = fma(p, r, logConstant(7))
  p = fma(p, r, logConstant(8))
  const square = f32x4.mul(r, r)
  let y = f32x4.mul(f32x4.mul(p, r), square)
  y = fma(e, logConstant(9), y)
  y = f32x4.sub(y, f32x4.mul(square, logConstant(12)))
  return v128.or(fma(e, logConstant(10), f32x4.add(r, y)), f32x4.ne(x, x))
}

/** m · tanh(q / m) = m − 2m / (exp(2q / m) + 1), given 2 / m and 2 · m splatted. */
// @ts-ignore: decorator
@inline
export function softClamp(q: v128, m: v128, twoOverM: v128, twoM: v128): v128 {
  const e = exp(f32x4.mul(q, twoOverM))
  return f32x4.sub(m, f32x4.div(twoM, f32x4.add(e, constant(12))))
}

/** Smallest multiple of 4 that is ≥ n. */
// @ts-ignore: decorator
@inline
export function pad4(n: i32): i32 {
  return (n + 3) & ~3
}
