import { readFileSync } from 'node:fs'
import { type Document, isMap, isPair, isScalar, LineCounter, type Node, parse, parseDocument } from 'yaml'
import { messageOf, SurprisalError } from '../src/core/errors.ts'
import { explainIssues } from './issues.ts'
import { pipelineJsonSchema } from './json-schema.ts'
import { type PipelineConfig, pipelineSchema } from './pipeline.ts'
import { environmentOverrides, flagOverrides, merge } from './precedence.ts'
import { readSecrets } from './secrets.ts'
import { type Environment, substitute } from './substitute.ts'

export interface LoadOptions {
  readonly environment?: Environment
  /** `section.key=value`, from the command line: they win. */
  readonly set?: readonly string[]
}

/**
 * Reads a pipeline file: defaults < file < SURPRISAL_… environment < flags, `${VAR}` replaced, `*_file` secrets read.
 * FILE_NOT_FOUND; CONFIG_INVALID with every fault, each with its line, setting, rule and what was probably meant.
 */
export function loadPipeline(path: string, options: LoadOptions = {}): PipelineConfig {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new SurprisalError(
      'FILE_NOT_FOUND',
      `${path}: the pipeline file cannot be read (${messageOf(cause)})`,
      {
        cause,
      },
    )
  }
  return parsePipeline(text, path, options)
}

/** loadPipeline for text at hand; `path` only names it in messages. */
export function parsePipeline(text: string, path: string, options: LoadOptions = {}): PipelineConfig {
  const { environment = process.env, set = [] } = options
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  if (document.errors.length > 0) {
    const list = document.errors.map(
      (error) => `${path}:${lines.linePos(error.pos[0]).line}: ${firstLine(error.message)}`,
    )
    throw new SurprisalError('CONFIG_INVALID', list.join('\n'))
  }
  const written: unknown = substitute(document.toJS(), environment, (scalar) => parse(scalar))
  const overrides = merge(environmentOverrides(environment, pipelineJsonSchema()), flagOverrides(set))
  const value = readSecrets(merge(written ?? {}, overrides))
  const parsed = pipelineSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const list = explainIssues(parsed.error, value, pipelineJsonSchema()).map((issue) => {
    const offset = positionOf(document, issue.path, issue.atKey)
    const line = offset === undefined ? '' : `:${lines.linePos(offset).line}`
    return `${path}${line}: ${issue.path.map(String).join('.') || 'the file'}: ${issue.message}`
  })
  throw new SurprisalError('CONFIG_INVALID', list.join('\n'), { cause: parsed.error })
}

/** Where a setting stands in the text; its parent where it is missing. */
function positionOf(document: Document, path: readonly PropertyKey[], atKey: boolean): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    if (isMap(parent)) {
      const pair = parent.items.find(
        (item) => isPair(item) && isScalar(item.key) && item.key.value === path[length - 1],
      )
      const node = (atKey || length < path.length ? pair?.key : (pair?.value ?? pair?.key)) as
        | Node
        | undefined
      if (node?.range) return node.range[0]
    }
    const node = document.getIn(path.slice(0, length), true) as Node | undefined
    if (node?.range) return node.range[0]
  }
  return undefined
}

function firstLine(text: string): string {
  return text.split('\n')[0]
}
