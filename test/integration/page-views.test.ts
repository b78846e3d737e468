import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { startDemoServer } from '../web/demo-server.ts'
import { loaded, PHONE, pageInChromium } from '../web/page-in-chromium.ts'
import { BARE_VIEWS, VIEWS } from '../web/views.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** What runs inside the page, as text: this program has no DOM. */
const VIOLATIONS = `axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes[0].html + ' ' + nodes[0].failureSummary))`
const chromium = pageInChromium()
const { open } = chromium

/** Light on a desktop, as it was opened, then dark on a phone: contrast hangs on the theme, what fits on the device. */
async function isAccessibleAndFits(page: Page): Promise<void> {
  await page.evaluate(AXE)
  await isSo(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.setViewportSize(PHONE)
  await isSo(page)
}

async function isSo(page: Page): Promise<void> {
  await page.waitForTimeout(150)
  expect(
    await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
  ).toBeLessThanOrEqual(0)
  expect(await page.evaluate<string[]>(VIOLATIONS)).toEqual([])
}

describe('every view', () => {
  for (const [name, pathOf] of Object.entries({ ...VIEWS, ...BARE_VIEWS })) {
    it(`${name} is accessible and fits, in both themes, on desktop and phone`, async () => {
      await using opened = await open(await pathOf(chromium))
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
    it(`${name} is accessible and fits, in both themes, on desktop and phone`, async () => {
      await using opened = await open(path)
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

  it('for a token is accessible and fits, in both themes, on desktop and phone', async () => {
    const tokens = [{ role: 'read' as const, name: 'guest', token: 'r'.repeat(24) }]
    await using own = await startDemoServer({ tokens })
    await using opened = await open('/', { url: own.url })
    await opened.page.getByLabel('API token').waitFor()
    await isAccessibleAndFits(opened.page)
  })
})
