/**
 * What each tool of the MCP server does with the session: plain functions, so that the protocol around them stays thin.
 * @module
 */
import {
  classificationRequest,
  embeddingsRequest,
  jobKind,
  type Message,
  present,
  privacyLevels,
  readEmbeddings,
  rerankRequest,
  textRequest,
  textsInput,
} from '../../kinds/index.ts'
import type { Answered, Asking, KnownJob, Session, SessionQuestion, Unanswered } from '../session/session.ts'
import type { EmbedInput, InferInput, QuoteInput } from './schemas.ts'

/** What a tool gives: a text for people and the same as data. */
export interface ToolResult {
  readonly text: string
  readonly data: { readonly [name: string]: unknown }
}

/** Something that the model or its user can mend. The text says how. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
}

const workKinds = {
  text: textRequest.number,
  embeddings: embeddingsRequest.number,
  rerank: rerankRequest.number,
  classify: classificationRequest.number,
} as const
const workName = (kind: number): string =>
  Object.entries(workKinds).find(([, number]) => number === kind)?.[0] ?? jobKind(kind)?.request.name ?? `kind ${kind}`

const failed = ({ code, says, request, msats }: Unanswered): ToolFailure => {
  const cost = msats > 0n ? ` ${msats} msats were paid and did not come back yet.` : ''
  return new ToolFailure(`${code}: ${says}${cost}${request === undefined ? '' : ` Job ${request}.`}`)
}

/** What a stranger calls itself stays one line of plain text: it must not look like the next line, or move a cursor. */
const oneLine = (name: string): string => name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()

const capOf = (maxSats: number | undefined) =>
  present({ capMsats: maxSats === undefined ? undefined : BigInt(maxSats) * 1_000n })

function questionOf(input: InferInput): SessionQuestion {
  const { prompt, messages, system, model, max_tokens: maxTokens, temperature, json_schema: schema } = input
  if ((prompt === undefined) === (messages === undefined))
    throw new ToolFailure('Give either "prompt" or "messages", not both and not none of them.')
  const talk: readonly Message[] = messages ?? [{ role: 'user', content: prompt ?? '' }]
  return {
    messages: system === undefined ? talk : [{ role: 'system', content: system }, ...talk],
    ...present({ model, maxTokens, temperature, node: input.node }),
    ...present({ privacy: ([0, 1, 2, 3] as const).find(one => one === input.privacy) }),
    ...(schema === undefined ? {} : { responseFormat: { type: 'json_schema', schema } as const }),
    ...capOf(input.max_sats),
  }
}

const wholeMsats = ({ msats, feeMsats }: Answered): number => Number(msats + feeMsats)

function inferred(answer: Answered): ToolResult {
  const { request, node, model, text, finish, usage, privacy } = answer
  return {
    text,
    data: {
      ...{ state: 'answered', request, node, model, text, finish, ...usage, costMsats: wholeMsats(answer) },
      privacyLevel: privacy.level,
      readers: privacy.readers.map(({ who, why }) => `${who}: ${why}`),
    },
  }
}

/** Asks for text. `told` hears the answer grow; `signal` withdraws the job unless it is left to run. */
export async function infer(
  session: Session,
  input: InferInput,
  told: (text: string) => void,
  signal: AbortSignal,
): Promise<ToolResult> {
  const question = questionOf(input)
  if (input.wait === false) return started(session.ask(question))
  const asking = session.ask(question, signal)
  for await (const moment of asking)
    if (moment.moment === 'delta' || moment.moment === 'replaced') told(moment.delta.text ?? '')
  const outcome = await asking.outcome
  if (!outcome.ok) throw failed(outcome)
  return inferred(outcome)
}

async function started(asking: Asking): Promise<ToolResult> {
  const request = await asking.request
  if (request === undefined) {
    const outcome = await asking.outcome
    throw outcome.ok ? new ToolFailure('The job has no id.') : failed(outcome)
  }
  const text = `Job ${request} runs. Ask job_status for its answer.`
  return { text, data: { request, state: 'running', costMsats: 0 } }
}

/** Asks for vectors. */
export async function embed(session: Session, input: EmbedInput, signal: AbortSignal): Promise<ToolResult> {
  const { texts, model, dimensions, node } = input
  const question = {
    ...{ kind: embeddingsRequest.number, inputs: [textsInput(texts)] },
    ...present({ model, dimensions, node }),
    ...capOf(input.max_sats),
  }
  const outcome = await session.ask(question, signal).outcome
  if (!outcome.ok) throw failed(outcome)
  const read = readEmbeddings(outcome.text)
  if (!read) throw new ToolFailure(`The answer is no list of vectors. Ask another node. Job ${outcome.request}.`)
  const { vectors } = read
  const width = vectors[0]?.length ?? 0
  return {
    text: `${vectors.length} vectors of ${width} numbers from ${oneLine(outcome.model)}.`,
    data: {
      ...{ request: outcome.request, node: outcome.node, model: outcome.model, costMsats: wholeMsats(outcome) },
      ...{ dimensions: width, embeddings: vectors.map(vector => Array.from(vector)) },
    },
  }
}

