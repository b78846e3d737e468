import { styleText } from 'node:util'
import type { OutputMode } from './arguments.ts'

/** Prints a result: JSON on one line for machines, aligned `name  value` lines for people. */
export function printResult(mode: OutputMode, result: Readonly<Record<string, unknown>>): void {
  if (mode === 'json') {
    print(JSON.stringify(result))
    return
  }
  const width = Math.max(...Object.keys(result).map((name) => name.length))
  for (const [name, value] of Object.entries(result))
    print(`${dim(name.replaceAll('_', ' ').padEnd(width))}  ${shown(value)}`)
}

/** Prints rows: a JSON array, or a table whose numbers stand right. */
export function printRows(mode: OutputMode, rows: readonly Readonly<Record<string, unknown>>[]): void {
  if (mode === 'json' || rows.length === 0) {
    print(mode === 'json' ? JSON.stringify(rows) : 'nothing')
    return
  }
  const names = Object.keys(rows[0])
  const cells = rows.map((row) => names.map((name) => shown(row[name])))
  const widths = names.map((name, c) => Math.max(name.length, ...cells.map((row) => row[c].length)))
  const numeric = names.map((name) =>
    rows.every((row) => typeof row[name] === 'number' || row[name] === null),
  )
  const line = (texts: readonly string[]) =>
    texts
      .map((text, c) => (numeric[c] ? text.padStart(widths[c]) : text.padEnd(widths[c])))
      .join('  ')
      .trimEnd()
  print(dim(line(names.map((name) => name.replaceAll('_', ' ')))))
  for (const row of cells) print(line(row))
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** For people, on standard error: results stay alone on standard output. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

export function shown(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'number') return shownNumber(value)
  if (Array.isArray(value)) return value.map(shown).join(', ')
  if (typeof value === 'object') return JSON.stringify(value)
  return escapeControls(String(value))
}

export function shownNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en')
  return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6
    ? String(Number(value.toPrecision(4)))
    : value.toExponential(2)
}

/** Data must not steer the terminal. */
export function escapeControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function dim(text: string): string {
  return process.stdout.isTTY ? styleText('dim', text) : text
}
