import { SurprisalError } from '../src/core/errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Replaces `${VAR}` and `${VAR:default}` in every text of a YAML value; `$${` stands for a plain `${`. A text that is
 * one reference alone takes the type that its value would have in YAML (`${PORT}` → 8080).
 * Throws CONFIG_INVALID where a variable is not set and has no default.
 */
export function substitute(
  value: unknown,
  environment: Environment,
  scalar: (text: string) => unknown,
): unknown {
  if (typeof value === 'string') return substituteText(value, environment, scalar)
  if (Array.isArray(value)) return value.map((item) => substitute(item, environment, scalar))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, substitute(item, environment, scalar)]),
  )
}

const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}/g

function substituteText(text: string, environment: Environment, scalar: (text: string) => unknown): unknown {
  let references = 0
  const result = text.replaceAll(REFERENCE, (match, name?: string, fallback?: string) => {
    if (name === undefined) return '${'
    references++
    const found = environment[name] ?? fallback
    if (found === undefined) {
      throw new SurprisalError(
        'CONFIG_INVALID',
        `\${${name}} is not set in the environment and has no default; set ${name}, or write \${${name}:default} (in "${text}", ${match})`,
      )
    }
    return found
  })
  const alone = references === 1 && /^\$\{[^}]*\}$/.test(text)
  return alone ? scalar(result) : result
}
