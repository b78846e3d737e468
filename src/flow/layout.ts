import type { AffineCouplingSpec, BijectorSpec, FlowSpec } from '../core/flow-spec.ts'
import { conditionerWidths, contextWidth } from '../core/flow-spec.ts'

/** A tensor that a spec asks for. Constants and empty tensors are not trained. */
export interface TensorLayout {
  readonly name: string
  readonly shape: readonly number[]
  readonly trainable: boolean
}

/** Every tensor of a flow under its full name, in the order in which they are drawn, stored and stepped. */
export function flowLayout(spec: FlowSpec): readonly TensorLayout[] {
  const width = contextWidth(spec.context)
  return [
    ...spec.context.embeddings.map((e, i) => tensor(`context.embedding.${i}`, [e.levels, e.width])),
    ...spec.bijectors.flatMap((bijector, i) =>
      bijectorLayout(bijector, spec.dim, width).map((t) => ({ ...t, name: `${i}.${t.name}` })),
    ),
  ]
}

/** The tensors of one bijector under their short names. */
export function bijectorLayout(spec: BijectorSpec, dim: number, context: number): readonly TensorLayout[] {
  switch (spec.kind) {
    case 'actnorm':
      return [tensor('log_scale', [dim]), tensor('bias', [dim])]
    case 'permutation':
      return []
    case 'rotation':
      return [constant('matrix', [dim, dim])]
    case 'lu-linear':
      return [
        tensor('lower', [dim, dim]),
        tensor('upper', [dim, dim]),
        tensor('log_diagonal', [dim]),
        constant('permutation', [dim]),
        constant('sign', [dim]),
      ]
    case 'affine-coupling':
      return conditionerLayers(spec, dim, context).flatMap(([inputs, outputs], i) => [
        tensor(`weight.${i}`, [outputs, inputs]),
        tensor(`bias.${i}`, [outputs]),
      ])
  }
}

/** [inputs, outputs] of every layer of a coupling's conditioner, first to last. */
export function conditionerLayers(
  spec: AffineCouplingSpec,
  dim: number,
  context: number,
): readonly (readonly [inputs: number, outputs: number])[] {
  const widths = conditionerWidths(spec, dim, context)
  return widths.slice(1).map((outputs, i) => [widths[i], outputs] as const)
}

/** How many numbers training changes. */
export function parameterCount(spec: FlowSpec): number {
  return flowLayout(spec)
    .filter((t) => t.trainable)
    .reduce((sum, t) => sum + sizeOf(t.shape), 0)
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1)
}

function tensor(name: string, shape: readonly number[]): TensorLayout {
  return { name, shape, trainable: sizeOf(shape) > 0 }
}
function constant(name: string, shape: readonly number[]): TensorLayout {
  return { name, shape, trainable: false }
}
