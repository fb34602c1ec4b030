/**
 * The session inside a program that `gridstr run` started. It is closed when nobody has asked for a moment, so that the
 * program ends when its own work does, and opened again with the next call.
 * @module
 */
import { wallClock } from '../../clock.ts'
import { createFetch, type GridstrFetch } from '../../openai/index.ts'
import { readArguments } from '../command.ts'
import { openScreen } from '../screen.ts'
import { clientJournal, sessionOf, sessionOptions } from '../sessions.ts'

/** After so long without a call the session is closed. */
const idleMs = 1_500

/** Opens the way to the market with the options of a command line. */
export function openMarketFetch(argv: readonly string[]): typeof fetch {
  const clock = wallClock()
  const io = {
    ...{ env: process.env, clock, signal: new AbortController().signal, terminal: false },
    ...{ out() {}, write() {}, stdin: async () => '' },
    err: (text: string) => void process.stderr.write(text),
  }
  const note = (says: string) => io.err(`gridstr: ${says}\n`)
  let open: Promise<{ readonly fetch: GridstrFetch; close(): Promise<void> }> | undefined
  let calls = 0
  let stop = () => {}

  async function begin() {
    const args = readArguments(argv, sessionOptions)
    const options = await sessionOf(args, io, openScreen(io))
    const journal = clientJournal(args.text('journal'), io, note)
    const fetch = createFetch({ ...options, journal, clock, onNotice: ({ says }) => note(says) })
    return {
      fetch,
      async close() {
        await fetch.close()
        journal.close()
      },
    }
  }

  function over() {
    calls--
    stop()
    if (calls > 0) return
    stop = clock.after(idleMs, () => {
      const closing = open
      open = undefined
      void closing?.then(one => one.close()).catch(() => {})
    })
  }

  return async (input, init) => {
    calls++
    stop()
    try {
      open ??= begin()
      const { fetch } = await open
      const response = await fetch(input instanceof URL ? input.href : input, init)
      return whole(response, over)
    } catch (error) {
      // What is wrong with the options is told by every call.
      if (calls === 1) open = undefined
      over()
      throw error
    }
  }
}

/** The response; `over` is called once, when its body was read, or nobody wants it. */
function whole(response: Response, over: () => void): Response {
  const { body, status, statusText, headers } = response
  if (!body) {
    over()
    return response
  }
  let told = false
  const once = () => {
    if (!told) over()
    told = true
  }
  const reader = body.getReader()
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        controller.close()
        once()
      } catch (error) {
        once()
        controller.error(error)
      }
    },
    async cancel(reason) {
      once()
      await reader.cancel(reason)
    },
  })
  return new Response(stream, { status, statusText, headers })
}
