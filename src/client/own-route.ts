/**
 * Choosing without any router: the announcements and heartbeats on the relays are the directory, what this client measured
 * itself is the record, and the default policy decides as a router would.
 * @module
 */
import { type Announcement, privacyLevels } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { toHex } from '../hash.ts'
import { askedMsats, defaultParams, fold, openTrack, scoreOf, type Track } from '../ledger/index.ts'
import { decide, openDice, openMarket, openPolicy } from '../routing/index.ts'
import type { Conditions } from './conditions.ts'
import { type Offer, readMarket } from './market.ts'
import type { Measured, Measurements } from './measured.ts'

export interface OwnCandidate {
  readonly node: string
  readonly announcement: Announcement
  readonly msats: bigint
  readonly score: number
}

export type OwnRoute =
  | { readonly ok: true; readonly candidates: readonly OwnCandidate[] }
  | { readonly ok: false; readonly code: string; readonly says: string }

export interface OwnRouteOptions {
  readonly relays: Relays
  readonly measured: Measurements
  /** Unix seconds. */
  readonly now: number
  /** Name of a policy of `src/routing/`; one that is not there throws. */
  readonly policy?: string
}

/** Reads the market and decides. */
export async function ownRoute(
  options: OwnRouteOptions,
  conditions: Conditions,
  signal?: AbortSignal,
): Promise<OwnRoute> {
  const { relays, measured, now } = options
  const policy = openPolicy(options.policy)
  const offers = await readMarket(relays, now, conditions.kind, signal)
  const market = openMarket()
  const known = offers.flatMap(({ pubkey }) => measured.of(pubkey) ?? [])
  const around = {
    ...{ at: now, medianPerTokenMs: 0, stakeUnits: 0, stakeRef: 0 },
    medianFirstMs: medianOf(known.flatMap(({ firstMs }) => firstMs ?? [])),
    medianRttMs: medianOf(known.flatMap(({ rttMs }) => rttMs ?? [])),
  }
  const fit = new Map<string, Offer & { readonly msats: bigint; readonly score: number }>()
  for (const offer of offers) {
    const { pubkey: node, announcement } = offer
    const { model } = conditions
    const able = announcement.models.length === 0 || announcement.models.some(({ name }) => name === model)
    if (!announcement.kinds.includes(conditions.kind) || (model !== undefined && !able)) continue
    // Who says no price is asked last and believed up to the cap.
    const msats = askedMsats(announcement, conditions) ?? conditions.capMsats
    const own = measured.of(node)
    const track = trackOf(own)
    const { score, factors } = scoreOf(track, { ...around, rttMs: own?.rttMs }, defaultParams)
    fit.set(node, { ...offer, msats, score })
    market.set({
      ...{ node, service: announcement.id, model, msats: Number(msats), score, factors, stage: 'proven' },
      ...{ status: offer.alive ? 'alive' : 'unknown', inflight: 0, slots: Number.POSITIVE_INFINITY },
      ...{ privacy: privacyLevels(announcement), region: announcement.region, determinism: announcement.determinism },
      ...{ terms: announcement.terms ?? [], firstMs: own?.firstMs, p95FirstMs: own?.p95FirstMs },
    })
  }
  const { capMsats, minScore, terms, ...rest } = conditions
  const wants = { ...rest, minScore, terms: terms?.word, capMsats: Number(capMsats), explore: false, at: now }
  const dice = openDice(toHex(crypto.getRandomValues(new Uint8Array(32))))
  const { order, refusal } = decide(market, wants, policy, dice, defaultParams)
  const candidates = order.flatMap(node => {
    const offer = fit.get(node)
    return offer ? [{ node, announcement: offer.announcement, msats: offer.msats, score: offer.score }] : []
  })
  if (candidates.length > 0) return { ok: true, candidates }
  return {
    ok: false,
    code: refusal?.code ?? 'no-node',
    says: refusal?.says ?? 'Nobody offers this work on these relays.',
  }
}

const medianOf = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0

/** The own record of a node as a track: jobs that it served and failed, at the time of the last one. */
function trackOf(known: Measured | undefined): Track {
  const track = openTrack()
  if (!known) return track
  const { at, served, failed, firstMs } = known
  for (let i = 0; i < Math.min(served, 100); i++) fold(track, { fact: 'served', at, weight: 1, firstMs }, defaultParams)
  for (let i = 0; i < Math.min(failed, 100); i++) fold(track, { fact: 'failed', at, weight: 1 }, defaultParams)
  return track
}
