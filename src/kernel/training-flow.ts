import { SurprisalError } from '../core/errors.ts'
import { contextColumns, type FlowSpec, type FlowWeights, type WeightTensor } from '../core/flow-spec.ts'
import type { Kernel } from './kernel.ts'
import { tensor } from './tensor.ts'
import { compileTraining, type TrainingProgram } from './training-program.ts'
import type { TrainingLayout } from './training-share.ts'

export type ParameterSet = 'parameters' | 'moment1' | 'moment2'

/** A flow placed in kernel memory for training, with its gradients and moments. Throws FLOW_SPEC_INVALID. */
export class TrainingFlow {
  readonly layout: TrainingLayout
  private readonly kernel: Kernel
  private readonly spec: FlowSpec
  private readonly data: number
  private readonly blocks: readonly number[]
  private program: TrainingProgram
  /** The tensors as given: constants, and numbers that no operation reads, are handed back unchanged. */
  private given: FlowWeights

  constructor(kernel: Kernel, spec: FlowSpec, weights: FlowWeights, threads: number) {
    this.kernel = kernel
    this.spec = spec
    this.given = weights
    this.program = compileTraining(spec, weights)
    const { emitter, operations } = this.program
    const { arena } = kernel
    const { data, parameters: size } = emitter.sizes
    this.data = arena.allocate(data * 4)
    const program = arena.allocate(emitter.length * 4)
    const parameters = arena.allocate((3 + threads) * size * 4)
    const words = emitter.words({ words: program, data: this.data, parameters })
    kernel.words(program, words.length).set(words)
    const scratchBytes = kernel.exports.trainingScratchBytes(program)
    const scratch = Array.from({ length: threads }, () => arena.allocate(scratchBytes))
    const sums = arena.allocate(3 * threads * 8)
    this.blocks = [this.data, program, parameters, sums, ...scratch]
    this.layout = {
      threads,
      dim: spec.dim,
      columns: contextColumns(spec.context),
      operations,
      program,
      size,
      parameters,
      moment1: parameters + size * 4,
      moment2: parameters + 2 * size * 4,
      gradients: parameters + 3 * size * 4,
      losses: sums,
      norms: sums + threads * 8,
      logDets: sums + 2 * threads * 8,
      scratch,
      scratchBytes,
    }
    this.load(this.program, weights)
  }

  get actnorms(): TrainingProgram['actnorms'] {
    return this.program.actnorms
  }

  /** Takes other weights for the same spec, constants and all: sizes and addresses stay. */
  replace(weights: FlowWeights): void {
    this.load(compileTraining(this.spec, weights), weights)
  }

  /** Overwrites the moments. */
  write(set: Exclude<ParameterSet, 'parameters'>, moments: FlowWeights): void {
    this.scatter(set, moments)
  }

  /** A set as tensors: all weights for the parameters, trainable tensors only for the moments. */
  read(set: ParameterSet): FlowWeights {
    const source = this.kernel.floats(this.layout[set], this.layout.size)
    const result = new Map<string, WeightTensor>()
    if (set === 'parameters')
      for (const [name, { shape, data }] of this.given) result.set(name, { shape, data: data.slice() })
    for (const { name, shape, places } of this.tensors) {
      const data = result.get(name)?.data ?? new Float32Array(places.length)
      for (let i = 0; i < places.length; i++) if (places[i] >= 0) data[i] = source[places[i]]
      if (!result.has(name)) result.set(name, { shape, data })
    }
    return result
  }

  /** Overwrites one trainable vector, such as an actnorm's bias. */
  set(name: string, values: ArrayLike<number>): void {
    const found = this.program.tensors.find((t) => t.name === name)
    if (!found) throw new SurprisalError('INTERNAL', `the flow has no trainable tensor ${name}`)
    const target = this.kernel.floats(this.layout.parameters, this.layout.size)
    found.places.forEach((place, i) => {
      target[place] = values[i]
    })
  }

  /** Σ over the threads of a sum that each keeps a part of. */
  total(sum: 'losses' | 'norms' | 'logDets'): number {
    return this.kernel.doubles(this.layout[sum], this.layout.threads).reduce((a, b) => a + b, 0)
  }

  /** Trainable tensors that hold anything. */
  private get tensors(): TrainingProgram['tensors'] {
    return this.program.tensors.filter(({ places }) => places.length > 0)
  }

  private load(program: TrainingProgram, weights: FlowWeights): void {
    this.program = program
    this.given = weights
    const data = program.emitter.data()
    this.kernel.floats(this.data, data.length).set(data)
    const parameters = this.scatter('parameters', weights)
    for (const place of program.ones) parameters[place] = 1
  }

  private scatter(set: ParameterSet, weights: FlowWeights): Float32Array {
    const target = this.kernel.floats(this.layout[set], this.layout.size)
    target.fill(0)
    for (const { name, shape, places } of this.tensors) {
      const values = tensor(weights, name, ...shape)
      for (let i = 0; i < places.length; i++) if (places[i] >= 0) target[places[i]] = values[i]
    }
    return target
  }

  dispose(): void {
    for (const block of this.blocks) this.kernel.arena.free(block)
  }
}
