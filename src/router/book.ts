/**
 * The book of a router: everything that it hears becomes entries of its directory, papers in its waiting room and, once
 * judged, labels in its one chain; scores, markets and prices are folds of those.
 * @module
 */
import type { Event, Template } from '../../kinds/index.ts'
import {
  addressees,
  benchmark,
  faultEvidence,
  handler,
  heartbeat,
  identifierOf,
  nodeState,
  priceSheet,
  routing,
  textRequest,
} from '../../kinds/index.ts'
import { lru } from '../bounded.ts'
import { seconds } from '../clock.ts'
import { openDirectory } from '../ledger/directory.ts'
import { auditShare, defaultParams, openCohort, openMedian, paramsHash } from '../ledger/index.ts'
import { openAudits } from './audits.ts'
import type { BookEvent, BookLimits, BookOptions, OpenBook } from './book-options.ts'
import { openRoom } from './cases.ts'
import { openChain } from './chain.ts'
import { openExperience } from './experience.ts'
import { openFaults } from './faults.ts'
import { openLabels } from './labels.ts'
import { openMemory } from './memory.ts'
import { openOwing } from './owing.ts'
import { openPayments } from './payments.ts'
import { openScores } from './scores.ts'
import { seedOf, serviceSecret } from './seeds.ts'
import { openSettlements, openSheet, rowsOf } from './sheet.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { openStakes } from './stakes.ts'
import { openTrials } from './trials.ts'
import { openViews } from './views.ts'
import { openWatching } from './watching.ts'
import { openWeights } from './weights.ts'

export type { BookEvent, BookLimits, BookOptions, OpenBook } from './book-options.ts'

const defaults: BookLimits = {
  ...{ perNodePerMinute: 600, perMinute: 6_000, badPerMinute: 60 },
  ...{ nodes: 100_000, ownJobs: 20_000, otherJobs: 20_000, chars: 2 ** 27, snapshotSeconds: 300 },
}
const tickMs = 5_000
const mostPayers = 10_000
/** A sweep looks at every node: of many at once seldom. */
const sweepSeconds = (nodes: number): number => (nodes > 20_000 ? 30 : 5)
const publishKeepMs = 600_000

