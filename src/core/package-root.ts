import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The folder of surprisal's package.json, from sources and from a build alike. */
export const packageRoot: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
})()

export const packageVersion: string = JSON.parse(
  readFileSync(join(packageRoot, 'package.json'), 'utf8'),
).version

/** The compiled entry of a worker thread or child process: `src/entries/<name>.ts`. Tests run the build's too. */
export function entryUrl(name: string): URL {
  return pathToFileURL(join(packageRoot, 'dist', 'src', 'entries', `${name}.js`))
}

/** A file that the build puts under dist/assets (the WebAssembly kernels, the page). */
export function assetPath(...parts: string[]): string {
  return join(packageRoot, 'dist', 'assets', ...parts)
}
