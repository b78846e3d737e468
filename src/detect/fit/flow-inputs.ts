import type { FeatureEncoder } from '../../features/encoder.ts'
import type { ViewSpec } from '../../features/view-spec.ts'

/** What the inputs of a flow mean, by names that outlast a fit: codes and columns are counted anew by each. */
export interface FlowInputs {
  /** Field and kind of each dimension. */
  readonly dims: readonly string[]
  /** Everything that conditions, in the order in which a coupling sees it. */
  readonly context: readonly ContextInput[]
  /** Per embedding, what each row of its table stands for. */
  readonly embeddings: readonly {
    readonly field: string
    readonly width: number
    readonly rows: readonly string[]
  }[]
}
export interface ContextInput {
  readonly key: string
  /** −1 where two levels stand the other way round than in alphabetical order. */
  readonly sign: 1 | -1
}

/** Names the inputs that a view of this encoder gives its flow. */
export function flowInputs(view: ViewSpec, encoder: FeatureEncoder): FlowInputs {
  const { layout } = encoder
  const numberOf = (column: number): string => layout.numeric[column].field
  const levelsOf = (column: number): string[] =>
    encoder
      .levels(column)
      .map((level, code) => (level === undefined ? `code ${code}` : JSON.stringify(level)))
  const plain = (key: string): ContextInput => ({ key, sign: 1 })
  const embeddings = view.embedded.map(({ column, pooledFrom, levels, width }) => {
    const names = levelsOf(column)
    const rows = Array.from({ length: levels }, (_, row) => (row === pooledFrom ? 'rare' : names[row]))
    return { field: layout.discrete[column].field, width, rows }
  })
  return {
    dims: view.dims.map(({ from, column }) => `${numberOf(column)} (${from})`),
    context: [
      ...layout.context.slice(0, view.contextFloats).map((name) => plain(`float ${name}`)),
      ...view.binary.map((column): ContextInput => {
        const two = levelsOf(column).slice(1)
        const sorted = [...two].sort()
        return {
          key: `either ${layout.discrete[column].field}: ${sorted.join(' or ')}`,
          sign: two[0] === sorted[0] ? 1 : -1,
        }
      }),
      ...view.anchors.flatMap((a) => {
        const field = numberOf(encoder.anchors[a].column)
        return [`mean ${field}`, `spread ${field}`, `support ${field}`].map(plain)
      }),
      ...embeddings.flatMap(({ field, width }) =>
        Array.from({ length: width }, (_, k) => plain(`embedding ${field} ${k}`)),
      ),
    ],
    embeddings,
  }
}
