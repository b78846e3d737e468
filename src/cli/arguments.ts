import { InvalidArgumentError, Option } from 'commander'

export type OutputMode = 'table' | 'json'

/** `-o table|json` */
export function outputOption(): Option {
  return new Option('-o, --output <mode>', 'how results are printed')
    .choices(['table', 'json'])
    .default('table')
}

/** `--where column=value`, repeatable. */
export function whereOption(): Option {
  return new Option(
    '--where <column=value>',
    'only records where the column has the value (repeatable: all must hold)',
  )
    .argParser((value: string, previous: readonly string[] = []) => [...previous, value])
    .default([], 'all records')
}

export function list(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

export function integer(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value)
    if (value.trim() === '' || !Number.isSafeInteger(number) || number < least)
      throw new InvalidArgumentError(`Expected a whole number from ${least}.`)
    return number
  }
}

export function numberIn(low: number, high: number): (value: string) => number {
  return (value) => {
    const number = Number(value)
    if (value.trim() === '' || !(number >= low && number <= high))
      throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`)
    return number
  }
}
