import { existsSync } from 'node:fs'
import { requireProgram } from './install.ts'

/** Arguments under which Chromium runs as root, without a display, and calls nobody. */
export const CHROMIUM_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

/** The path of a Chromium or Chrome, for playwright-core's `executablePath`. */
export async function chromiumPath(): Promise<string> {
  if (existsSync(MAC)) return MAC
  return requireProgram('chromium', ['chromium', 'chromium-browser', 'google-chrome'], ['chromium'])
}
