import { describe, expect, it } from 'vitest'
import { startDemoServer } from '../web/demo-server.ts'
import { loaded, pageInChromium } from '../web/page-in-chromium.ts'

const chromium = pageInChromium()
const { open } = chromium

describe('what changes', () => {
  it('shows what is scored while one looks', async () => {
    await using opened = await open('/pipelines/flights?range=15m')
    const { page } = opened
    await page.getByText('streaming').waitFor()
    const rows = page.locator('.anomalies tbody tr')
    await loaded(page)
    const before = await rows.count()
    await chromium.server.score(3, true)
    await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(before + 3)
  })

  it('promotes a version and rolls it back, with a reason', async () => {
    await using opened = await open('/models/flights')
    const { page } = opened
    await page.getByRole('button', { name: 'Promote v3' }).click()
    await page.getByLabel('Why').fill('lower loss on Tuesday')
    await page.getByRole('button', { name: 'Promote', exact: true }).click()
    await page.getByText('lower loss on Tuesday').waitFor()
    expect((await chromium.server.registry.alias('flights', 'champion'))?.version).toBe(3)
    await page.getByRole('button', { name: 'Roll back' }).first().click()
    await page.getByLabel('Why').fill('more false alarms')
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
    await page.getByText('more false alarms').waitFor()
    expect((await chromium.server.registry.alias('flights', 'champion'))?.version).toBe(2)
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
    await opened.settled()
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    const request = { pipeline: 'sensors', trigger: 'cli', reason: 'asked elsewhere', who: 'ada' } as const
    await own.queue.enqueue(request)
    const row = page.getByRole('row').filter({ hasText: 'asked elsewhere' })
    await row.getByText('completed').waitFor({ timeout: 30_000 })
    expect(asked).toEqual([])
    await page.goto(`${own.url}/models/flights`)
    await opened.settled()
    await own.registry.setAlias('flights', 'champion', 3, 'grace', 'promoted from the shell')
    await page.getByText('promoted from the shell').waitFor()
    await page.goto(`${own.url}/pipelines/flights?view=episodes`)
    await opened.settled()
    own.episode({ id: 'e3', entity: 'flights-999', anomalies: 3 })
    await page.getByRole('row').filter({ hasText: 'flights-999' }).waitFor()
    own.episode({ id: 'e3', entity: 'flights-999', anomalies: 48 })
    await page.getByRole('row').filter({ hasText: 'flights-999' }).getByText('48').waitFor()
  })
})
