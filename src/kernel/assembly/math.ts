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
