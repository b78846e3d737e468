/**
 * Weight of the built-in page and how soon it paints, from a cold cache, in Chromium.
 * Run: npm run build && npx esbuild bench/page.ts --bundle --packages=external --platform=node --target=node20 \
 *   --format=esm --outfile=dist/bench/page.mjs && node dist/bench/page.mjs URL [--chromium /usr/bin/chromium]
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

const LOADS = 15
/** Runs inside the page, as text: this program has no DOM. */
const TIMES = `(() => {
  const paint = performance.getEntriesByName('first-contentful-paint')[0]
  const assets = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/assets/'))
  const [page] = performance.getEntriesByType('navigation')
  return {
    paint: paint?.startTime ?? NaN,
    loaded: page.loadEventEnd,
    bytes: [page, ...assets].reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    unpacked: [page, ...assets].reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0),
    files: assets.length + 1,
  }
})()`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { chromium: { type: 'string', default: '/usr/bin/chromium' } },
})
const base = positionals[0] ?? 'http://127.0.0.1:8080'
const browser = await chromium.launch({ executablePath: values.chromium, args: ['--no-sandbox'] })
console.log(`${cpus()[0].model}, ${cpus().length} cores, Chromium ${browser.version()}, ${LOADS} loads each`)
const table: Record<string, object> = {}
for (const path of positionals.slice(1).concat('/')) {
  const looks: { paint: number; loaded: number; bytes: number; unpacked: number; files: number }[] = []
  for (let i = 0; i < LOADS; i++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } })
    const page = await context.newPage()
    await page.goto(base + path, { waitUntil: 'load' })
    await page.waitForTimeout(300)
    looks.push(await page.evaluate(TIMES))
    await context.close()
  }
  const middle = (of: (look: (typeof looks)[number]) => number) =>
    Math.round(looks.map(of).sort((a, b) => a - b)[Math.floor(LOADS / 2)])
  table[path] = {
    'first paint, ms': middle(({ paint }) => paint),
    'load event, ms': middle(({ loaded }) => loaded),
    'kB over the wire': middle(({ bytes }) => bytes) / 1000,
    'kB unpacked': middle(({ unpacked }) => unpacked) / 1000,
    files: looks[0].files,
  }
}
console.table(table)
await browser.close()
