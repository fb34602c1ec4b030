/**
 * Server-sent events without a server: a body that is written as fast as it is read, with comments while nothing comes so
 * that nobody takes the silence for an end.
 * @module
 */
import type { Clock } from '../clock.ts'

/** One event without a name. */
export const dataEvent = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`

/** One event with its name. */
export const namedEvent = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`

/** The end of a stream as chat completions mark it. */
export const doneEvent = 'data: [DONE]\n\n'

const comment = ': keep-alive\n\n'

export interface Body {
  readonly lines: AsyncIterator<string, undefined>
  readonly clock: Clock
  readonly keepAliveMs: number
  /** Who reads gave up before the end. */
  onCancel(): void
}

/** The body. One piece is made for each read, so a slow reader slows the questions and not the memory. */
export function eventBody(body: Body, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let next: Promise<IteratorResult<string, undefined>> | undefined
  let over = false
  let onAbort = () => {}
  const ended = new AbortController()
  const end = () => {
    over = true
    ended.abort()
    signal?.removeEventListener('abort', onAbort)
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        onAbort = () => {
          if (over) return
          end()
          controller.error(signal?.reason)
          void body.lines.return?.()
        }
        if (signal?.aborted) onAbort()
        else signal?.addEventListener('abort', onAbort, { once: true })
      },
      async pull(controller) {
        next ??= body.lines.next()
        const line = await soon(next, body.clock, body.keepAliveMs, ended.signal)
        if (over) return
        if (line === undefined) return controller.enqueue(encoder.encode(comment))
        next = undefined
        if (!line.done) return controller.enqueue(encoder.encode(line.value))
        end()
        controller.close()
      },
      cancel() {
        if (over) return
        end()
        body.onCancel()
        void body.lines.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

/** What it resolves to, or `undefined` when that takes longer than `ms` or `signal` fires: no timer is left then. */
export function soon<T>(
  what: Promise<T>,
  clock: Clock,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => resolve(undefined))
    const leave = () => {
      stop()
      resolve(undefined)
    }
    const end = () => {
      stop()
      signal?.removeEventListener('abort', leave)
    }
    if (signal?.aborted) leave()
    else signal?.addEventListener('abort', leave, { once: true })
    what.then(
      value => {
        end()
        resolve(value)
      },
      (error: unknown) => {
        end()
        reject(error)
      },
    )
  })
}
