import { describe, expect, it } from 'vitest'
import { loaded, pageInChromium } from '../web/page-in-chromium.ts'
import { VIEWS } from '../web/views.ts'

/** What runs inside the page, as text: this program has no DOM. */
const WITHOUT_OUTLINE = `{
  const element = document.activeElement
  getComputedStyle(element).outlineStyle === 'none' ? element.outerHTML.slice(0, 80) : ''
}`
const HERE = 'document.activeElement.textContent'
const REACHABLE = `[...document.querySelectorAll('a[href], button:not(:disabled), input, select, summary, [tabindex="0"]')]
  .filter((element) => element.checkVisibility()).length`
/** Lists of anomalies go on for long. */
const MOST = 40

const chromium = pageInChromium()
const { open } = chromium

describe('by keyboard alone', () => {
  for (const [name, pathOf] of Object.entries(VIEWS))
    it(`all of ${name} is reached and seen to be`, async () => {
      await using opened = await open(await pathOf(chromium))
      const { page } = opened
      await opened.settled()
      await loaded(page)
      const places = Math.min(MOST, await page.evaluate<number>(REACHABLE))
      expect(places).toBeGreaterThan(5)
      const reached = new Set<string>()
      for (let i = 0; i < places; i++) {
        await page.keyboard.press('Tab')
        expect(await page.evaluate<string>(WITHOUT_OUTLINE)).toBe('')
        reached.add(await page.evaluate<string>(HERE))
      }
      for (const text of ['Skip to content', 'Pipelines', 'Models', 'Jobs']) expect(reached).toContain(text)
    })

  it.each([
    ['/pipelines/flights?live=0', 'Retrain'],
    ['/models/flights', 'Promote v3'],
    ['/models/flights', 'Roll back'],
  ])('at %s the question of "%s" opens, is left, and gives its place back', async (path, button) => {
    await using opened = await open(path)
    const { page } = opened
    await page.getByRole('button', { name: button }).first().focus()
    const before = await page.evaluate<string>(HERE)
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    await dialog.getByLabel('Why').focus()
    await page.keyboard.press('Enter')
    expect(await dialog.count()).toBe(1)
    await page.keyboard.press('Escape')
    await expect.poll(() => dialog.count()).toBe(0)
    expect(await page.evaluate<string>(HERE)).toBe(before)
  })
})
