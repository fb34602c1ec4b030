/**
 * Fetching: asks for exactly what is missing, a page at a time, hears new chunks meanwhile, and believes nothing but
 * the digest of the whole.
 * @module
 */
import { chunksAt, newChunksOf, type Refusal } from '../../kinds/index.ts'
import type { Admit, Filter, Relays } from '../../relays/relay.ts'
import { type Clock, patience, seconds, timeLimit } from '../clock.ts'
import { fromHex, hmacSha256, sha256Hex, toHex } from '../hash.ts'
import { admitted, type Looking } from './look.ts'
import { type Fetched, type FetchOptions, type Found, no, type PayloadLimits } from './payload.ts'
import { openPuzzle } from './puzzle.ts'

export interface Fetching extends Looking {
  readonly limits: PayloadLimits
}

export async function fetch(door: Fetching, found: Found, options: FetchOptions): Promise<Fetched> {
  const { relays, keys, clock, limits } = door
  const { value } = found
  const signer = value.signer ?? found.author
  const late = timeLimit(clock, options.timeMs ?? 600_000, options.signal)
  const puzzle = openPuzzle({ value, signer, decrypt: found.isSealed ? (options.decrypt ?? blind) : undefined })
  const settled = new AbortController()
  const signal = AbortSignal.any([late.signal, settled.signal])
  let restless: (() => void) | undefined

  // What cannot help is dropped before its signature is looked at.
  const admit: Admit = raw =>
    signal.aborted ? undefined : admitted(raw, keys, event => event.pubkey === signer && puzzle.wants(event))
  const onEvent: Parameters<Relays['listen']>[1]['onEvent'] = event => {
    if (signal.aborted || !puzzle.add(event)) {
      if (puzzle.wrong > value.chunks + limits.wrongChunks) settled.abort()
      return
    }
    options.onProgress?.({ done: puzzle.done, chunks: value.chunks, bytes: puzzle.bytes, ofBytes: value.bytes })
    if (puzzle.done === value.chunks) settled.abort()
    restless?.()
  }
  const fresh = relays.listen([newChunksOf(value.payload, signer, seconds(clock))], { admit, onEvent }, signal)

  let page = limits.page
  let at = 0
  let lastMs = clock.now()
  let waitMs = limits.pauseMs[0]
  while (!signal.aborted) {
    const before = puzzle.done
    const asked = puzzle.missing(at, page)
    await ask(relays, clock, chunksAt(value.payload, signer, asked), { admit, onEvent }, limits.pageMs, signal)
    at = (asked.at(-1) ?? -1) + 1
    if (signal.aborted) break
    if (puzzle.done > before) {
      lastMs = clock.now()
      waitMs = limits.pauseMs[0]
      // A page that did not come whole may have been too much for the line.
      const left = asked.filter(index => !puzzle.has(index)).length
      page = left === 0 ? Math.min(page * 2, limits.page) : Math.max(1, page >> 1)
    } else {
      if (clock.now() - lastMs >= (options.stallMs ?? 60_000)) break
      const rest = patience(clock, waitMs, signal)
      restless = rest.end
      await rest.over
      restless = undefined
      waitMs = Math.min(waitMs * 2, limits.pauseMs[1])
    }
  }
  fresh.close()
  late.stop()
  if (puzzle.done < value.chunks)
    return short(puzzle.done, value.chunks, puzzle.wrong > value.chunks + limits.wrongChunks)
  return proven(puzzle.whole, found)
}

const blind = (): never => {
  throw new TypeError('a sealed payload is fetched with the key that opens it')
}

function short(done: number, chunks: number, isLie: boolean): Refusal {
  if (isLie)
    return no(
      'chunks',
      'The author of the payload signs chunks that are none: put it again with a program that cuts it right.',
    )
  return no(
    'missing',
    `${chunks - done} of ${chunks} chunks did not come in time: put the payload again, its author knows which.`,
  )
}

function proven(bytes: Uint8Array<ArrayBuffer>, { value }: Found): Fetched {
  const named = value.salt === undefined || toHex(hmacSha256(fromHex(value.salt), bytes)) === value.payload
  if (!named || sha256Hex(bytes) !== value.sha256)
    return no('digest', 'The chunks together are not what the manifest says: put the payload again.')
  return { ok: true, bytes }
}

/** One question, until it is answered, takes too long or is not needed any more. Never rejects. */
async function ask(
  relays: Relays,
  clock: Clock,
  question: Filter,
  hear: { admit: Admit; onEvent: Parameters<Relays['listen']>[1]['onEvent'] },
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const limit = timeLimit(clock, ms, signal)
  await new Promise<void>(resolve => {
    const done = () => resolve()
    limit.signal.addEventListener('abort', done, { once: true })
    relays.listen([question], { ...hear, once: true, onEose: done }, limit.signal)
    if (limit.signal.aborted) done()
  })
  limit.stop()
}
