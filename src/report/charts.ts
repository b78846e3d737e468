import type { ReportData } from './collector.ts'
import { escapeHtml, shownNumber } from './markup.ts'

const WIDTH = 960
const HEIGHT = 260
const LEFT = 56
const RIGHT = 12
const TOP = 16
const BOTTOM = 36
const INNER_WIDTH = WIDTH - LEFT - RIGHT
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM

/** How many records have which score, on a logarithmic count axis, with the threshold. SVG. */
export function histogramChart({ histogram, binWidth, threshold }: ReportData): string {
  const limit = -Math.log10(threshold)
  const span = Math.max(histogram.length * binWidth, limit * 1.2, binWidth)
  const peak = Math.max(1, ...histogram)
  const x = (score: number) => LEFT + (score / span) * INNER_WIDTH
  const y = (count: number) => TOP + INNER_HEIGHT * (1 - Math.log10(count + 1) / Math.log10(peak + 1))
  const bars = histogram.map((count, i) => {
    if (count === 0) return ''
    const from = x(i * binWidth)
    const width = Math.max(1, x((i + 1) * binWidth) - from - 0.5)
    const kind = i * binWidth >= limit - binWidth / 2 ? 'flagged' : 'normal'
    return `<rect class="${kind}" x="${px(from)}" y="${px(y(count))}" width="${px(width)}" height="${px(TOP + INNER_HEIGHT - y(count))}"><title>score ${shownNumber(i * binWidth)} to ${shownNumber((i + 1) * binWidth)}: ${shownNumber(count)} records</title></rect>`
  })
  const counts = powersOfTen(peak).map((count) => tickLeft(y(count), shownNumber(count)))
  const scores = steps(span).map((score) => tickBelow(x(score), shownNumber(score)))
  const marker = `<line class="threshold" x1="${px(x(limit))}" x2="${px(x(limit))}" y1="${TOP}" y2="${TOP + INNER_HEIGHT}"/><text class="threshold" x="${px(x(limit) + 4)}" y="${TOP + 10}">threshold p ${shownNumber(threshold)}</text>`
  return svg('Histogram of scores', [...counts, ...scores, ...bars, marker])
}

/** The mean and the highest score of each bucket of time, with the threshold. SVG. */
export function timelineChart({ timeline, threshold, timed }: ReportData): string {
  if (timeline.length === 0) return ''
  const limit = -Math.log10(threshold)
  const first = timeline[0].time
  const last = timeline[timeline.length - 1]
  const span = Math.max(1, last.time + last.width - first)
  const highest = timeline.reduce((max, { scoreMax }) => Math.max(max, scoreMax), limit * 1.2)
  const x = (time: number) => LEFT + ((time - first) / span) * INNER_WIDTH
  const y = (score: number) => TOP + INNER_HEIGHT * (1 - score / highest)
  const name = (time: number) => (timed ? new Date(time).toISOString() : `record ${shownNumber(time)}`)
  const marks = timeline.map(({ time, width, records, anomalies, scoreMax }) => {
    const kind = anomalies > 0 ? 'flagged' : 'normal'
    const wide = Math.max(1, x(time + width) - x(time) - 0.5)
    return `<rect class="${kind}" x="${px(x(time))}" y="${px(y(scoreMax))}" width="${px(wide)}" height="${px(TOP + INNER_HEIGHT - y(scoreMax))}"><title>${escapeHtml(name(time))}: ${shownNumber(records)} records, ${shownNumber(anomalies)} flagged, highest score ${shownNumber(scoreMax)}</title></rect>`
  })
  const mean = timeline
    .map(({ time, width, scoreSum, records }) => `${px(x(time + width / 2))},${px(y(scoreSum / records))}`)
    .join(' ')
  const scores = steps(highest).map((score) => tickLeft(y(score), shownNumber(score)))
  const times = [0, 0.25, 0.5, 0.75].map((share) =>
    tickBelow(
      LEFT + share * INNER_WIDTH,
      name(first + share * span)
        .slice(0, 19)
        .replace('T', ' '),
    ),
  )
  return svg(timed ? 'Score over event time' : 'Score over the records in order', [
    ...scores,
    ...times,
    ...marks,
    `<polyline class="mean" points="${mean}"/>`,
    `<line class="threshold" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(y(limit))}" y2="${px(y(limit))}"/>`,
  ])
}

function svg(title: string, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${parts.join('')}</svg>`
}

function tickLeft(y: number, text: string): string {
  return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(y)}" y2="${px(y)}"/><text class="tick end" x="${LEFT - 6}" y="${px(y + 4)}">${escapeHtml(text)}</text>`
}

function tickBelow(x: number, text: string): string {
  return `<text class="tick" x="${px(x)}" y="${HEIGHT - BOTTOM + 18}">${escapeHtml(text)}</text>`
}

function powersOfTen(limit: number): number[] {
  const powers: number[] = []
  for (let count = 1; count <= limit; count *= 10) powers.push(count)
  return powers
}

/** Five to ten round numbers from 0. */
function steps(limit: number): number[] {
  const rough = limit / 8
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((m) => m * magnitude).find((s) => s >= rough) ?? 10 * magnitude
  return Array.from({ length: Math.floor(limit / step) + 1 }, (_, i) => i * step)
}

function px(value: number): string {
  return value.toFixed(1)
}
