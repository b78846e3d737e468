import {
  RecordBatch as ArrowBatch,
  AsyncByteQueue,
  Bool,
  type Data,
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int8,
  Int32,
  List,
  makeData,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  type RecordBatchWriter,
  Schema,
  Struct,
  TimestampMillisecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { ANOMALY, type ScoredBatch, SEVERITIES, UNSCORED, VERDICTS } from '../../src/core/scored.ts'
import { attributionText, keptName, P_METHODS, severityCode } from '../files/score-columns.ts'
import type { ScoredEncoder } from '../files/sink.ts'
import { booleans, codes, floats, ids, integers, textLists, texts, times } from './build.ts'
import { keptData, keptType } from './kept.ts'

const UTC = new TimestampMillisecond('UTC')
const P_METHOD = new Dictionary(new Utf8(), new Int8(), 1)
const SEVERITY = new Dictionary(new Utf8(), new Int8(), 2)
const VERDICT = new Dictionary(new Utf8(), new Int8(), 3)
const METHOD_NAMES = vectorFromArray([...P_METHODS], new Utf8())
const SEVERITY_NAMES = vectorFromArray([...SEVERITIES], new Utf8())
const VERDICT_NAMES = vectorFromArray([...VERDICTS], new Utf8())
const TEXT_LIST = new List(new Field('item', new Utf8(), true))

const SCORE_FIELDS = [
  new Field('id', new Utf8(), false),
  new Field('log_prob', new Float64(), true),
  new Field('score', new Float64(), true),
  new Field('p_value', new Float64(), true),
  new Field('p_method', P_METHOD, true),
  new Field('is_anomaly', new Bool(), false),
  new Field('severity', SEVERITY, true),
  new Field('verdict', VERDICT, false),
  new Field('reasons', TEXT_LIST, false),
  new Field('attribution', new Utf8(), true),
  new Field('suppressed', new Utf8(), true),
  new Field('threshold', new Float64(), false),
  new Field('model_version', new Int32(), false),
  new Field('event_time', UTC, true),
  new Field('scored_at', UTC, false),
]

/**
 * Scored records as an Arrow IPC file (or stream): the score columns, then the kept input columns with the types
 * that they have in the first batch. One record batch a scored batch; attribution is JSON text.
 */
export function arrowEncoder(
  keep: readonly string[] = [],
  layout: 'file' | 'stream' = 'file',
): ScoredEncoder {
  const bytes = new Collector()
  const writer: RecordBatchWriter =
    layout === 'file'
      ? new RecordBatchFileWriter({ autoDestroy: false })
      : new RecordBatchStreamWriter({ autoDestroy: false })
  let schema: Schema | undefined
  const start = (types: readonly DataType[]): Schema => {
    const kept = types.map((type, i) => new Field(keptName(keep[i]), type, true))
    schema = new Schema([...SCORE_FIELDS, ...kept])
    writer.reset(bytes, schema)
    return schema
  }
  return {
    begin: () => [],
    encode(scored) {
      const columns = keep.map((name) => scored.batch.columns.get(name))
      const known = schema ?? start(columns.map(keptType))
      if (scored.batch.rows === 0) return bytes.take()
      const types = known.fields.slice(SCORE_FIELDS.length).map((field) => field.type)
      const kept = columns.map((column, i) => keptData(column, types[i], scored.batch.rows))
      const children = [...scoreData(scored), ...kept]
      const data = makeData({ type: new Struct(known.fields), length: scored.batch.rows, children })
      writer.write(new ArrowBatch(known, data))
      return bytes.take()
    },
    end() {
      if (schema === undefined) start(keep.map(() => new Utf8()))
      writer.finish()
      return bytes.take()
    },
  }
}

function scoreData(scored: ScoredBatch): Data[] {
  const { batch, verdict } = scored
  const { rows } = batch
  const known = new Uint8Array(rows)
  const anomaly = new Uint8Array(rows)
  const severity = new Int8Array(rows)
  // Loops: Array.from over a typed array goes through its iterator, which shows at millions of rows.
  for (let row = 0; row < rows; row++) {
    if (verdict[row] !== UNSCORED) known[row] = 1
    if (verdict[row] !== ANOMALY) continue
    anomaly[row] = 1
    severity[row] = severityCode(scored, row)
  }
  return [
    ids(batch.origin, rows),
    floats(scored.logProb, known),
    floats(scored.score, known),
    floats(scored.pValue, known),
    codes(P_METHOD, new Int8Array(scored.pMethod), METHOD_NAMES, known),
    booleans(anomaly),
    codes(SEVERITY, severity, SEVERITY_NAMES, anomaly),
    codes(VERDICT, new Int8Array(verdict), VERDICT_NAMES),
    textLists(TEXT_LIST, scored.reasons, rows),
    texts(rows, (row) => attributionText(scored.attributions.get(row))),
    texts(rows, (row) => scored.suppressed?.get(row) ?? null),
    floats(new Float64Array(rows).fill(scored.threshold)),
    integers(new Int32Array(rows).fill(scored.modelVersion)),
    times(UTC, batch.eventTime ?? new Float64Array(rows).fill(Number.NaN)),
    times(UTC, new Float64Array(rows).fill(scored.scoredAt)),
  ]
}

/** Takes what the writer writes out of its hands at once, where the writer's own queue would grow without bound. */
class Collector extends AsyncByteQueue {
  #chunks: Uint8Array[] = []

  override write(value: Parameters<AsyncByteQueue['write']>[0]): void {
    const view = value as Uint8Array
    this.#chunks.push(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }

  take(): Uint8Array[] {
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }
}
