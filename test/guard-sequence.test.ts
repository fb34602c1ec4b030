import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BilledTerms } from '../kinds/index.ts'
import { checkQuote, type EarlierOrder } from '../src/payments/guard.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { make, start } from './guard-world.ts'

const runs = 10_000
const [hourSeconds, daySeconds] = [3_600, 86_400]
const invoices = [1n, 500n, 500n, 999n, 1_000n, 1_000n, 1_000n, 1_500n, 2_000n, 2_000n, 3_000n, 5_000n].map(
  (msats, i) => make(`number ${i}`, { msats, expirySeconds: 10_000_000 }),
)
const peers = ['first node', 'second node'].map(sha256Hex)
const jobs = [
  { id: sha256Hex('plain'), wished: undefined },
  { id: sha256Hex('in parts'), wished: { word: 'parts', parts: 3 } },
  { id: sha256Hex('another'), wished: undefined },
] as const
const outcomes = ['planned', 'paid', 'unproven', 'failed'] as const

const cap = fc.option(fc.bigInt(0n, 9_000n), { nil: undefined })
const world = fc.record({
  caps: fc.record({ job: fc.bigInt(0n, 9_000n), hour: cap, day: cap, peer: cap }),
  moves: fc.array(
    fc.record({
      wait: fc.oneof(fc.nat(600), fc.nat(50_000)),
      invoice: fc.nat(invoices.length - 1),
      peer: fc.nat(1),
      job: fc.nat(2),
      part: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      // What the wallet says at once, and what it says later of an order that it left open.
      outcome: fc.constantFrom(...outcomes),
      feeMsats: fc.bigInt(0n, 20n),
      late: fc.option(fc.constantFrom(...outcomes), { nil: undefined }),
    }),
    { minLength: 4, maxLength: 16 },
  ),
})

interface Row extends EarlierOrder {
  readonly job: string
  readonly peer: string
  readonly at: number
  readonly feeMsats: bigint
  readonly part: number
}

test(`no sequence of bills and outcomes spends over a cap or pays anything twice: ${runs} sequences`, {
  timeout: 60_000,
}, () => {
  let [ordered, refused] = [0, 0]
  fc.assert(
    fc.property(world, ({ caps, moves }) => {
      const rows: Row[] = []
      let now = start
      for (const move of moves) {
        now += move.wait
        const pending = rows.findIndex(({ state }) => state === 'planned')
        const open = rows[pending]
        if (open && move.late) rows[pending] = { ...open, state: move.late }
        const invoice = invoices[move.invoice]
        const { id: job = '', wished } = jobs[move.job] ?? {}
        const peer = peers[move.peer] ?? ''
        const spent = (since: number, also: (row: Row) => boolean = () => true) =>
          rows
            .filter(row => row.state !== 'failed' && row.at > since && also(row))
            .reduce((sum, row) => sum + row.msats + row.feeMsats, 0n)
        const terms: BilledTerms | undefined =
          move.part === undefined ? undefined : { word: 'parts', parts: 3, part: move.part }
        const verdict = checkQuote({
          ...{ job, quotedJob: job, ours: () => true, quotedBy: peer, bolt11: invoice?.bolt11 ?? '' },
          ...(wished ? { wished } : {}),
          ...(terms ? { terms } : {}),
          wallet: { network: 'regtest' },
          caps: {
            jobMsats: caps.job,
            ...(caps.hour === undefined ? {} : { hourMsats: caps.hour }),
            ...(caps.day === undefined ? {} : { dayMsats: caps.day }),
            ...(caps.peer === undefined ? {} : { peerDayMsats: caps.peer }),
          },
          spent: {
            jobMsats: spent(0, row => row.job === job),
            hourMsats: spent(now - hourSeconds),
            dayMsats: spent(now - daySeconds),
            peerDayMsats: spent(now - daySeconds, row => row.peer === peer),
          },
          orders: rows.filter(row => row.job === job),
          now,
          seenHashes: hash => rows.some(row => row.hash === hash),
        })
        if (!verdict.ok) {
          refused++
          continue
        }
        ordered++
        const { hash, msats } = verdict.order
        rows.push({
          hash,
          msats,
          state: move.outcome,
          job,
          peer,
          at: now,
          feeMsats: move.feeMsats,
          part: move.part ?? 0,
        })
      }
      heldTo(rows, caps)
    }),
    { numRuns: runs },
  )
  expect(ordered).toBeGreaterThan(runs / 2)
  expect(refused).toBeGreaterThan(runs)
})

/** Looks at the finished history alone, as an accountant would who never saw the guard. */
function heldTo(
  rows: readonly Row[],
  caps: { job: bigint; hour?: bigint | undefined; day?: bigint | undefined; peer?: bigint | undefined },
) {
  expect(new Set(rows.map(({ hash }) => hash)).size).toBe(rows.length)
  const gone = rows.filter(({ state }) => state !== 'failed')
  const total = (some: readonly Row[]) => some.reduce((sum, { msats }) => sum + msats, 0n)
  const within = (limit: bigint | undefined, some: readonly Row[]) =>
    expect(limit === undefined || total(some) <= limit, `${total(some)} over ${limit}`).toBe(true)
  for (const last of gone) {
    const until = gone.filter(({ at }) => at <= last.at)
    within(
      caps.hour,
      until.filter(({ at }) => at > last.at - hourSeconds),
    )
    within(
      caps.day,
      until.filter(({ at }) => at > last.at - daySeconds),
    )
    within(
      caps.peer,
      until.filter(({ at, peer }) => at > last.at - daySeconds && peer === last.peer),
    )
  }
  for (const { id, wished } of jobs) {
    const ofJob = gone.filter(({ job }) => job === id)
    within(caps.job, ofJob)
    // One payment for the whole job, or its parts in order: never one of them twice, never more than is due by then.
    const share = (caps.job + 2n) / 3n
    for (const [index, { part }] of ofJob.entries()) {
      if (part === 0) expect(index).toBe(0)
      else {
        expect(part).toBe(index + 1)
        within(share * BigInt(part), ofJob.slice(0, part))
      }
    }
    expect(ofJob.length).toBeLessThanOrEqual(wished ? wished.parts : 1)
  }
}