export async function listModels(session: Session, signal: AbortSignal): Promise<ToolResult> {
  const models = (await session.models(signal)).map(({ name, kinds, contextTokens, nodes }) => {
    const prices = nodes.flatMap(({ priceMsats }) => (priceMsats === undefined ? [] : [Number(priceMsats)]))
    const cheapestMsats = prices.length > 0 ? Math.min(...prices) : undefined
    return { name, work: kinds.map(workName), contextTokens, nodes: nodes.length, ...present({ cheapestMsats }) }
  })
  const lines = models.map(
    ({ name, work, cheapestMsats }) =>
      `${oneLine(name)} (${work.join(', ')}): ${cheapestMsats === undefined ? 'price on request' : `from ${cheapestMsats} msats`}`,
  )
  return { text: lines.length > 0 ? lines.join('\n') : 'Nobody offers a model on these relays.', data: { models } }
}

export async function listNodes(session: Session, signal: AbortSignal): Promise<ToolResult> {
  const nodes = (await session.nodes(signal)).map(({ pubkey, announcement, alive }) => ({
    ...{ node: pubkey, name: announcement.name, alive, models: announcement.models.map(({ name }) => name) },
    ...present({
      priceMsats: announcement.priceMsats === undefined ? undefined : Number(announcement.priceMsats),
      region: announcement.region,
    }),
    privacyLevels: [...privacyLevels(announcement)],
  }))
  const lines = nodes.map(({ node, name, alive }) => `${oneLine(name)} · ${node}${alive ? '' : ' · silent lately'}`)
  return { text: lines.length > 0 ? lines.join('\n') : 'No node announces itself on these relays.', data: { nodes } }
}

export async function quote(session: Session, input: QuoteInput, signal: AbortSignal): Promise<ToolResult> {
  const { model, max_tokens: maxTokens, work = 'text' } = input
  const question = { kind: workKinds[work], ...present({ model, maxTokens }), ...capOf(input.max_sats) }
  const found = await session.quote(question, signal)
  const offers = found.map(({ node, model: name, msats, terms }) => ({
    ...{ node, msats: Number(msats), terms: [...terms] },
    ...present({ model: name }),
  }))
  const lines = offers.map(
    ({ node, msats, model: name }) => `${msats} msats · ${oneLine(name ?? 'any model')} · ${node}`,
  )
  return { text: lines.length > 0 ? lines.join('\n') : 'Nobody would do this for so little.', data: { offers } }
}

const jobData = ({ request, state, node, msats, text, says }: KnownJob) => ({
  ...{ request, state, costMsats: Number(msats) },
  ...present({ node, text, says }),
})

export async function jobStatus(session: Session, request: string, signal: AbortSignal): Promise<ToolResult> {
  const job = await session.job(request, signal)
  if (!job) throw new ToolFailure(`This session knows no job ${request}: give the id that infer gave.`)
  return { text: job.text ?? `${job.state}${job.says === undefined ? '' : `: ${job.says}`}`, data: jobData(job) }
}

export async function cancelJob(session: Session, request: string): Promise<ToolResult> {
  const cancelled = await session.cancel(request)
  const text = cancelled ? `Job ${request} is withdrawn.` : `No job ${request} runs: there is nothing to withdraw.`
  return { text, data: { request, cancelled } }
}

export async function balance(session: Session, signal: AbortSignal): Promise<ToolResult> {
  const wallet = await session.balance(signal)
  const { spentMsats, heldMsats, totalMsats } = session.budget()
  const data = {
    ...{ sessionSpentMsats: Number(spentMsats), sessionHeldMsats: Number(heldMsats) },
    ...present({
      walletMsats: wallet === undefined ? undefined : Number(wallet),
      sessionLimitMsats: totalMsats === undefined ? undefined : Number(totalMsats),
    }),
  }
  const limit = totalMsats === undefined ? '' : ` of ${totalMsats}`
  const holds = wallet === undefined ? 'The wallet does not say what it holds.' : `The wallet holds ${wallet} msats.`
  return { text: `${holds} This session spent ${spentMsats}${limit} msats.`, data }
}
