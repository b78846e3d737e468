import type { ModelVersion } from '../../core/ports.ts'
import type { Items } from '../answers.ts'
import { askedAgainBy } from '../events.ts'
import { ago } from '../format.ts'
import { useLoad } from '../load.ts'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'
import { pathTo } from '../router.ts'

/** All models by name. */
export function Models() {
  const { data, problem, reload } = useLoad<Items<string>>('/models', askedAgainBy('model'))
  return (
    <>
      <div class="head">
        <h1>Models</h1>
      </div>
      <ProblemLine problem={problem} onRetry={reload} />
      {data === undefined && problem === undefined && <Loading rows={4} />}
      {data?.items.length === 0 && (
        <Empty title="No model yet">The first retrain of a pipeline makes one.</Empty>
      )}
      {data !== undefined && data.items.length > 0 && (
        <div class="panel flush">
          <table class="cards">
            <caption class="unseen">Models</caption>
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col">Champion</th>
                <th scope="col">Challenger</th>
                <th scope="col" class="num">
                  Versions
                </th>
                <th scope="col">Newest</th>
              </tr>
            </thead>
            <tbody>
              {data.items.map((name) => (
                <ModelRow key={name} name={name} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}

function ModelRow({ name }: { name: string }) {
  const { data } = useLoad<Items<ModelVersion>>(
    `/models/${encodeURIComponent(name)}`,
    askedAgainBy('model', name),
  )
  const versionOf = (alias: 'champion' | 'challenger') => {
    const found = data?.items.find((version) => version.aliases.includes(alias))
    return found === undefined ? '–' : `v${found.version}`
  }
  return (
    <tr>
      <th scope="row" data-label="Model">
        <a class="strong" href={pathTo('models', name)}>
          {name}
        </a>
      </th>
      <td data-label="Champion">{versionOf('champion')}</td>
      <td data-label="Challenger">{versionOf('challenger')}</td>
      <td data-label="Versions" class="num">
        {data?.items.length ?? '–'}
      </td>
      <td data-label="Newest">{ago(data?.items.at(0)?.created_at)}</td>
    </tr>
  )
}
