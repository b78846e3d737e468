const CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** The first SIGINT or SIGTERM asks commands to stop and tidy up; the second ends the process at once. */
class Interruption {
  readonly #controller = new AbortController()
  #exitCode = 1
  #listening = false

  get signal(): AbortSignal {
    this.#listen()
    return this.#controller.signal
  }

  /** 128 + the number of the signal that came. */
  get exitCode(): number {
    return this.#exitCode
  }

  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    for (const [name, code] of Object.entries(CODES))
      process.on(name, () => {
        if (this.#controller.signal.aborted) process.exit(code)
        this.#exitCode = code
        this.#controller.abort(new Error(name))
      })
  }
}

export const interruption = new Interruption()
