/**
 * Answers that come in chunks: fetched from the believed node alone, a few at a time, until the job ends or they cannot be
 * what was signed; and a memory of who could read them.
 * @module
 */
import type { Event, TextResult } from '../../kinds/index.ts'
import type { Why } from '../job.ts'
import type { Payloads } from '../payload/index.ts'
import type { AskEvent } from './events.ts'
import { unpackResult } from './large.ts'
import type { ChunksHeard } from './privacy-report.ts'

export interface FetchingOptions {
  readonly payloads: Pick<Payloads, 'look' | 'fetch'>
  /** Reads a result that opened. */
  read(event: Event, opened: string | undefined): TextResult | undefined
  decrypt(peer: string, payload: string): string
  readonly mostBytes: number
  /** The node that is believed so far. */
  chosen(): string | undefined
  /** The result with its whole text. */
  whole(event: Event, opened: string | undefined, text: string): void
  failed(why: Why): void
  tell(event: AskEvent): void
}

export interface Fetching {
  /** True for a result whose text is elsewhere: it is told when it is here. */
  take(event: Event, opened: string | undefined): boolean
  /** How the chunks came, where some did. */
  heard(): ChunksHeard | undefined
  close(): void
}

/** Largest answer that is taken, in bytes, where the question does not say. */
export const mostAnswerBytes = 16 * 1024 * 1024
/** Results of one job that are looked at, and at once. */
const mostResults = 8
const mostAtOnce = 2
/** What may still come. */
const waits: ReadonlySet<string> = new Set(['payload.missing', 'payload.manifest'])

export function openFetching(options: FetchingOptions): Fetching {
  const { payloads, mostBytes, chosen } = options
  const over = new AbortController()
  const seen = new Set<string>()
  let underWay = 0
  let heard: ChunksHeard | undefined

  async function fetch(event: Event, opened: string | undefined, value: TextResult): Promise<void> {
    const sealed = opened !== undefined
    const get: Payloads['get'] = async (id, how) => {
      const found = await payloads.look(id, how)
      if (!found.ok) return found
      const { isSealed, author, value: said } = found.value
      const cover = !isSealed ? 'open' : author === event.pubkey ? 'sealed' : 'wrapped'
      heard = { cover, ...(said.expiresAt === undefined ? {} : { expiresAt: said.expiresAt }) }
      return payloads.fetch(found.value, how)
    }
    while (!over.signal.aborted) {
      const got = await unpackResult(value, {
        ...{ payloads: { get }, author: event.pubkey, mostBytes, signal: over.signal },
        ...(sealed ? { decrypt: options.decrypt } : {}),
        onProgress: ({ bytes, ofBytes }) => options.tell({ event: 'fetching', bytes, ofBytes }),
      })
      if (over.signal.aborted) return
      if (got.ok) return options.whole(event, opened, got.value.text)
      if (!waits.has(got.rule)) return options.failed({ code: got.rule, says: got.says })
    }
  }

  return {
    take(event, opened) {
      const value = options.read(event, opened)
      if (value?.chunked === undefined) return false
      const by = chosen()
      if ((by !== undefined && by !== event.pubkey) || seen.has(event.id)) return true
      if (seen.size >= mostResults || underWay >= mostAtOnce) return true
      seen.add(event.id)
      underWay++
      const done = () => {
        underWay--
      }
      fetch(event, opened, value).then(done, done)
      return true
    },
    heard: () => heard,
    close: () => over.abort(),
  }
}
