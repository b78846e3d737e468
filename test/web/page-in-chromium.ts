import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { CHROMIUM_ARGS } from '../services/chromium.ts'
import { shared } from '../services/shared.ts'
import { type DemoServer, startDemoServer } from './demo-server.ts'

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page
  /** The page has asked for nothing for a second: it has all it shows, and hears of what changes. */
  settled(): Promise<void>
}

export interface OpenOptions {
  readonly url?: string
  readonly phone?: boolean
  /** Comes before the page asks for anything. */
  readonly prepare?: (page: Page) => Promise<unknown>
}

/** The page of a demo server in a real Chromium, both up for the tests of one file. */
export interface PageInChromium {
  readonly server: DemoServer
  /** A page that fails its test on any error in the console; refused answers of the API are no errors. */
  open(path: string, options?: OpenOptions): Promise<OpenedPage>
  /** The id of a flagged record of flights. */
  flagged(): Promise<string>
}

export const PHONE = { width: 390, height: 844 }

/** Not by waitForFunction: it evaluates text in the page, which the page's content security policy forbids. */
export const loaded = (page: Page) => expect.poll(() => page.locator('.loading').count()).toBe(0)

export function pageInChromium(): PageInChromium {
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
  return {
    get server() {
      return server
    },
    async open(path, options = {}) {
      const context = await browser.newContext({
        colorScheme: 'light',
        viewport: options.phone ? PHONE : { width: 1280, height: 860 },
      })
      const page = await context.newPage()
      const errors: string[] = []
      page.on('pageerror', (error) => errors.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          errors.push(message.text())
      })
      let asked = Date.now()
      page.on('request', () => {
        asked = Date.now()
      })
      await options.prepare?.(page)
      await page.goto((options.url ?? server.url) + path)
      return {
        page,
        settled: () => expect.poll(() => Date.now() - asked).toBeGreaterThan(1000),
        async [Symbol.asyncDispose]() {
          await context.close()
          expect(errors).toEqual([])
        },
      }
    },
    async flagged() {
      const answer = await fetch(`${server.url}/api/v1/pipelines/flights/anomalies?limit=1`)
      const { items } = (await answer.json()) as { items: { id: string }[] }
      return items[0].id
    },
  }
}
