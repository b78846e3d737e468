import type { EntityAlarm } from '../detect/entities/entity-watch.ts'
import { histogramChart, timelineChart } from './charts.ts'
import type { ReportData } from './collector.ts'
import { escapeHtml, shownNumber, shownValue } from './markup.ts'
import type { Counted, ReportedRecord } from './tallies.ts'

export interface ReportTitle {
  readonly data: readonly string[]
  readonly model: string
  readonly createdAt: Date
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #6b7280; --line: #d8dce2; --normal: #6d8fc7; --flagged: #c2410c; --mean: #1e3a8a }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #14171b; --faint: #9aa3ad; --line: #313740; --normal: #4a6aa5; --flagged: #fb923c; --mean: #bfd4ff } }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.4rem; margin-bottom: 0 } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem } p.about { color: var(--faint); margin-top: .2rem; overflow-wrap: anywhere }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem } dt { color: var(--faint); font-size: .85rem } dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto } rect.normal { fill: var(--normal) } rect.flagged { fill: var(--flagged) } line.grid { stroke: var(--line) } line.threshold { stroke: var(--flagged); stroke-dasharray: 4 3 }
polyline.mean { fill: none; stroke: var(--mean); stroke-width: 1.5 } text { font-size: 11px; fill: var(--faint) } text.threshold { fill: var(--flagged) } text.end { text-anchor: end }
table { border-collapse: collapse; width: 100%; font-size: .9rem } th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
th { color: var(--faint); font-weight: 500 } td.number { text-align: right; font-variant-numeric: tabular-nums } details { border-bottom: 1px solid var(--line); padding: .4rem 0 } summary { cursor: pointer } summary b { color: var(--flagged) }
`

/** One page that needs nothing else: charts of the scores, the most surprising records and their fields. */
export function reportPage(data: ReportData, { data: files, model, createdAt }: ReportTitle): string {
  const scored = data.records - data.unscored
  const facts = {
    records: shownNumber(data.records),
    flagged: shownNumber(data.anomalies),
    ...(data.suppressed > 0 && { 'of these suppressed': shownNumber(data.suppressed) }),
    'flagged share': scored === 0 ? '–' : `${shownNumber((100 * data.anomalies) / scored)} %`,
    'nominal rate': `${shownNumber(100 * data.threshold)} %`,
    unscored: shownNumber(data.unscored),
    ...Object.fromEntries(data.strange.map(({ name, count }) => [`entities ${name}`, shownNumber(count)])),
  }
  const list = Object.entries(facts).map(
    ([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Surprisal: ${escapeHtml(files.join(', '))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>How surprising are these records?</h1>
<p class="about">${escapeHtml(files.join(', '))}, scored with ${escapeHtml(model)} at ${createdAt.toISOString()}</p>
<dl>${list.join('')}</dl>
<h2>Scores</h2>
<p class="about">The score is −log10 of the p-value: 3 means that one normal record in a thousand is as surprising.</p>
${histogramChart(data)}
<h2>${data.timed ? 'Over time' : 'In order'}</h2>
<p class="about">Bars: the highest score; line: the mean.</p>
${timelineChart(data)}
<h2>Most surprising records</h2>
${data.top.length === 0 ? '<p>None.</p>' : data.top.map(recordDetails).join('\n')}
${section('Suppressed: flagged, and known', data.topSuppressed, (records) => countsTable('rule', data.rules) + records.map(recordDetails).join('\n'))}
${section('Entities: silent, stuck, too regular', data.alarms, alarmsTable)}
${section('Why records are unscored', data.reasons, (reasons) => countsTable('reason', reasons))}
</body>
</html>
`
}

function section<T>(title: string, items: readonly T[], body: (items: readonly T[]) => string): string {
  return items.length === 0 ? '' : `<h2>${title}</h2>\n${body(items)}`
}

function recordDetails({ record, fields }: ReportedRecord, index: number): string {
  const { id, severity, score, p_value: pValue, attribution, event_time: time, suppressed } = record
  const blamed = attribution.slice(0, 3).map(({ field }) => field)
  const head = [
    severity === null ? 'not flagged' : `<b>${escapeHtml(severity)}</b>`,
    ...(suppressed === null ? [] : [`suppressed by ${escapeHtml(suppressed)}`]),
    `score ${score === null ? '–' : shownNumber(score)}`,
    `p ${pValue === null ? '–' : shownNumber(pValue)}`,
    ...(time === null ? [] : [escapeHtml(time)]),
    ...(blamed.length === 0 ? [] : [`because of ${escapeHtml(blamed.join(', '))}`]),
  ]
  const surprises = new Map(attribution.map((surprise) => [surprise.field, surprise]))
  const names = [...surprises.keys(), ...Object.keys(fields).filter((name) => !surprises.has(name))]
  const rows = names.map((name) => {
    const surprise = surprises.get(name)
    // The attribution's value wins: it is masked where the field is redacted.
    const value = surprise === undefined ? fields[name] : surprise.value
    const range =
      surprise === undefined || surprise.normal_low === null || surprise.normal_high === null
        ? ''
        : `${shownNumber(surprise.normal_low)} … ${shownNumber(surprise.normal_high)}`
    return `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(shownValue(value))}</td><td>${escapeHtml(surprise === undefined ? '' : shownValue(surprise.expected))}</td><td>${range}</td><td class="number">${surprise === undefined ? '' : shownNumber(Number(surprise.surprise_nats.toFixed(2)))}</td></tr>`
  })
  return `<details${index < 3 ? ' open' : ''}><summary>${escapeHtml(id)}: ${head.join(', ')}</summary><table><tr><th>field</th><th>value</th><th>expected</th><th>normal range</th><th>surprise, nats</th></tr>${rows.join('')}</table></details>`
}

function alarmsTable(alarms: readonly EntityAlarm[]): string {
  const rows = alarms.map(({ kind, entity, since, summary }) => {
    const at = since === null ? '–' : new Date(since).toISOString()
    return `<tr><td>${escapeHtml(entity ?? 'the stream')}</td><td>${kind}</td><td>${at}</td><td>${escapeHtml(summary)}</td></tr>`
  })
  return `<table><tr><th>entity</th><th>kind</th><th>since</th><th></th></tr>${rows.join('')}</table>`
}

function countsTable(what: string, counts: readonly Counted[]): string {
  const rows = counts.map(
    ({ name, count }) =>
      `<tr><td>${escapeHtml(shownValue(name))}</td><td class="number">${shownNumber(count)}</td></tr>`,
  )
  return `<table><tr><th>${what}</th><th>records</th></tr>${rows.join('')}</table>`
}
