import { useState } from 'preact/hooks'
import type { AliasChange, ModelVersion, PipelineStatus } from '../../core/ports.ts'
import type { Items } from '../answers.ts'
import { ask } from '../client.ts'
import { askedAgainBy, statusChanged } from '../events.ts'
import { ago, bytes, fullTime } from '../format.ts'
import { useLoad } from '../load.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Empty, Loading, ProblemLine } from '../parts/notice.tsx'
import { summaryOf } from '../summary.ts'
import { Calibration } from './calibration.tsx'
import { ModelDiff } from './model-diff.tsx'

/** One model: its versions, who made which champion, and how well its p-values keep their word. */
export function Model({ name }: { name: string }) {
  const path = `/models/${encodeURIComponent(name)}`
  const versions = useLoad<Items<ModelVersion>>(path, askedAgainBy('model', name))
  const history = useLoad<Items<AliasChange>>(`${path}/history`, askedAgainBy('model', name))
  const pipeline = useLoad<PipelineStatus>(`/pipelines/${encodeURIComponent(name)}`, statusChanged(name))
  const [asked, setAsked] = useState<number | 'rollback'>()
  const [compared, setCompared] = useState<number>()
  const champion = versions.data?.items.find((version) => version.aliases.includes('champion'))
  const refresh = () => {
    versions.reload()
    history.reload()
  }
  return (
    <>
      <div class="head">
        <div>
          <p class="crumb">
            <a href="/models">Models</a>
          </p>
          <h1>{name}</h1>
        </div>
        <button
          type="button"
          disabled={(history.data?.items.filter((change) => change.alias === 'champion').length ?? 0) < 2}
          onClick={() => setAsked('rollback')}
        >
          Roll back
        </button>
      </div>
      <ProblemLine problem={versions.problem ?? history.problem} onRetry={refresh} />
      {versions.data === undefined && versions.problem === undefined && <Loading rows={5} />}
      {versions.data && (
        <div class="panel flush">
          <table class="cards">
            <caption class="unseen">Versions, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Version</th>
                <th scope="col">Made</th>
                <th scope="col">Kind</th>
                <th scope="col" class="num">
                  NLL, nats
                </th>
                <th scope="col">Learned from</th>
                <th scope="col">Gate</th>
                <th scope="col" class="num">
                  Size
                </th>
                <th scope="col">
                  <span class="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {versions.data.items.map((version) => (
                <VersionRow
                  key={version.version}
                  version={version}
                  onPromote={() => setAsked(version.version)}
                  onCompare={
                    champion && champion !== version ? () => setCompared(version.version) : undefined
                  }
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {compared !== undefined && champion && (
        <ModelDiff name={name} from={champion.version} to={compared} onClose={() => setCompared(undefined)} />
      )}
      {/* Not before the list above it has its height. */}
      <div class="columns" hidden={versions.data === undefined && versions.problem === undefined}>
        <section class="panel" aria-label="History">
          <h2>History</h2>
          {history.data === undefined && history.problem === undefined && <Loading rows={3} />}
          {history.data?.items.length === 0 && (
            <Empty title="No version was ever champion">Promote one above, or let a retrain do it.</Empty>
          )}
          <ol class="timeline">
            {history.data?.items.map((change) => (
              <li key={`${change.at}${change.alias}`}>
                <p>
                  <b>
                    {change.version === null
                      ? `no ${change.alias}`
                      : `v${change.version} became ${change.alias}`}
                  </b>
                  {change.previous !== null && <span class="quiet"> after v{change.previous}</span>}
                </p>
                <p>{change.why}</p>
                <p class="quiet">
                  {change.who}, <time dateTime={change.at}>{fullTime(change.at)}</time>
                </p>
              </li>
            ))}
          </ol>
        </section>
        {pipeline.data && <Calibration pipeline={name} rate={pipeline.data.nominal_rate} />}
      </div>
      {asked !== undefined && (
        <Confirm
          title={asked === 'rollback' ? `Roll ${name} back` : `Promote ${name} v${asked}`}
          action={asked === 'rollback' ? 'Roll back' : 'Promote'}
          onClose={() => setAsked(undefined)}
          onConfirm={async (reason) => {
            if (asked === 'rollback') await ask(`${path}/rollback`, { method: 'POST', body: { reason } })
            else await ask(`${path}/promote`, { method: 'POST', body: { version: asked, reason } })
            refresh()
          }}
        >
          <p class="quiet">
            Every running scorer takes the new champion between two batches. Nothing is scored twice.
          </p>
        </Confirm>
      )}
    </>
  )
}

function VersionRow({
  version,
  onPromote,
  onCompare,
}: {
  version: ModelVersion
  onPromote: () => void
  onCompare: (() => void) | undefined
}) {
  const summary = summaryOf(version)
  return (
    <tr>
      <th scope="row" data-label="Version">
        v{version.version}
        {version.aliases.map((alias) => (
          <span key={alias} class={`alias ${alias}`}>
            {alias}
          </span>
        ))}
      </th>
      <td data-label="Made" class="line" title={fullTime(version.created_at)}>
        {ago(version.created_at)}
      </td>
      <td data-label="Kind" class="line" title={summary.start}>
        {summary.kind}
        {summary.start?.startsWith('from') && <span class="note">warm start</span>}
      </td>
      <td data-label="NLL, nats" class="num">
        {summary.nll}
      </td>
      <td data-label="Learned from">
        {summary.records}
        {summary.window && <span class="note">{summary.window}</span>}
      </td>
      <td data-label="Gate">{summary.decision}</td>
      <td data-label="Size" class="num" title={`SHA-256 ${version.sha256}`}>
        {bytes(version.bytes)}
      </td>
      <td class="actions">
        {onCompare && (
          <button
            type="button"
            class="small"
            onClick={onCompare}
            aria-label={`Compare v${version.version} with the champion`}
          >
            Compare
          </button>
        )}
        {!version.aliases.includes('champion') && (
          <button type="button" class="small" onClick={onPromote} aria-label={`Promote v${version.version}`}>
            Promote
          </button>
        )}
      </td>
    </tr>
  )
}
