import type { Page, Route } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { loaded, pageInChromium } from '../web/page-in-chromium.ts'
import { VIEWS } from '../web/views.ts'

const API = '**/api/v1/**'
/** What runs inside the page, as text: this program has no DOM. */
const WATCH_SHIFTS = `
  window.shifts = []
  new PerformanceObserver((list) => {
    for (const { value, sources, hadRecentInput } of list.getEntries())
      if (!hadRecentInput) shifts.push({ value, what: sources.map(({ node }) => node?.className ?? node?.nodeName) })
  }).observe({ type: 'layout-shift', buffered: true })`
/** What of the window moved, and how far, as shares of it multiplied: to people, jumps begin at 0.1. */
const SHIFTS = 'shifts.filter(({ value }) => value > 0.02)'

/** The views with the most that could move, where there is the least room for it. */
const ON_PHONES = ['record', 'model', 'job']

const chromium = pageInChromium()
const { open } = chromium

const slow = (page: Page) =>
  page.route(API, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 700))
    await route.continue()
  })
const failing = (page: Page) =>
  page.route(API, (route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      body: JSON.stringify({ status: 500, detail: 'the store is on fire' }),
    }),
  )
const answering = (answer: object) => (route: Route) => route.fulfill({ json: answer })

describe('a view', () => {
  for (const [name, pathOf] of Object.entries(VIEWS)) {
    const devices = ON_PHONES.includes(name) ? [false, true] : [false]
    it.each(devices)(`${name} keeps its place while the server is slow (phone: %s)`, async (phone) => {
      await using opened = await open(await pathOf(chromium), {
        phone,
        prepare: (page) => Promise.all([page.addInitScript(WATCH_SHIFTS), slow(page)]),
      })
      const { page } = opened
      await page.getByRole('status').filter({ hasText: 'Loading' }).first().waitFor()
      await opened.settled()
      await loaded(page)
      expect(await page.evaluate(SHIFTS)).toEqual([])
    })

    it(`${name} says what failed, and asks again`, async () => {
      await using opened = await open(await pathOf(chromium), { prepare: failing })
      const { page } = opened
      const alerts = page.getByRole('alert').filter({ hasText: 'the store is on fire' })
      await alerts.first().waitFor()
      expect(await page.getByRole('status').filter({ hasText: 'Loading' }).count()).toBe(0)
      await page.unroute(API)
      await alerts.first().getByRole('button', { name: 'Try again' }).click()
      await expect.poll(() => alerts.count(), { timeout: 10_000 }).toBe(0)
      await loaded(page)
    })
  }

  it.each([
    ['/pipelines/flights?live=0', 'series', 'No record came in this time'],
    ['/pipelines/flights?live=0', 'scores', 'No anomalies in this range'],
    ['/pipelines/flights?view=episodes', 'episodes', 'No episode'],
    ['/pipelines/flights?view=drift', 'drift', 'No look at drift yet'],
    ['/pipelines/flights?view=calibration', 'calibration', 'No scores in the last 24 hours'],
    ['/models/flights', 'history', 'No version was ever champion'],
  ])('at %s with no %s says "%s"', async (path, part, text) => {
    const nothing = { items: [], cursor: null, step: 1000, records: 0 }
    await using opened = await open(path, {
      prepare: (page) => page.route(new RegExp(`/api/v1/.*/${part}(\\?|$)`), answering(nothing)),
    })
    await opened.page.getByText(text).waitFor()
  })
})

describe('without its stream of events the page', () => {
  it('asks by the clock, and listens again when it can', async () => {
    await using opened = await open('/pipelines/flights?range=15m', {
      prepare: (page) => page.route('**/api/v1/events', (route) => route.abort()),
    })
    const { page } = opened
    await page.getByText('connecting').waitFor()
    const rows = page.locator('.anomalies tbody tr')
    await loaded(page)
    const before = await rows.count()
    await chromium.server.score(2, true)
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(before + 2)
    await page.unroute('**/api/v1/events')
    await page.getByText('streaming').waitFor({ timeout: 10_000 })
  })

  it('says that more could not be had, and keeps what it shows', async () => {
    await chromium.server.score(60, true)
    await using opened = await open('/pipelines/flights?range=6h&live=0')
    const { page } = opened
    const rows = page.locator('.anomalies tbody tr')
    await loaded(page)
    const before = await rows.count()
    await failing(page)
    await page.getByRole('button', { name: 'Show more' }).click()
    await page.getByRole('alert').getByText('the store is on fire').waitFor()
    expect(await rows.count()).toBe(before)
    await page.unroute(API)
    await page.getByRole('button', { name: 'Show more' }).click()
    await expect.poll(() => rows.count()).toBeGreaterThan(before)
    expect(await page.getByRole('alert').count()).toBe(0)
  })
})
