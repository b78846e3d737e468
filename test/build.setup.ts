import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { packageRoot } from '../src/core/package-root.ts'

/** Worker threads and child processes run the build, so tests start by making it. */
export default async function setup(): Promise<void> {
  const building = spawn(process.execPath, ['scripts/build.mjs'], { cwd: packageRoot, stdio: 'inherit' })
  const [status] = await once(building, 'exit')
  if (status !== 0) throw new Error('the build failed: run `npm run build` to see why')
}
