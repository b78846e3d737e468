import { ERROR_CODES } from './errors.ts'

const INTRODUCTION = `# Errors

<!-- Written by scripts/write-errors-doc.mjs from src/core/errors.ts; a test keeps it equal. -->

Every error that Surprisal raises on purpose is a \`SurprisalError\` with a \`code\` of this table, a message that names
the value, the rule and the way out, its \`cause\`, and \`retryable\`: whether the same call may succeed later without
anybody changing anything.

The command prints \`surprisal: CODE: message\` on standard error and ends with

- **0** when all went well,
- **1** on a failure,
- **2** on wrong use: \`USAGE\`, \`CONFIG_INVALID\`, an unknown command or option,
- **130** or **143** when SIGINT or SIGTERM stopped it; unfinished outputs are removed.

| code | retryable | what happened |
|---|---|---|
`

/** docs/errors.md: the table of codes for people. */
export function errorsMarkdown(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { retryable, summary }]) => `| \`${code}\` | ${retryable ? 'yes' : 'no'} | ${summary} |`,
  )
  return `${INTRODUCTION}${rows.join('\n')}\n`
}
