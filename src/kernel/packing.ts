/** Smallest multiple of 4 that is ≥ n. */
export function pad4(n: number): number {
  return (n + 3) & ~3
}

/** Floats that a packed [outputs, inputs] matrix takes. */
export function packedSize(outputs: number, inputs: number): number {
  return pad4(outputs) * inputs
}

/** Index of weight [output, input] in the kernel's layout [outputs / 4][inputs][4], outputs padded to fours. */
export function packedIndex(output: number, input: number, inputs: number): number {
  return ((output >> 2) * inputs + input) * 4 + (output & 3)
}

/** A row-major [outputs, inputs] matrix in the kernel's layout, with room for `padded` inputs. */
export function packMatrix(
  matrix: ArrayLike<number>,
  outputs: number,
  inputs: number,
  padded: number = inputs,
): Float32Array {
  const packed = new Float32Array(packedSize(outputs, padded))
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++) packed[packedIndex(o, i, padded)] = matrix[o * inputs + i]
  return packed
}

/** Outputs that the kernel's path for single records takes side by side, widest first. */
const STRIPES = [24, 16, 4] as const

/** The matrix in stripes of outputs, each [inputs][width], for a single pass over it. */
export function packStripes(matrix: ArrayLike<number>, outputs: number, inputs: number): Float32Array {
  const packed = new Float32Array(packedSize(outputs, inputs))
  for (let first = 0; first < outputs; ) {
    const width = STRIPES.find((stripe) => stripe <= pad4(outputs) - first)!
    for (let o = first; o < Math.min(outputs, first + width); o++)
      for (let i = 0; i < inputs; i++) packed[first * inputs + i * width + o - first] = matrix[o * inputs + i]
    first += width
  }
  return packed
}
