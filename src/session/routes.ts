/**
 * Who would be asked, known before anybody asks: a route for each shape of question, looked for again behind the back of
 * the questions that use it.
 * @module
 */
import { textRequest } from '../../kinds/index.ts'
import { lru } from '../bounded.ts'
import type { Client, Route, RoutedQuestion } from '../client/client.ts'
import { aborted, type Clock } from '../clock.ts'

export interface Routes {
  /** A route of at most 30 s; waits only where none is kept. `undefined`: the question looks for its own way. */
  get(question: RoutedQuestion, signal?: AbortSignal): Promise<Route | undefined>
  /** A node of this route did not do it: the next question finds its way anew. */
  spoil(question: RoutedQuestion): void
  close(): void
}

interface Kept {
  readonly question: RoutedQuestion
  route?: Route
  at: number
  usedAt: number
  uses: number
  looking?: Promise<Route | undefined>
}

const freshMs = 30_000
const renewMs = 10_000
/** A shape that nobody used for so long is let go of. */
const idleMs = 300_000
const shapes = 64

/** Keeps routes of `client`. */
export function openRoutes({
  client,
  clock,
}: {
  readonly client: Pick<Client, 'route'>
  readonly clock: Clock
}): Routes {
  const kept = lru<string, Kept>(shapes)
  const life = new AbortController()
  const all = new Set<Kept>()
  let cancel: (() => void) | undefined

  function look(one: Kept): Promise<Route | undefined> {
    const asked = clock.now()
    one.looking ??= client
      .route(one.question, life.signal)
      .then(
        route => {
          // Nobody is no answer to keep: somebody may come.
          if (route.candidates.length > 0) Object.assign(one, { route, at: asked, uses: 0 })
          else delete one.route
          return route
        },
        () => undefined,
      )
      .finally(() => {
        delete one.looking
        tick()
      })
    return one.looking
  }

  /** Wakes for the shape that is due next. */
  function tick() {
    cancel?.()
    cancel = undefined
    if (life.signal.aborted) return
    const now = clock.now()
    for (const one of all) if (now - one.usedAt > idleMs) all.delete(one)
    const next = Math.min(...[...all].map(({ at }) => at + renewMs))
    if (!Number.isFinite(next)) return
    cancel = clock.after(Math.max(1_000, next - now), () => {
      for (const one of all) if (clock.now() - one.at >= renewMs && !one.looking) void look(one)
      tick()
    })
  }

  return {
    async get(question, signal) {
      // A router that takes a fee is asked once for each question, out of its money.
      if ((question.routerFeeMsats ?? 0n) > 0n || life.signal.aborted) return undefined
      const shape = shapeOf(question)
      let one = kept.get(shape)
      if (!one) {
        one = { question: bare(question), at: Number.NEGATIVE_INFINITY, usedAt: 0, uses: 0 }
        kept.set(shape, one)
      }
      const now = clock.now()
      one.usedAt = now
      if (all.size < shapes) all.add(one)
      if (one.route && now - one.at <= freshMs) {
        if (!cancel) tick()
        return one.uses++ === 0 ? one.route : again(one.route)
      }
      const found = look(one)
      const route = await Promise.race([found, aborted(signal)])
      one.uses++
      return route
    },
    spoil(question) {
      const one = kept.get(shapeOf(question))
      if (!one) return
      delete one.route
      if (!one.looking) void look(one)
    },
    close() {
      life.abort()
      cancel?.()
    },
  }
}

/** What a decision depends on, and nothing of what is asked. */
function bare(question: RoutedQuestion): RoutedQuestion {
  const { capMsats, routers, kind = textRequest.number } = question
  const told = Object.entries(question).filter(([name]) => conditions.has(name))
  return { ...Object.fromEntries(told), kind, capMsats, routers }
}

const conditions: ReadonlySet<string> = new Set([
  ...['kind', 'model', 'maxTokens', 'privacy', 'own', 'identity', 'allow', 'deny', 'region', 'determinism'],
  ...['minScore', 'explore', 'terms', 'deadlineMs', 'policy', 'auctionMs', 'slackMs', 'capMsats', 'routers'],
])

const shapeOf = (question: RoutedQuestion): string =>
  JSON.stringify(
    Object.entries(bare(question)).sort(([a], [b]) => (a < b ? -1 : 1)),
    (_, value) => (typeof value === 'bigint' ? `${value}n` : value),
  )

/** A quote serves one job. */
const again = (route: Route): Route => ({
  ...route,
  candidates: route.candidates.map(({ quote: _, ...one }) => one),
})
