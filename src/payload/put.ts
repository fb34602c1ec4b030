/**
 * Putting: a window of chunks on their way, each offered until a relay has it.
 * @module
 */
import type { Event, Refusal } from '../../kinds/index.ts'
import type { Published, Relays } from '../../relays/relay.ts'
import { type Clock, pause, seconds, timeLimit } from '../clock.ts'
import { sha256Hex } from '../hash.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { cut } from './cut.ts'
import { no, type PayloadLimits, type PutDone, type PutOptions } from './payload.ts'
import { resume } from './resume.ts'

export interface Putting {
  readonly relays: Relays
  readonly keys: Pick<Keys, 'sign' | 'shared' | 'publicKey'>
  readonly clock: Clock
  readonly limits: PayloadLimits
  readonly journal?: Pick<Journal, 'shelf'>
}

/** A relay that asks for time, has trouble of its own, or says nothing: the same event may be taken later. */
const mayPass = (says: string): boolean => says === '' || /^(rate-limited|error|auth-required)\b/i.test(says)

export async function put(door: Putting, from: Uint8Array | string, options: PutOptions): Promise<PutDone | Refusal> {
  const { keys, clock, limits } = door
  const { secret, to } = options
  const bytes = typeof from === 'string' ? new TextEncoder().encode(from) : from
  const now = seconds(clock)
  if (options.expiresAt <= now)
    return no('expired', 'What expires before it is put reaches nobody: give it a later time.')
  const type = options.type ?? (typeof from === 'string' ? 'text/plain' : 'application/octet-stream')
  const key = sha256Hex(`${keys.publicKey(secret)} ${sha256Hex(bytes)} ${to ?? ''} ${options.owner ?? ''} ${type}`)
  const chunks = Math.ceil(bytes.length / limits.chunkBytes)
  const row = resume(door.journal, { key, chunks, now, at: options.at, expiresAt: options.expiresAt })
  const whole = cut(bytes, {
    ...options,
    keys,
    type,
    at: row.at,
    expiresAt: row.expiresAt,
    chunkBytes: limits.chunkBytes,
  })

  const late = timeLimit(
    clock,
    Math.min(options.timeMs ?? Infinity, (row.expiresAt - now) * 1_000, LONGEST_MS),
    options.signal,
  )
  const failed = new AbortController()
  const signal = AbortSignal.any([late.signal, failed.signal])
  const publish = publisher(door.relays)
  let refusal: Refusal | undefined
  let isSaid = false
  let next = -1
  let done = 0
  let sent = 0
  const tell = () => options.onProgress?.({ done, chunks, bytes: sent, ofBytes: bytes.length })

  const offer = async (event: Event): Promise<boolean> => {
    let refused = 0
    let waitMs = limits.pauseMs[0]
    while (!signal.aborted) {
      const published = await publish(event, signal)
      if (published.accepted > 0) return true
      const final = published.acks.find(ack => !ack.ok && !mayPass(ack.says))
      if (final && ++refused >= limits.refusals) {
        refusal ??= no(
          'refused',
          `No relay takes it; ${final.relay} says "${final.says.slice(0, 200)}". Name a relay that takes it.`,
        )
        failed.abort()
        return false
      }
      await pause(clock, waitMs, signal)
      waitMs = Math.min(waitMs * 2, limits.pauseMs[1])
    }
    return false
  }

  const lane = async () => {
    for (let index = next++; index < chunks && !signal.aborted; index = next++) {
      // The manifest goes first, so that a reader can begin while this goes on.
      if (index < 0) isSaid = await offer(whole.manifest)
      else if (row.has(index) || (await offer(whole.chunk(index)))) {
        if (!row.has(index)) row.took(index)
        done++
        sent += whole.size(index)
        tell()
      }
    }
  }

  try {
    await Promise.all(Array.from({ length: limits.window }, lane))
  } finally {
    late.stop()
    if (done < chunks) row.keep()
  }
  if (refusal) return refusal
  if (!isSaid || done < chunks)
    return no(
      'unreachable',
      `Relays took ${done} of ${chunks} chunks in time. Put the same again: it goes on where it stopped.`,
    )
  row.finish()
  return { ok: true, id: whole.manifest.id, manifest: whole.manifest, value: whole.value }
}

/** A timer cannot wait longer than this. */
const LONGEST_MS = 2_147_483_647

/** Offers events one time each. A relay that is down or silent holds up nobody, as long as another one takes them. */
function publisher(relays: Relays): (event: Event, signal: AbortSignal) => Promise<Published> {
  const silent = new Set<string>()
  return async (event, signal) => {
    const over = new AbortController()
    const ready = relays.state().filter(({ state, url }) => state === 'open' && !silent.has(url)).length
    const want = Math.min(2, Math.max(1, ready))
    const published = await relays.publish(event, { want, signal: AbortSignal.any([signal, over.signal]) })
    for (const { relay, ok, says } of published.acks) {
      if (ok) silent.delete(relay)
      else if (says === '') silent.add(relay)
    }
    // What nobody has answered by then is let go, so that the next offer is not a second copy on the way.
    if (published.accepted === 0) over.abort()
    return published
  }
}
