import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { messageOf, SurprisalError } from '../core/errors.ts'
import { type ApiOptions, type ApiToken, apiToken, isLoopback, type Role } from './options.ts'

/** Tokens in this variable are taken too: role:name:token, separated by commas or spaces. */
export const TOKENS_VARIABLE = 'SURPRISAL_API_TOKENS'

export interface Caller {
  readonly name: string
  readonly role: Role
}

/** Who a request is from. Without any token (loopback only) everybody is the local operator. */
export class Tokens {
  private readonly known: readonly { readonly digest: Buffer; readonly caller: Caller }[]
  readonly required: boolean

  constructor(
    options: Pick<ApiOptions, 'auth' | 'host' | 'tokens' | 'tokens_file'>,
    environment: string | undefined = process.env[TOKENS_VARIABLE],
  ) {
    const tokens = [...options.tokens, ...tokensOf(options, environment)]
    this.known = tokens.map(({ token, name, role }) => ({ digest: digestOf(token), caller: { name, role } }))
    this.required =
      options.auth === 'on' || (options.auth === 'auto' && (tokens.length > 0 || !isLoopback(options.host)))
    if (this.required && tokens.length === 0)
      throw new SurprisalError(
        'CONFIG_INVALID',
        `the API listens on ${options.host} and nobody may use it: set ${TOKENS_VARIABLE}=operate:me:<token> ` +
          'or api.tokens_file, bind it to 127.0.0.1, or say auth: off',
      )
  }

  /** The caller of an `Authorization` header; undefined where the token is missing or unknown. */
  caller(authorization: string | undefined): Caller | undefined {
    if (!this.required) return { name: 'local', role: 'operate' }
    const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const digest = digestOf(token)
    let found: Caller | undefined
    // All are compared, in constant time each, so that timing tells nothing.
    for (const { digest: known, caller } of this.known) if (timingSafeEqual(known, digest)) found = caller
    return found
  }
}

/** A token with which this machine may operate its own API; undefined where none is set. */
export function operatorToken(
  options: Pick<ApiOptions, 'tokens_file'>,
  environment: string | undefined = process.env[TOKENS_VARIABLE],
): string | undefined {
  return tokensOf(options, environment).find(({ role }) => role === 'operate')?.token
}

function tokensOf(
  { tokens_file }: Pick<ApiOptions, 'tokens_file'>,
  environment: string | undefined,
): readonly ApiToken[] {
  return [
    ...(tokens_file === undefined ? [] : tokensOfFile(tokens_file)),
    ...parseTokens((environment ?? '').split(/[,\s]+/), TOKENS_VARIABLE),
  ]
}

function tokensOfFile(path: string): ApiToken[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new SurprisalError('FILE_UNREADABLE', `cannot read the tokens in ${path}: ${messageOf(cause)}`, {
      cause,
    })
  }
  return parseTokens(text.split(/\r?\n/), path)
}

function parseTokens(lines: readonly string[], where: string): ApiToken[] {
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line, i) => {
      const [role, name, ...rest] = line.split(':')
      const parsed = apiToken.safeParse({ role, name, token: rest.join(':') })
      if (parsed.success) return parsed.data
      const rules = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
      throw new SurprisalError(
        'CONFIG_INVALID',
        `token ${i + 1} of ${where} is not role:name:token (${rules})`,
      )
    })
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