/** Opens the book on what its journal keeps, and begins to publish. Throws where the journal has no readable log. */
export function openBook(options: BookOptions): OpenBook {
  const { relays, keys, secret, clock, journal, params = defaultParams, network, stakeRef = 0, trusted = [] } = options
  const limits = { ...defaults, ...options.limits }
  const me = keys.publicKey(secret)
  const hash = paramsHash(params)
  const serviceKey = serviceSecret(secret, hash)
  const service = keys.publicKey(serviceKey)
  const tell = (event: BookEvent) => options.tell?.(event)
  const now = () => seconds(clock)
  let closed = false
  const trouble = (says: string) => {
    if (!closed) tell({ event: 'trouble', request: '', says })
  }
  const meetings = () => relays.state().reduce((sum, { reconnects }) => sum + reconnects, 0)

  const directory = openDirectory({ max: limits.nodes, trusts: author => author === me || trusted.includes(author) })
  const room = openRoom({ own: limits.ownJobs, others: limits.otherJobs, chars: limits.chars })
  const stakes = openStakes(params, judge => judge === me || trusted.includes(judge))
  const rtts = lru<string, number>(100_000)
  const rttMedian = openMedian()
  const memory = openMemory(params)
  const { ledger } = memory
  const weights = openWeights({ payers: ledger.payers, trusted, nowMs: () => clock.now() })
  const settlements = openSettlements()
  const around = (node: string, at: number) => ({ at, stakeUnits: stakes.unitsOf(node, at), stakeRef })
  const standing = (node: string, kind: number, model: string, at: number) =>
    ledger.standing(node, kind, model, { ...around(node, at), rttMs: rtts.get(node), medianRttMs: rttMedian.ms })
  const cohort = openCohort(params.cohort)
  const owing = openOwing()
  const views = openViews({
    ...{ directory, cohort, standing, now },
    bondOf: node => stakes.unitsOf(node, now()),
    isOver: owing.isOver,
    isAway: node => trials.isAway(node),
    failedAt: node => trials.failedAt(node),
  })
  const publish = (by: Uint8Array, event: 'scores' | 'sheet') => (template: Template) => {
    const signed = keys.sign(template, by)
    void relays.publish(signed, { want: 1, keepMs: publishKeepMs }).catch(error => trouble(String(error)))
    tell({ event, id: signed.id, says: event === 'sheet' ? 'price sheet' : identifierOf(signed) || 'profile' })
    return signed
  }
  const ranks = journal.shelf('router-ranks')
  const scores = openScores({
    ...{ router: me, params: hash, now, logId: () => ledger.id, publish: publish(serviceKey, 'scores') },
    lastRank(node) {
      const rank = ranks.get(node)
      return typeof rank === 'number' ? rank : undefined
    },
    keepRank: (node, rank) => ranks.set(node, rank, 'plain'),
    // Round trips are this router's own and in no log: published scores leave them out.
    standing: (node, kind, model, at) => ledger.standing(node, kind, model, around(node, at)),
  })
  const chain = openChain({
    ...{ journal, keys, secret, relays, clock, onTrouble: trouble },
    onEntry(event, { seq }) {
      take(event)
      audits.onEntry(seq)
      if (event.kind === routing.number && addressees(event).length > 1) trials.routed()
    },
  })
  const labels = openLabels({
    ...{ chain, journal, clock, limits, onTrouble: trouble },
    onWritten: ({ id }, { topic, label, job }) =>
      tell({ event: 'attestation', id, says: `${topic} ${label}: job ${job}` }),
  })
  const payments = openPayments({ labels, network, servicesOf: views.servicesOf, verify: keys.verify, now })
  const trials = openTrials({
    ...{ trier: options.trier, limits: options.trials, params, clock, journal, labels, meetings, onTrouble: trouble },
    members: cohort.members,
    entryOf: node => views.servicesOf(node)[0],
    isProven: (node, kind, model) => standing(node, kind, model, now()).stage === 'proven',
    anybodyProven: () => views.market(textRequest.number).proven > 0,
  })
  const audits = openAudits({
    auditor: options.auditor ?? (options.trier && (async () => 'unable')),
    onUnable: trials.drawn,
    share(node, kind, model) {
      const { track, stage } = standing(node, kind, model, now())
      const bonded = stakeRef > 0 ? (stakes.unitsOf(node, now()) / stakeRef) * params.wellBondedJobs : 0
      return auditShare(track, stage, bonded, params, now())
    },
    next: () => chain.position().seq,
    seed: seq => seedOf(secret, seq),
    onAudited: audited => experience.audited(audited),
    onDone: one => room.answer(one, undefined),
    onTrouble: trouble,
  })
  const experience = openExperience({
    ...{ room, labels, payments, weights, audits, meetings, now },
    isAudited: options.auditor !== undefined || options.trier !== undefined,
    routingOf: memory.routingOf,
    owes(job, node, owed) {
      if (owing.stands(job, node, owed)) views.changed(node)
    },
  })
  const faults = openFaults({
    ...{ relays, keys, secret, clock, journal, labels, stakes, onTrouble: trouble, onStake: views.changed },
    isNode: node => directory.get(node) !== undefined,
    isOwnJob(job, node, customer) {
      const { routed, request } = room.find(job) ?? {}
      return routed?.node === node && request?.pubkey === customer
    },
    onVerdict: ({ id }, says) => tell({ event: 'verdict', id, says }),
  })
  const watching = openWatching({
    ...{ relays, keys, secret, clock, faults, sampled: options.sampled, onTrouble: trouble },
    onEvidence: ({ id }, says) => tell({ event: 'evidence', id, says }),
  })
  const sheet = openSheet({
    ...{ id: options.sheetId ?? 'gridstr', feeMsats: options.feeMsats, policy: options.policy, params: hash, service },
    relays: options.relayHints ?? relays.urls,
    rows: () => rowsOf(directory.entries(), settlements.median),
    position: chain.position,
    publish: publish(secret, 'sheet'),
    now,
  })

  /** One entry of the own chain, new or of an earlier process. */
  function take(event: Event) {
    const label = memory.take(event, { paidFee: weights.paidFee, trouble })
    if (!label) return
    const { topic, node, kind, model, job, msats } = label
    if (topic === 'payment') {
      if (label.label === 'settled' && msats !== undefined) settlements.settled(job, kind, model, msats)
      return
    }
    if (topic === 'audit' || (label.label === 'failed' && label.weight === 1))
      trials.judged(node, label.label === 'passed', label.at)
    scores.touched(node, kind, model)
    views.changed(node)
  }

  // Who pays after the answer is in no entry: the router's own bills know.
  for (const { customer } of journal.bills.list({ state: 'paid', limit: mostPayers }).toReversed())
    if (customer !== undefined) weights.paidFee(customer)
  const kept = readSnapshot(journal)
  for (const { event } of chain.entries(0)) take(event)
  directory.restore(kept.events, now())
  for (const one of kept.cases) room.restore(one)
  views.rebuild()
  experience.resume()

  function hear(event: Event) {
    if (event.pubkey === me || event.pubkey === service || closed) return
    const at = now()
    const { kind } = event
    const news = directory.heard(event, at)
    if (news && (kind === handler.number || kind === nodeState.number)) views.changed(event.pubkey, identifierOf(event))
    else if (news && kind === heartbeat.number) views.changed(event.pubkey)
    if (kind === handler.number) {
      if (news) for (const job of payments.announced(event.pubkey)) experience.again(job)
      if (news) faults.present(event.pubkey, 'node')
    } else if (kind === priceSheet.number) faults.present(event.pubkey, 'router')
    else if (kind === faultEvidence.number) faults.heard(event)
    else if (kind === benchmark.number) {
      const read = benchmark.read(event)
      if (news && read.ok) views.changed(read.value.node)
    } else if (!experience.heard(event)) {
      const changed = stakes.heard(event)
      if (changed !== undefined) views.changed(changed)
    }
    watching.heard(event)
  }

  let sweptAt = now()
  let snapshotAt = now()
  let stopTicking = clock.after(0, tick)
  function tick() {
    stopTicking = clock.after(tickMs, tick)
    try {
      if (now() - sweptAt >= sweepSeconds(directory.size)) {
        directory.sweep(now())
        sweptAt = now()
      }
      experience.tick()
      views.tick()
      scores.tick()
      sheet.tick()
      trials.tick()
      faults.tick()
      if (now() - snapshotAt >= limits.snapshotSeconds) snapshot()
    } catch (error) {
      trouble(String(error))
    }
  }

  function snapshot() {
    snapshotAt = now()
    writeSnapshot(journal, { heardAt: now(), events: directory.snapshot(), cases: room.all() })
  }

  return {
    directory,
    service,
    heardAt: kept.heardAt,
    heard(event) {
      try {
        hear(event)
      } catch (error) {
        trouble(String(error))
      }
    },
    entryOf: node => views.servicesOf(node)[0],
    market: views.market,
    scored: standing,
    timed(node, rttMs) {
      const us = (ms: number | undefined) =>
        ms === undefined ? 0 : Math.min(2 ** 29, Math.max(1, Math.round(ms * 1_000)))
      const before = rtts.get(node)
      const after = before === undefined ? rttMs : before + (rttMs - before) * params.ewma
      rttMedian.change(us(before), us(after))
      rtts.set(node, after)
      views.changed(node)
    },
    rttOf: node => rtts.get(node),
    paidFee: weights.paidFee,
    offends: faults.offends,
    position: chain.position,
    append: write => chain.append(write),
    get waiting() {
      return room.size
    },
    scores,
    rows: () => rowsOf(directory.entries(), settlements.median),
    snapshot,
    async judged() {
      await watching.idle
      await faults.idle
    },
    async close() {
      if (closed) return
      closed = true
      stopTicking()
      await audits.close()
      await trials.close()
      await watching.close()
      await faults.close()
      await chain.close()
      snapshot()
    },
  }
}
