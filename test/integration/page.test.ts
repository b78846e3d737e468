import { describe, expect, it } from 'vitest'
import { startDemoServer } from '../web/demo-server.ts'
import { pageInChromium } from '../web/page-in-chromium.ts'

/** What runs inside the page, as text: this program has no DOM. */
const ORIGINS = "performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)"
const FOCUSED = `{
  const element = document.activeElement
  getComputedStyle(element).outlineStyle === 'none'
    ? 'no outline: ' + element.outerHTML.slice(0, 80)
    : (element.getAttribute('aria-label') ?? element.innerText ?? element.tagName).split('\\n')[0]
}`

const chromium = pageInChromium()
const { open } = chromium

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

  it('leaves out what rules suppress, or shows that alone', async () => {
    await using opened = await open('/pipelines/flights?range=6h&live=0')
    const { page } = opened
    const rows = page.locator('.anomalies tbody tr')
    const suppressed = rows.filter({ hasText: 'suppressed: maintenance' })
    await expect.poll(() => suppressed.count()).toBeGreaterThan(0)
    await page.getByLabel('Suppressed').selectOption('hidden')
    await expect.poll(() => page.url()).toContain('suppressed=false')
    await expect.poll(() => suppressed.count()).toBe(0)
    expect(await rows.count()).toBeGreaterThan(0)
    await page.getByLabel('Suppressed').selectOption('alone')
    await expect.poll(() => suppressed.count()).toBeGreaterThan(0)
    expect(await suppressed.count()).toBe(await rows.count())
  })

  it('draws what was expected of each field, and says it in figures', async () => {
    const id = await chromium.flagged()
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

  it('says what to do where there is nothing yet', async () => {
    await using own = await startDemoServer({}, { empty: true })
    for (const [path, text] of [
      ['/', 'No pipeline yet'],
      ['/models', 'No model yet'],
      ['/jobs', 'No retrain yet'],
      ['/nowhere', 'There is nothing here'],
    ]) {
      await using opened = await open(path, { url: own.url })
      await opened.page.getByText(text).waitFor()
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
    const index = await fetch(`${chromium.server.url}/`)
    expect(index.headers.get('cache-control')).toBe('no-cache')
    const html = await index.text()
    const assets = [...html.matchAll(/"(\/assets\/(?:main|style)[^"]+)"/g)].map((match) => match[1])
    expect(assets.length).toBe(2)
    let size = 0
    for (const asset of assets) {
      const answer = await fetch(chromium.server.url + asset, { headers: { 'accept-encoding': 'gzip' } })
      expect(answer.headers.get('cache-control')).toContain('immutable')
      size += Number(answer.headers.get('content-length'))
      const again = await fetch(chromium.server.url + asset, {
        headers: { 'if-none-match': answer.headers.get('etag')! },
      })
      expect(again.status).toBe(304)
    }
    expect(size).toBeLessThan(64_000)
    await using opened = await open('/')
    const origins = await opened.page.evaluate<string[]>(ORIGINS)
    expect(new Set(origins)).toEqual(new Set([chromium.server.url]))
  })
})
