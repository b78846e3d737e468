import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Debian keeps PostgreSQL's server programs off the PATH. */
function folders(): string[] {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : ([] as string[])
  return [...(process.env.PATH ?? '').split(delimiter), ...versions.map((v) => join(debian, v, 'bin'))]
}

/** The path of the first of these programs that is installed. */
export function findProgram(...names: readonly string[]): string | undefined {
  for (const name of names) {
    for (const folder of folders()) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not here.
      }
    }
  }
  return undefined
}

/** Processes take turns: apt-get waits for another's installation, but not while another reads the lists. */
const TURN = join(tmpdir(), 'surprisal-test-apt.lock')

let installing: Promise<unknown> = Promise.resolve()
let updated = false

async function aptInstall(packages: readonly string[]): Promise<void> {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, maxBuffer: 1 << 26 }
  const aptGet = [TURN, 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300']
  if (!updated) await run('flock', [...aptGet, 'update'], options)
  updated = true
  await run('flock', [...aptGet, 'install', '-y', '--no-install-recommends', ...packages], options)
}

/** Finds a program; on Debian, as root, installs its packages first where it is missing; else says what to install. */
export async function requireProgram(
  service: string,
  names: readonly string[],
  packages: readonly string[],
): Promise<string> {
  const found = findProgram(...names)
  if (found !== undefined) return found
  const variable = `SURPRISAL_TEST_${service.toUpperCase()}`
  const advice = `tests need ${service}: install ${names[0]} (Debian: apt-get install ${packages.join(' ')}), or set ${variable}`
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) throw new Error(advice)
  const installed = installing.then(() => aptInstall(packages))
  installing = installed.catch(() => undefined)
  try {
    await installed
  } catch (cause) {
    throw new Error(advice, { cause })
  }
  const path = findProgram(...names)
  if (path === undefined) throw new Error(advice)
  return path
}
