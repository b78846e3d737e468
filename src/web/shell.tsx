import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { setToken, tokenWanted } from './client.ts'
import { Empty } from './parts/notice.tsx'
import { followLinks, usePlace } from './router.ts'
import { useSignal } from './signal.ts'
import { theme, toggleTheme } from './theme.ts'
import { Jobs } from './views/jobs.tsx'
import { Model } from './views/model.tsx'
import { Models } from './views/models.tsx'
import { Overview } from './views/overview.tsx'
import { Pipeline } from './views/pipeline.tsx'
import { Record } from './views/record.tsx'

/** The frame of every view: navigation, theme, and the question for a token. */
export function Shell() {
  const { path } = usePlace()
  const locked = useSignal(tokenWanted)
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: clicks on links bubble here; Enter on a link is a click.
    <div class="shell" onClick={followLinks}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href="/">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M4 23c5 0 6-1 8-8s3-8 4-8 2 1 4 8 3 8 8 8" />
            <circle cx="26.5" cy="10" r="2.8" />
          </svg>
          Surprisal
        </a>
        <nav aria-label="Main">
          <NavLink href="/" current={path.length === 0 || path[0] === 'pipelines'}>
            Pipelines
          </NavLink>
          <NavLink href="/models" current={path[0] === 'models'}>
            Models
          </NavLink>
          <NavLink href="/jobs" current={path[0] === 'jobs'}>
            Jobs
          </NavLink>
        </nav>
        <ThemeButton />
      </header>
      <main id="main" tabIndex={-1}>
        {locked ? <TokenForm /> : <View path={path} />}
      </main>
    </div>
  )
}

function View({ path }: { path: readonly string[] }) {
  const [section, name, kind, id] = path
  if (section === undefined) return <Overview />
  if (section === 'pipelines' && name && kind === 'records' && id) return <Record pipeline={name} id={id} />
  if (section === 'pipelines' && name) return <Pipeline name={name} key={name} />
  if (section === 'models' && name) return <Model name={name} key={name} />
  if (section === 'models') return <Models />
  if (section === 'jobs') return <Jobs id={name} />
  return <Empty title="There is nothing here">The address names no view of this page.</Empty>
}

function NavLink({
  href,
  current,
  children,
}: {
  href: string
  current: boolean
  children: ComponentChildren
}) {
  return (
    <a href={href} aria-current={current ? 'page' : undefined}>
      {children}
    </a>
  )
}

function ThemeButton() {
  const now = useSignal(theme)
  const next = now === 'dark' ? 'light' : 'dark'
  return (
    <button type="button" class="icon" onClick={toggleTheme} aria-label={`Switch to the ${next} theme`}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        {now === 'dark' ? (
          <path d="M10 3v2m0 10v2m7-7h-2M5 10H3m12-5-1.4 1.4M6.4 13.6 5 15m10 0-1.4-1.4M6.4 6.4 5 5M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0Z" />
        ) : (
          <path d="M16.5 11.6A6.8 6.8 0 0 1 8.4 3.5a6.8 6.8 0 1 0 8.1 8.1Z" />
        )}
      </svg>
    </button>
  )
}

function TokenForm() {
  const [token, change] = useState('')
  return (
    <section class="token panel" aria-labelledby="token-title">
      <h1 id="token-title">This server asks for a token</h1>
      <p>
        Paste one of its API tokens. It stays in this browser tab until you close it. A token with the role{' '}
        <b>read</b> looks on; <b>operate</b> also starts jobs and promotes models.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (token.trim() !== '') setToken(token.trim())
        }}
      >
        <label>
          API token
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={(event) => change(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Continue
        </button>
      </form>
    </section>
  )
}
