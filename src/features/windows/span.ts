const UNITS = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** Milliseconds of a time span such as 90s, 15m, 1h, 1d or 2w; NaN for anything else. */
export function spanMs(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? []
  const size = UNITS.find(([name]) => name === unit)?.[1]
  return size === undefined ? Number.NaN : Number(count) * size
}

/** The span in the largest unit that divides it: 5400000 is 90m. */
export function spanText(ms: number): string {
  const [name, size] = UNITS.find(([, unit]) => ms % unit === 0) ?? UNITS[UNITS.length - 1]
  return `${ms / size}${name}`
}
