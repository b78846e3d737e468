import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM_ARGS } from '../services/chromium.ts'
import { shared } from '../services/shared.ts'
import { type DemoServer, startDemoServer } from '../web/demo-server.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What runs inside the page, as text: this program has no DOM. */
const ORIGINS = "performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)"
const VIOLATIONS = `axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes[0].html + ' ' + nodes[0].failureSummary))`
const FOCUSED = `{
  const element = document.activeElement
  getComputedStyle(element).outlineStyle === 'none'
    ? 'no outline: ' + element.outerHTML.slice(0, 80)
    : (element.getAttribute('aria-label') ?? element.innerText ?? element.tagName).split('\\n')[0]
}`

/** Not by waitForFunction: it evaluates text in the page, which the page's content security policy forbids. */
const loaded = (page: Page) => expect.poll(() => page.locator('.loading').count()).toBe(0)

let browser: Browser
let server: DemoServer
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: await shared('chromium'), args: CHROMIUM_ARGS })
  server = await startDemoServer()
})
afterAll(async () => {
  await browser.close()
  await server[Symbol.asyncDispose]()
})

/** A page that fails its test on any error in the console; refused answers of the API are no errors. */
async function open(
  path: string,
  options: { url?: string; dark?: boolean; phone?: boolean } = {},
): Promise<AsyncDisposable & { page: Page }> {
  const context = await browser.newContext({
    colorScheme: options.dark ? 'dark' : 'light',
    viewport: options.phone ? { width: 390, height: 844 } : { width: 1280, height: 860 },
  })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      errors.push(message.text())
  })
  await page.goto((options.url ?? server.url) + path)
  return {
    page,
    async [Symbol.asyncDispose]() {
      await context.close()
      expect(errors).toEqual([])
    },
  }
}

async function flagged(): Promise<string> {
  const answer = await fetch(`${server.url}/api/v1/pipelines/flights/anomalies?limit=1`)
  const { items } = (await answer.json()) as { items: { id: string }[] }
  return items[0].id
}

