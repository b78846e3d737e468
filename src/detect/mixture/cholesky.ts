/**
 * The lower Cholesky factor L of a symmetric positive definite matrix A = L Lᵀ, [dim, dim] row-major; null where A is
 * not positive definite.
 */
export function cholesky(a: Float64Array, dim: number): Float64Array | null {
  const l = new Float64Array(dim * dim)
  for (let i = 0; i < dim; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * dim + j]
      for (let k = 0; k < j; k++) sum -= l[i * dim + k] * l[j * dim + k]
      if (i !== j) l[i * dim + j] = sum / l[j * dim + j]
      else if (sum > 0 && Number.isFinite(sum)) l[i * dim + i] = Math.sqrt(sum)
      else return null
    }
  }
  return l
}

/** L⁻¹ of a lower triangular matrix: it whitens what has the covariance L Lᵀ. */
export function inverseOfLower(l: Float64Array, dim: number): Float64Array {
  const m = new Float64Array(dim * dim)
  for (let i = 0; i < dim; i++) {
    m[i * dim + i] = 1 / l[i * dim + i]
    for (let j = 0; j < i; j++) {
      let sum = 0
      for (let k = j; k < i; k++) sum -= l[i * dim + k] * m[k * dim + j]
      m[i * dim + j] = sum / l[i * dim + i]
    }
  }
  return m
}
