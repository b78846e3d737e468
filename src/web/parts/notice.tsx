import type { ComponentChildren } from 'preact'
import type { ApiProblem } from '../client.ts'

/** Nothing to show, and why or what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  )
}

/** What the server refused or failed at; a line above what is still shown. What may pass can be asked again. */
export function ProblemLine({ problem, onRetry }: { problem: ApiProblem | undefined; onRetry?: () => void }) {
  if (problem === undefined || problem.status === 401) return null
  return (
    <div class="problem" role="alert">
      <p>{problem.detail}</p>
      {onRetry && problem.mayPass && (
        <button type="button" class="small" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

/** Keeps the place of what is loading, so that nothing jumps when it comes. */
export function Loading({ rows = 3 }: { rows?: number }) {
  return (
    <div class="loading" role="status">
      <span class="unseen">Loading</span>
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} class="bone" />
      ))}
    </div>
  )
}
