/**
 * A question of an application as the client asks it.
 * @module
 */
import { type Privacy, present } from '../../kinds/index.ts'
import type { RoutedQuestion } from '../client/client.ts'
import type { Why } from '../job.ts'
import type { SessionQuestion } from './session.ts'

/** What the session says where the question does not. */
export interface Defaults
  extends Pick<
    RoutedQuestion,
    'routers' | 'routerFeeMsats' | 'policy' | 'privacy' | 'region' | 'minScore' | 'deny' | 'explore' | 'hedge' | 'terms'
  > {
  readonly model?: string
  readonly node?: string
  /** Most for one answer. */
  readonly maxMsats: bigint
  readonly ttlSeconds: number
  /** Keys of the customer's own nodes. */
  readonly own: readonly string[]
  readonly identity: 'one-job' | 'own'
}

/** Why a session does not ask this: whoever opened it has named the only node that may read its questions. */
export function refusedQuestion({ node }: SessionQuestion, defaults: Pick<Defaults, 'node'>): Why | undefined {
  if (node === undefined || defaults.node === undefined || node === defaults.node) return undefined
  const says = `This session asks only ${defaults.node}, and the question names ${node}: leave the node away.`
  return { code: 'no-node', says }
}

/** Writes a question as the client reads it. Its cap is never above that of the session, its privacy never below. */
export function routedQuestion(question: SessionQuestion, defaults: Defaults): RoutedQuestion {
  const { key: _, node = defaults.node, capMsats, ...said } = question
  const { maxMsats, node: __, model, ttlSeconds, own, identity: ___, ...ways } = defaults
  return {
    ...ways,
    ...present({ model, ttlSeconds, own: own.length > 0 ? own : undefined }),
    ...said,
    ...present({ privacy: higher(said.privacy, ways.privacy) }),
    ...(node === undefined ? {} : { allow: [node], routers: [] }),
    capMsats: capMsats === undefined || capMsats > maxMsats ? maxMsats : capMsats,
  }
}

const higher = (one: Privacy | undefined, other: Privacy | undefined): Privacy | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one
