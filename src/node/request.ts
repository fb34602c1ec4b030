/**
 * A request as it comes in: opened, read, and turned into work or into the reason why not.
 * @module
 */
import type { Encrypt, Event, TextRequest } from '../../kinds/index.ts'
import { isSealed, jobIdOf, messagesOf, present, resultKind, schemeOf, textRequest } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { query } from '../../relays/relay.ts'
import type { Why } from '../job.ts'
import type { Runner, Work } from '../runners/runner.ts'
import type { Seal } from '../seal.ts'
import type { NodeEvent } from './node-event.ts'

export interface ReadRequest {
  readonly request: TextRequest
  readonly work: Work
  /** How answers are sealed: as the request was. */
  readonly seal: { readonly encrypt?: Encrypt }
  readonly refusal?: Why
}

/** `undefined` for a sealed request that our key does not open. */
export function readRequest(event: Event, seal: Seal): ReadRequest | undefined {
  const sealed = isSealed(event)
  const opened = sealed ? attempt(() => seal.decrypt(event.pubkey, event.content)) : undefined
  if (sealed && opened === undefined) return undefined
  const scheme = schemeOf(event.content) === 'nip04' ? 'nip04' : 'nip44'
  const how = sealed ? { encrypt: (text: string) => seal.encrypt(event.pubkey, text, scheme) } : {}
  const work = { id: event.id, kind: event.kind, messages: [] }
  const read = textRequest.read(event, opened)
  if (!read.ok) return { request: none, work, seal: how, refusal: { code: read.rule, says: read.says } }
  const request = read.value
  const messages = messagesOf(request)
  if (!messages.ok) return { request, work, seal: how, refusal: { code: messages.rule, says: messages.says } }
  const { model, maxTokens, temperature, topP, topK, seed } = request
  const given = present({ model, maxTokens, temperature, topP, topK, seed })
  return { request, work: { ...work, messages: messages.value, ...given }, seal: how }
}

/** The runner's word on the work, before anything is billed: how many tokens the answer has at most, or why not. */
export async function checkWork(
  runner: Runner,
  work: Work,
  tell: (event: NodeEvent) => void,
): Promise<{ readonly promptTokens: number; readonly maxTokens: number; readonly why?: Why }> {
  try {
    const estimate = await runner.check(work)
    if (estimate.ok) return { promptTokens: estimate.promptTokens, maxTokens: estimate.maxTokens }
    return { promptTokens: 0, maxTokens: 1, why: { code: estimate.rule, says: estimate.says } }
  } catch (error) {
    tell({ event: 'trouble', job: work.id, says: String(error) })
    const says = 'This node cannot look at the job now. Try again later or elsewhere.'
    return { promptTokens: 0, maxTokens: 1, why: { code: 'runner', says } }
  }
}

/**
 * Jobs that this key has delivered since then, as the relays remember them: a node that comes back hears the same
 * requests again and must not do them twice.
 */
export async function answeredBefore(
  relays: Relays,
  pubkey: string,
  kinds: readonly number[],
  since: number,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const results = kinds.flatMap(kind => resultKind(kind) ?? [])
  const events = await query(relays, [{ kinds: results, authors: [pubkey], since, limit: 500 }], signal)
  return new Set(events.flatMap(event => jobIdOf(event) ?? []))
}

const none: TextRequest = { inputs: [], relays: [], providers: [], stream: false, receipt: false }

/** The value, or `undefined` where a stranger's bytes made it throw. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
