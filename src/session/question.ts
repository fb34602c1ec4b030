/**
 * A question of an application as the client asks it.
 * @module
 */
import { deltasOutput, present } from '../../kinds/index.ts'
import type { RoutedQuestion } from '../client/client.ts'
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

/** Pieces that are no text were asked for: the answer comes as one JSON delta a line. */
export const wantsDeltas = ({ tools = [], logprobs }: SessionQuestion): boolean =>
  tools.length > 0 || logprobs !== undefined

/** Writes a question as the client reads it. The cap is never above that of the session. */
export function routedQuestion(question: SessionQuestion, defaults: Defaults): RoutedQuestion {
  const { key: _, node = defaults.node, capMsats, ...said } = question
  const { maxMsats, node: __, model, ttlSeconds, own, identity: ___, ...ways } = defaults
  const output = wantsDeltas(question) ? deltasOutput : undefined
  return {
    ...ways,
    ...present({ model, ttlSeconds, own: own.length > 0 ? own : undefined, output }),
    ...said,
    ...(node === undefined ? {} : { allow: [node], routers: [] }),
    capMsats: capMsats === undefined || capMsats > maxMsats ? maxMsats : capMsats,
  }
}
