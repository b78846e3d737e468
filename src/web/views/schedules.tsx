import type { Items } from '../answers.ts'
import { clock } from '../format.ts'
import { useLoad } from '../load.ts'
import { pathTo } from '../router.ts'

interface Schedule {
  readonly pipeline: string
  readonly cron: string
  readonly timezone: string
  readonly next: string
}

/** When pipelines are retrained by the clock. */
export function Schedules() {
  const { data } = useLoad<Items<Schedule>>('/schedules')
  if (data === undefined || data.items.length === 0) return null
  return (
    <section class="panel flush" aria-label="Schedules">
      <header class="panel-head">
        <h2>Schedules</h2>
      </header>
      <table class="cards">
        <caption class="unseen">Schedules</caption>
        <thead>
          <tr>
            <th scope="col">Pipeline</th>
            <th scope="col">Cron</th>
            <th scope="col">Time zone</th>
            <th scope="col">Next</th>
          </tr>
        </thead>
        <tbody>
          {data.items.map((schedule) => (
            <tr key={schedule.pipeline}>
              <th scope="row" data-label="Pipeline">
                <a href={pathTo('pipelines', schedule.pipeline)}>{schedule.pipeline}</a>
              </th>
              <td data-label="Cron">
                <code>{schedule.cron}</code>
              </td>
              <td data-label="Time zone">{schedule.timezone}</td>
              <td data-label="Next">{clock(schedule.next)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
