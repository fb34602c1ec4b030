/**
 * The log of a router whose journal is behind what it has published: lost, restored from a backup, or moved. Two entries
 * with one number would be a fault that anybody can prove, so nothing is said before the log is whole again.
 * @module
 */
import { attestation, type Event, ofKinds, routing } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { openIntake } from '../intake.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { keyOf } from './chain.ts'
import { recallLabel } from './labels.ts'
import { readBack } from './paging.ts'
import { recallAnswer } from './remembered.ts'

export type Restored =
  /** `entries` were written to the journal; 0 where it was whole. */
  { readonly ok: true; readonly entries: number } | { readonly ok: false; readonly says: string }

export interface RestoreOptions {
  readonly relays: Relays
  readonly journal: Journal
  /** The router's own key. */
  readonly pubkey: string
  readonly keys: Keys
  readonly clock: Clock
}

const pageSize = 500
/** Entries that one restoration reads at most: 500,000. */
const mostPages = 1_000

interface Entry {
  readonly seq: number
  readonly prev: string
  readonly event: Event
  /** Leaves in the journal what this entry keeps the router from saying again. */
  recall(journal: Journal): void
}

/** Reads back what the relays have of this key and the journal has not. Call it before the router opens. */
export async function restoreLog(options: RestoreOptions, signal: AbortSignal): Promise<Restored> {
  const { relays, journal, pubkey, keys, clock } = options
  const log = journal.shelf('router-log')
  const known = log.size
  const found = new Map<number, Entry>()
  let forked: number | undefined
  const take = (event: Event) => {
    const entry = entryOf(event)
    if (!entry || event.pubkey !== pubkey || entry.seq < known) return
    const before = found.get(entry.seq)
    if (before && before.event.id !== event.id) forked = Math.min(forked ?? entry.seq, entry.seq)
    found.set(entry.seq, entry)
  }
  const kinds = [attestation.number, routing.number]
  const past = Number.POSITIVE_INFINITY
  const { admit } = openIntake({ verify: keys.signed, clock, kinds, windowSeconds: { past, ahead: 900 } })
  const filter = ofKinds(kinds, { authors: [pubkey], limit: pageSize })
  await readBack({ relays, filter, admit, pages: mostPages, onEvent: take }, signal)
  if (signal.aborted) return { ok: false, says: 'The relays were not asked to the end what this router has said.' }
  if (forked !== undefined)
    return {
      ok: false,
      says: `This key signed two entries ${forked} of its log: it served two journals. Begin anew with another key.`,
    }
  let prev = idOf(log.get(keyOf(known - 1)))
  const rows: Entry[] = []
  for (let seq = known; found.size > rows.length; seq++) {
    const entry = found.get(seq)
    if (!entry || entry.prev !== prev)
      return {
        ok: false,
        says: `The relays have entries of this key up to ${Math.max(...found.keys())}, and entry ${seq} is missing here and there. Use the journal that belongs to the key, add the relays that it published to, or begin anew with another key.`,
      }
    rows.push(entry)
    prev = entry.event.id
  }
  journal.atomically(() => {
    for (const { seq, event, recall } of rows) {
      log.set(keyOf(seq), JSON.stringify(event))
      recall(journal)
    }
  })
  return { ok: true, entries: rows.length }
}

function entryOf(event: Event): Entry | undefined {
  if (event.kind === routing.number) {
    const read = routing.read(event)
    if (!read.ok) return undefined
    const { seq, prev, request } = read.value
    return { seq, prev, event, recall: journal => recallAnswer(journal, request, event.created_at) }
  }
  const read = attestation.read(event)
  if (!read.ok) return undefined
  const { value } = read
  return { seq: value.seq, prev: value.prev, event, recall: journal => recallLabel(journal, value) }
}

/** Id of a kept entry; empty before the first. */
function idOf(kept: unknown): string {
  if (typeof kept !== 'string') return ''
  const { id } = JSON.parse(kept) as { id?: unknown }
  return typeof id === 'string' ? id : ''
}
