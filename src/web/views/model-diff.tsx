import { withQuery } from '../client.ts'
import { useLoad } from '../load.ts'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'

interface Diff {
  readonly changes: readonly { readonly path: string; readonly from: unknown; readonly to: unknown }[]
}

/** What differs between two versions' summaries. */
export function ModelDiff({
  name,
  from,
  to,
  onClose,
}: {
  name: string
  from: number
  to: number
  onClose: () => void
}) {
  const { data, problem, reload } = useLoad<Diff>(
    withQuery(`/models/${encodeURIComponent(name)}/diff`, { from, to }),
  )
  return (
    <section class="panel flush" aria-label={`v${from} against v${to}`}>
      <header class="panel-head">
        <h2>
          v{from} against v{to}
        </h2>
        <button type="button" class="small" onClick={onClose}>
          Close
        </button>
      </header>
      <ProblemLine problem={problem} onRetry={reload} />
      {data === undefined && problem === undefined && <Loading rows={4} />}
      {data?.changes.length === 0 && <Empty title="Their summaries are the same" />}
      {data !== undefined && data.changes.length > 0 && (
        <table class="cards">
          <caption class="unseen">Differences</caption>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">v{from}</th>
              <th scope="col">v{to}</th>
            </tr>
          </thead>
          <tbody>
            {data.changes.map((change) => (
              <tr key={change.path}>
                <th scope="row" data-label="What">
                  {change.path.replaceAll('_', ' ')}
                </th>
                <td data-label={`v${from}`} class="breakable">
                  {shown(change.from)}
                </td>
                <td data-label={`v${to}`} class="breakable">
                  {shown(change.to)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}
