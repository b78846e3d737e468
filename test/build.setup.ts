import { spawnSync } from 'node:child_process'
import { packageRoot } from '../src/core/package-root.ts'

let built = false

/** Worker threads and child processes run the build, so tests start by making it. */
export default function setup(): void {
  if (built) return
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], {
    cwd: packageRoot,
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('the build failed: run `npm run build` to see why')
  built = true
}
