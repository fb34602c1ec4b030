/**
 * Scores as others read them (NIP-85): signed by the service key of these parameters, published when a rank has changed,
 * each with the entry of the log up to which it was folded.
 * @module
 */
import { type Event, type NodeScore, nodeScore, profile, type Template } from '../../kinds/index.ts'
import { bounded } from '../bounded.ts'
import type { Standing } from '../ledger/index.ts'

export interface ScoresOptions {
  readonly router: string
  readonly params: string
  standing(node: string, kind: number, model: string, at: number): Standing
  /** Id of the last entry of the log. */
  logId(): string
  publish(template: Template): Event
  /** The rank that was published last, by this process or one before. */
  lastRank(node: string): number | undefined
  keepRank(node: string, rank: number): void
  /** Unix seconds. */
  now(): number
}

export interface Scores {
  /** Something was folded about a node in a market. */
  touched(node: string, kind: number, model: string): void
  /** Publishes what changed, and looks at some others, whose scores fade. Gives how many were published. */
  tick(): number
  /** The score of a node as it would be published now, or nothing where nothing was folded. */
  scoreOf(node: string): NodeScore | undefined
}

const mostNodes = 100_000
const mostMarkets = 16
const perTick = 64
const leastSeconds = 60

interface Known {
  readonly markets: Map<string, { readonly kind: number; readonly model: string }>
  rank?: number
  saidAt: number
}

export function openScores(options: ScoresOptions): Scores {
  const { router, params, standing, logId, publish, lastRank, keepRank, now } = options
  const known = bounded<string, Known>(mostNodes)
  const dirty = new Set<string>()
  const names: string[] = []
  let round = 0
  let introduced = false

  function scoreOf(node: string): NodeScore | undefined {
    const one = known.get(node)
    if (!one) return undefined
    // Verifiers take the minute in which the event was signed.
    const at = now() - (now() % 60)
    let seq = -1
    const markets = [...one.markets.values()].map(({ kind, model }) => {
      const { score, factors, stage, log, track } = standing(node, kind, model, at)
      seq = log
      const jobs = track.served / 1_000
      return { kind, model, rank: Math.round(score * 1e8) / 1e6, factors, stage, jobs }
    })
    const rank = Math.round(markets.reduce((best, market) => Math.max(best, market.rank), 0))
    return { node, rank, markets, params, log: { router, seq, id: logId() } }
  }

  function look(node: string): boolean {
    const one = known.get(node)
    if (!one || now() - one.saidAt < leastSeconds) return false
    const score = scoreOf(node)
    dirty.delete(node)
    const last = one.rank ?? lastRank(node)
    if (!score || (last !== undefined && Math.abs(score.rank - last) < 1)) return false
    one.rank = score.rank
    one.saidAt = now()
    keepRank(node, score.rank)
    publish(nodeScore.write(score, now()))
    return true
  }

  return {
    touched(node, kind, model) {
      let one = known.get(node)
      if (!one) {
        one = { markets: new Map(), saidAt: Number.NEGATIVE_INFINITY }
        known.set(node, one)
        if (names.push(node) > 2 * mostNodes) names.splice(0, mostNodes)
      }
      const name = `${kind}:${model}`
      if (one.markets.has(name) || one.markets.size < mostMarkets) one.markets.set(name, { kind, model })
      dirty.add(node)
    },
    tick() {
      let published = 0
      if (!introduced && dirty.size > 0) {
        introduced = true
        publish(profile.write({ name: `gridstr scores ${params.slice(0, 8)} of ${router.slice(0, 8)}` }, now()))
      }
      for (const node of dirty) {
        if (published >= perTick) break
        if (!known.has(node)) dirty.delete(node)
        else if (look(node)) published++
      }
      for (let i = 0; i < perTick && names.length > 0; i++) {
        const node = names[round++ % names.length]
        if (node !== undefined && published < perTick && look(node)) published++
      }
      return published
    },
    scoreOf,
  }
}
