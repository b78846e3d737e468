import { execFileSync } from 'node:child_process'
import { chownSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { requireProgram } from './install.ts'
import { freePort, type Program, program, temporaryFolder } from './program.ts'

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string, user: string) => Number(execFileSync('id', [flag, user], { stdio: 'pipe' }))
  try {
    return { uid: id('-u', 'postgres'), gid: id('-g', 'postgres') }
  } catch {
    return { uid: id('-u', 'nobody'), gid: id('-g', 'nobody') }
  }
}

/** A PostgreSQL of its own: user and database `postgres`, no password, no fsync. */
export async function startPostgres(): Promise<Program & { readonly url: string }> {
  const command = await requireProgram('postgres', ['postgres'], ['postgresql'])
  const [port, folder, user] = [await freePort(), temporaryFolder('postgres'), unprivileged()]
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const initdb = await requireProgram('postgres', ['initdb'], ['postgresql'])
  const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync']
  execFileSync(initdb, options, { cwd: folder, stdio: 'pipe', ...user })
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    'shared_buffers=64MB',
  ]
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const server = await program({
    name: `PostgreSQL (${dirname(command)})`,
    command,
    args: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    folder,
    port,
    exitSignal: 'SIGQUIT',
    serves: () => takesQueries(url),
    ...user,
  })
  return Object.assign(server, { url })
}

/** It listens while it is still starting up, and refuses whoever comes. */
async function takesQueries(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end()
  }
}
