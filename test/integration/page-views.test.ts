import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { startDemoServer } from '../web/demo-server.ts'
import { loaded, pageInChromium } from '../web/page-in-chromium.ts'
import { BARE_VIEWS, VIEWS } from '../web/views.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What runs inside the page, as text: this program has no DOM. */
const VIOLATIONS = `axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes[0].html + ' ' + nodes[0].failureSummary))`
/** Contrast hangs on the theme, what fits on the device. */
const LOOKS = [
  ['light', 'desktop'],
  ['dark', 'phone'],
] as const
const lookOf = ([theme, device]: readonly ['light' | 'dark', 'desktop' | 'phone']) => ({
  dark: theme === 'dark',
  phone: device === 'phone',
})

const chromium = pageInChromium()
const { open } = chromium

async function isAccessibleAndFits(page: Page): Promise<void> {
  await page.waitForTimeout(150)
  expect(
    await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
  ).toBeLessThanOrEqual(0)
  await page.evaluate(AXE)
  expect(await page.evaluate<string[]>(VIOLATIONS)).toEqual([])
}

describe('every view', () => {
  for (const [name, pathOf] of Object.entries({ ...VIEWS, ...BARE_VIEWS })) {
    it.each(LOOKS)(`${name} is accessible and fits, %s on a %s`, async (...look) => {
      await using opened = await open(await pathOf(chromium), lookOf(look))
      const { page } = opened
      await page.getByRole('heading', { level: 1 }).waitFor()
      await loaded(page)
      await isAccessibleAndFits(page)
    })
  }
})

/** What opens over a view, or takes its place. */
const ASKED: Readonly<Record<string, readonly [path: string, click: string, then: string]>> = {
  'start a retrain': ['/pipelines/flights?live=0', 'Retrain', 'dialog'],
  promote: ['/models/flights', 'Promote v3', 'dialog'],
  'roll back': ['/models/flights', 'Roll back', 'dialog'],
  compare: ['/models/flights', 'Compare v1 with the champion', 'table'],
}

describe('every question', () => {
  for (const [name, [path, click, then]] of Object.entries(ASKED)) {
    it.each(LOOKS)(`${name} is accessible and fits, %s on a %s`, async (...look) => {
      await using opened = await open(path, lookOf(look))
      const { page } = opened
      await page.getByRole('button', { name: click }).first().click()
      await (then === 'dialog'
        ? page.getByRole('dialog')
        : page.getByRole('region', { name: /against/ })
      ).waitFor()
      await loaded(page)
      await isAccessibleAndFits(page)
    })
  }

  it.each(LOOKS)('for a token is accessible and fits, %s on a %s', async (...look) => {
    const tokens = [{ role: 'read' as const, name: 'guest', token: 'r'.repeat(24) }]
    await using own = await startDemoServer({ tokens })
    await using opened = await open('/', { url: own.url, ...lookOf(look) })
    await opened.page.getByLabel('API token').waitFor()
    await isAccessibleAndFits(opened.page)
  })
})
