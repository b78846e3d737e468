import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { loaded, pageInChromium } from '../web/page-in-chromium.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What runs inside the page, as text: this program has no DOM. */
const VIOLATIONS = `axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes[0].html + ' ' + nodes[0].failureSummary))`

const chromium = pageInChromium()
const { open } = chromium

const VIEWS: Readonly<Record<string, () => string | Promise<string>>> = {
  overview: () => '/',
  scores: () => '/pipelines/flights?range=6h&live=0',
  episodes: () => '/pipelines/flights?view=episodes',
  drift: () => '/pipelines/flights?view=drift',
  calibration: () => '/pipelines/flights?view=calibration',
  record: async () => `/pipelines/flights/records/${await chromium.flagged()}`,
  models: () => '/models',
  model: () => '/models/flights',
  jobs: () => '/jobs',
  job: async () => `/jobs/${(await chromium.server.queue.jobs({ pipeline: 'flights' }))[0].id}`,
  'a pipeline without scores': () => '/pipelines/sensors',
  'a record that is not there': () => '/pipelines/flights/records/none-1',
}

describe('every view', () => {
  for (const [name, pathOf] of Object.entries(VIEWS)) {
    it.each([
      ['light', 'desktop'],
      ['dark', 'phone'],
    ])(`${name} is accessible and fits, %s on a %s`, async (theme, device) => {
      const path = await pathOf()
      await using opened = await open(path, { dark: theme === 'dark', phone: device === 'phone' })
      const { page } = opened
      await page.getByRole('heading', { level: 1 }).waitFor()
      await loaded(page)
      await page.waitForTimeout(150)
      expect(
        await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
      ).toBeLessThanOrEqual(0)
      await page.evaluate(AXE)
      const found = await page.evaluate<string[]>(VIOLATIONS)
      expect(found).toEqual([])
    })
  }
})
