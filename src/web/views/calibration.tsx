import type { Items } from '../answers.ts'
import { askedAgainBy } from '../events.ts'
import { compact } from '../format.ts'
import { useLoad } from '../load.ts'
import { CalibrationPlot, type CalibrationPoint } from '../parts/calibration-plot.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'

/** Whether alarms come as often as they should, over the last 24 hours. */
export function Calibration({ pipeline, rate }: { pipeline: string; rate: number | null }) {
  const path = `/pipelines/${encodeURIComponent(pipeline)}/calibration`
  const { data, problem, reload } = useLoad<Items<CalibrationPoint> & { readonly records: number }>(
    path,
    askedAgainBy('scores', pipeline),
    10_000,
  )
  return (
    <section class="panel" aria-label="Calibration">
      <header class="panel-head">
        <h2>Realised against nominal alarm rate</h2>
        <p class="quiet">{data ? `${compact(data.records)} records, last 24 hours` : ' '}</p>
      </header>
      <ProblemLine problem={problem} onRetry={reload} />
      {data === undefined && problem === undefined && <Loading rows={3} />}
      {data?.items.length === 0 && <Empty title="No scores in the last 24 hours" />}
      {data !== undefined && data.items.length > 0 && (
        <>
          <CalibrationPlot points={data.items} rate={rate} />
          <p class="quiet">
            Above the dashed line more records are flagged than the rate allows: true anomalies are among
            them, and so is drift. Below it, alarms are rarer than they may be.
          </p>
        </>
      )}
    </section>
  )
}