const VIEWS: Readonly<Record<string, () => string | Promise<string>>> = {
  overview: () => '/',
  scores: () => '/pipelines/flights?range=6h&live=0',
  episodes: () => '/pipelines/flights?view=episodes',
  drift: () => '/pipelines/flights?view=drift',
  calibration: () => '/pipelines/flights?view=calibration',
  record: async () => `/pipelines/flights/records/${await flagged()}`,
  models: () => '/models',
  model: () => '/models/flights',
  jobs: () => '/jobs',
  job: async () => `/jobs/${(await server.queue.jobs({ pipeline: 'flights' }))[0].id}`,
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

describe('the page', () => {
  it('leads from the overview to a record and back, keeping filters in the address', async () => {
    await using opened = await open('/')
    const { page } = opened
    await page.getByRole('link', { name: 'flights' }).click()
    await page.getByRole('button', { name: '6h' }).click()
    await page.getByLabel('Severity').selectOption('major,critical')
    await page.getByLabel('Order').selectOption('score')
    await expect.poll(() => page.url()).toContain('range=6h&severity=major%2Ccritical&order=score')
    const rows = page.locator('.anomalies tbody tr')
    await expect.poll(() => rows.first().innerText()).toContain('critical')
    await page.reload()
    await expect.poll(() => rows.first().innerText()).toContain('critical')
    await rows.first().getByRole('link').click()
    await page.getByRole('heading', { name: 'Fields to blame' }).waitFor()
    await page.getByRole('button', { name: 'It is a false alarm' }).click()
    await page.getByText('called it a false alarm').waitFor()
    await page.goBack()
    await expect.poll(() => page.url()).toContain('severity=major')
    expect(await page.getByLabel('Severity').inputValue()).toBe('major,critical')
  })

  it('draws what was expected of each field, and says it in figures', async () => {
    const id = await flagged()
    await using opened = await open(`/pipelines/flights/records/${id}`)
    const { page } = opened
    const section = page.getByRole('region', { name: 'What was expected' })
    await section
      .getByRole('img', { name: /^Density of \w+ given the other fields: expected/ })
      .first()
      .waitFor()
    expect(await section.getByRole('article').count()).toBe(6)
    await section.getByRole('button', { name: 'Show all 7 fields' }).click()
    expect(await section.getByRole('article').count()).toBe(7)
    await section.getByRole('list', { name: 'Probability of the values of phase' }).waitFor()
    await section.getByRole('button', { name: 'log p' }).click()
    await section.getByText('Nats per unit of the field').waitFor()
    await section.getByText('In figures').first().click()
    await section.getByRole('rowheader', { name: '(observed)' }).first().waitFor()
  })

  it('zooms into the chart by dragging, and out again', async () => {
    await using opened = await open('/pipelines/flights?range=6h')
    const { page } = opened
    const plot = page.locator('.u-over').first()
    await plot.waitFor()
    await plot.hover()
    const box = (await plot.boundingBox())!
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 5 })
    await page.mouse.up()
    await expect.poll(() => page.url()).toMatch(/from=\d+&to=\d+/)
    const { from, to } = Object.fromEntries(new URL(page.url()).searchParams)
    expect(Number(to) - Number(from)).toBeGreaterThan(3_600_000)
    expect(Number(to) - Number(from)).toBeLessThan(5_400_000)
    await page.getByRole('button', { name: /zoomed/ }).click()
    await expect.poll(() => page.url()).not.toContain('from=')
  })

  it('shows what is scored while one looks', async () => {
    await using opened = await open('/pipelines/flights?range=15m')
    const { page } = opened
    await page.getByText('streaming').waitFor()
    const rows = page.locator('.anomalies tbody tr')
    await loaded(page)
    const before = await rows.count()
    await server.score(3, true)
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(before + 3)
  })

  it('promotes a version and rolls it back, with a reason', async () => {
    await using opened = await open('/models/flights')
    const { page } = opened
    await page.getByRole('button', { name: 'Promote v3' }).click()
    await page.getByLabel('Why').fill('lower loss on Tuesday')
    await page.getByRole('button', { name: 'Promote', exact: true }).click()
    await page.getByText('lower loss on Tuesday').waitFor()
    expect((await server.registry.alias('flights', 'champion'))?.version).toBe(3)
    await page.getByRole('button', { name: 'Roll back' }).first().click()
    await page.getByLabel('Why').fill('more false alarms')
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
    await page.getByText('more false alarms').waitFor()
    expect((await server.registry.alias('flights', 'champion'))?.version).toBe(2)
    await page.getByRole('button', { name: 'Compare v1 with the champion' }).click()
    await page.getByRole('heading', { name: 'v2 against v1' }).waitFor()
    await page.getByRole('rowheader', { name: 'held out nll' }).waitFor()
  })

  it('starts a retrain, follows it, and cancels it', async () => {
    await using own = await startDemoServer({}, { jobMs: 30_000 })
    await using opened = await open('/pipelines/sensors', { url: own.url })
    const { page } = opened
    await page.getByRole('button', { name: 'Retrain' }).click()
    await page.getByLabel('Why').fill('enough records now')
    await page.getByRole('button', { name: 'Start retrain' }).click()
    await page.waitForURL(/\/jobs\/./)
    const job = page.getByRole('region', { name: 'Retrain of sensors' })
    await job.waitFor()
    await job.getByRole('button', { name: 'Cancel' }).click()
    await job.getByText('cancelled').waitFor({ timeout: 15_000 })
    await job.getByRole('button', { name: 'Try again' }).waitFor()
  })

  it('says what to do where there is nothing yet', async () => {
    await using own = await startDemoServer({}, { empty: true })
    for (const [path, text] of [
      ['/', 'No pipeline yet'],
      ['/models', 'No model yet'],
      ['/jobs', 'No retrain yet'],
      ['/nowhere', ''],
    ]) {
      await using opened = await open(path, { url: own.url })
      if (text) await opened.page.getByText(text).waitFor()
    }
  })

  it('asks for a token, and says who may only look', async () => {
    const tokens = [{ role: 'read' as const, name: 'guest', token: 'r'.repeat(24) }]
    await using own = await startDemoServer({ tokens })
    await using opened = await open('/models/flights', { url: own.url })
    const { page } = opened
    await page.getByLabel('API token').fill('r'.repeat(24))
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Promote v3' }).click()
    await page.getByLabel('Why').fill('because')
    await page.getByRole('button', { name: 'Promote', exact: true }).click()
    await page.getByRole('alert').getByText('"guest" may read').waitFor()
  })

  it('tells when the server is gone and goes on when it is back', async () => {
    const own = await startDemoServer()
    await using opened = await open('/', { url: own.url })
    const { page } = opened
    await page.getByRole('link', { name: 'flights' }).waitFor()
    await own[Symbol.asyncDispose]()
    await page.getByRole('alert').getByText('The server does not answer').waitFor({ timeout: 15_000 })
    expect(await page.getByRole('link', { name: 'flights' }).count()).toBe(1)
    await using _back = await startDemoServer({}, { port: Number(new URL(own.url).port) })
    await expect.poll(() => page.getByRole('alert').count(), { timeout: 15_000 }).toBe(0)
  })

  it('shows by events, without asking, what others change: status, jobs, versions, episodes', async () => {
    await using own = await startDemoServer({}, { jobMs: 6000 })
    await using opened = await open('/jobs', { url: own.url })
    const { page } = opened
    await loaded(page)
    await page.waitForTimeout(1500)
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    const request = { pipeline: 'sensors', trigger: 'cli', reason: 'asked elsewhere', who: 'ada' } as const
    await own.queue.enqueue(request)
    const row = page.getByRole('row').filter({ hasText: 'asked elsewhere' })
    await row.getByText('completed').waitFor({ timeout: 30_000 })
    expect(asked).toEqual([])
    await page.goto(`${own.url}/models/flights`)
    await loaded(page)
    await page.waitForTimeout(1500)
    await own.registry.setAlias('flights', 'champion', 3, 'grace', 'promoted from the shell')
    await page.getByText('promoted from the shell').waitFor()
    await page.goto(`${own.url}/pipelines/flights?view=episodes`)
    await loaded(page)
    await page.waitForTimeout(1500)
    own.episode({ id: 'e3', entity: 'flights-999', anomalies: 3 })
    await page.getByRole('row').filter({ hasText: 'flights-999' }).waitFor()
    own.episode({ id: 'e3', entity: 'flights-999', anomalies: 48 })
    await page.getByRole('row').filter({ hasText: 'flights-999' }).getByText('48').waitFor()
  })

  it('can be walked by keyboard alone', async () => {
    await using opened = await open('/pipelines/flights?range=6h&live=0')
    const { page } = opened
    await page.locator('.anomalies tbody tr').first().waitFor()
    const seen: string[] = []
    for (let i = 0; i < 24; i++) {
      await page.keyboard.press('Tab')
      seen.push(await page.evaluate<string>(FOCUSED))
    }
    expect(seen.filter((text) => text.startsWith('no outline'))).toEqual([])
    expect(seen.slice(0, 6)).toEqual([
      'Skip to content',
      'Surprisal',
      'Pipelines',
      'Models',
      'Jobs',
      'Switch to the dark theme',
    ])
    for (const wanted of ['Retrain', 'Drift', '6h']) expect(seen).toContain(wanted)
    await page.getByRole('button', { name: 'Retrain' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
  })

  it('remembers the theme', async () => {
    await using opened = await open('/')
    const { page } = opened
    await page.getByRole('button', { name: 'Switch to the dark theme' }).click()
    await page.reload()
    expect(await page.evaluate<string>('document.documentElement.dataset.theme')).toBe('dark')
  })

  it('is light, cached for long, and the same origin serves all of it', async () => {
    const index = await fetch(`${server.url}/`)
    expect(index.headers.get('cache-control')).toBe('no-cache')
    const html = await index.text()
    const assets = [...html.matchAll(/"(\/assets\/(?:main|style)[^"]+)"/g)].map((match) => match[1])
    expect(assets.length).toBe(2)
    let size = 0
    for (const asset of assets) {
      const answer = await fetch(server.url + asset, { headers: { 'accept-encoding': 'gzip' } })
      expect(answer.headers.get('cache-control')).toContain('immutable')
      size += Number(answer.headers.get('content-length'))
      const again = await fetch(server.url + asset, {
        headers: { 'if-none-match': answer.headers.get('etag')! },
      })
      expect(again.status).toBe(304)
    }
    expect(size).toBeLessThan(64_000)
    await using opened = await open('/')
    const origins = await opened.page.evaluate<string[]>(ORIGINS)
    expect(new Set(origins)).toEqual(new Set([server.url]))
  })
})
