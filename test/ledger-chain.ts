/** Logs of a router for the tests of the ledger. */
import type { Attestation } from '../kinds/index.ts'
import { fromHex, sha256Hex } from '../src/hash.ts'
import { foldLog, type LogEntry, labelEntry, routingEntry } from '../src/ledger/index.ts'
import { params, start } from './ledger-world.ts'

export const idOf = (seq: number) => sha256Hex(`entry ${seq}`)
export const seedOf = (seq: number) => sha256Hex(`seed ${seq}`)
const commitOf = (seq: number) => sha256Hex(fromHex(seedOf(seq + 1)))

export type Said = Partial<Attestation>
export const label = (said: Said): Attestation => ({
  ...{
    topic: 'outcome',
    label: 'served',
    node: 'a',
    job: 'j',
    evidence: [],
    kind: 5050,
    model: 'm',
    checks: [],
    failed: [],
  },
  ...{ seq: 0, prev: '', at: start, says: '' },
  ...said,
})

/** A chain of labels, and of routing events where nothing is said. */
export const chain = (said: readonly (Said | 'routing')[]): LogEntry[] =>
  said.map((one, seq) => {
    const prev = seq > 0 ? idOf(seq - 1) : ''
    return one === 'routing'
      ? routingEntry(idOf(seq), { seq, prev, seed: seedOf(seq), commit: commitOf(seq) })
      : labelEntry(idOf(seq), label({ ...one, seq, prev, commit: commitOf(seq) }))
  })
export const folded = (...said: (Said | 'routing')[]) => foldLog(chain(said), params).ledger
