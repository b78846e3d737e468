import { requireProgram } from './install.ts'
import { freePort, type Program, program, temporaryFolder } from './program.ts'

/** A Redis of its own with an append-only file, so that a restart keeps what was acknowledged. */
export async function startRedis(): Promise<Program & { readonly url: string }> {
  const command = await requireProgram('redis', ['redis-server'], ['redis-server'])
  const [port, folder] = [await freePort(), temporaryFolder('redis')]
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
  }
  const args = Object.entries({ ...settings, 'maxmemory-policy': 'noeviction' }).flatMap(([key, value]) => [
    `--${key}`,
    String(value),
  ])
  const server = await program({ name: 'Redis', command, args, folder, port })
  return Object.assign(server, { url: `redis://127.0.0.1:${port}` })
}
