import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ApiProblem } from '../client.ts'
import { ProblemLine } from './notice.tsx'

export interface ConfirmProps {
  readonly title: string
  readonly action: string
  readonly children?: ComponentChildren
  /** What happens; resolves when it is done, throws an ApiProblem when it is refused. */
  readonly onConfirm: (reason: string) => Promise<unknown>
  readonly onClose: () => void
}

/** Asks for a reason before something that others will see. */
export function Confirm({ title, action, children, onConfirm, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [reason, setReason] = useState('')
  const [problem, setProblem] = useState<ApiProblem>()
  const [busy, setBusy] = useState(false)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="confirm-title">
      <form
        onSubmit={async (event) => {
          event.preventDefault()
          setBusy(true)
          try {
            await onConfirm(reason.trim())
            dialog.current?.close()
          } catch (error) {
            setProblem(error as ApiProblem)
          }
          setBusy(false)
        }}
      >
        <h2 id="confirm-title">{title}</h2>
        {children}
        <label>
          Why
          <input
            required
            maxLength={1000}
            value={reason}
            placeholder="Others will read this in the history"
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <ProblemLine problem={problem} />
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  )
}
