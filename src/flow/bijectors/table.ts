import type { BijectorSpec } from '../../core/flow-spec.ts'
import type { Bijector, Placement } from '../bijector.ts'
import { ActNorm } from './actnorm.ts'
import { AffineCoupling } from './affine-coupling.ts'
import { LuLinear } from './lu-linear.ts'
import { Permutation } from './permutation.ts'
import { Rotation } from './rotation.ts'

type Constructors = {
  readonly [Kind in BijectorSpec['kind']]: new (
    spec: Extract<BijectorSpec, { kind: Kind }>,
    placement: Placement,
  ) => Bijector
}

/** Every bijector there is. A new one is a file in this folder, a line here and its spec in core/flow-spec.ts. */
export const BIJECTORS: Constructors = {
  actnorm: ActNorm,
  permutation: Permutation,
  rotation: Rotation,
  'lu-linear': LuLinear,
  'affine-coupling': AffineCoupling,
}

export function createBijector(spec: BijectorSpec, placement: Placement): Bijector {
  const Constructor = BIJECTORS[spec.kind] as new (spec: BijectorSpec, placement: Placement) => Bijector
  return new Constructor(spec, placement)
}
