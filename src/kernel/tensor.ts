import { SurprisalError } from '../core/errors.ts'
import type { FlowWeights } from '../core/flow-spec.ts'

/** The numbers of a named tensor whose shape the spec dictates. Throws FLOW_SPEC_INVALID. */
export function tensor(weights: FlowWeights, name: string, ...shape: number[]): Float32Array {
  const found = weights.get(name)
  if (!found) throw new SurprisalError('FLOW_SPEC_INVALID', `the weights lack ${name} of shape [${shape}]`)
  const size = shape.reduce((product, n) => product * n, 1)
  if (`${found.shape}` !== `${shape}` || found.data.length !== size)
    throw new SurprisalError(
      'FLOW_SPEC_INVALID',
      `${name} has shape [${found.shape}] and ${found.data.length} values; the spec asks for [${shape}]`,
    )
  return found.data
}
