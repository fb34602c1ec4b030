/**
 * `/responses`: an answer as a list of items, whole or by typed events, that later calls may go on from.
 * @module
 */
import type { Message } from '../../kinds/index.ts'
import { string } from '../../kinds/shapes.ts'
import { seconds } from '../clock.ts'
import type { Answered } from '../session/session.ts'
import { trailingUsage } from './chat-answer.ts'
import { type Call, type StreamWriter, streamed, whole } from './door.ts'
import { invalid, missing } from './errors.ts'
import { type Fields, field } from './fields.ts'
import { type Items, openItems, type Told } from './responses-items.ts'
import { type ResponsesCall, readResponses } from './responses-request.ts'
import { namedEvent } from './sse.ts'

interface Stored {
  readonly json: Fields
  readonly turns: readonly Message[]
  readonly chars: number
}

/** Responses that may be referred to, the newest ones of this process. */
export interface Memory {
  create(call: Call): Promise<Response>
  read(call: Call): Promise<Response>
  remove(call: Call): Promise<Response>
}

const usageOf = (answer: Answered) => ({
  input_tokens: answer.usage.promptTokens,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: answer.usage.outputTokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: answer.usage.promptTokens + answer.usage.outputTokens,
})

/** One response while it is written. */
interface Writing {
  readonly id: string
  readonly items: Items
  /** The response now; `answer` when it is whole. */
  json(status: string, more?: Fields, answer?: Answered): Fields
}

function writing(call: Call, { echo, model, store, logprobs }: ResponsesCall): Writing {
  const name = call.door.newId()
  const id = `resp_${name}`
  const items = openItems(name, logprobs)
  const created = seconds(call.door.clock)
  return {
    id,
    items,
    json: (status, more = {}, answer) => ({
      ...{ id, object: 'response', created_at: created, status, background: false, error: null },
      ...{ incomplete_details: null, model: answer?.model || (model ?? 'auto'), output: items.json, ...echo },
      ...{ service_tier: 'default', store, usage: answer ? usageOf(answer) : null, ...more },
    }),
  }
}

/** The response of a whole answer. */
function ended({ items, json }: Writing, answer: Answered): Fields {
  const limited = answer.finish === 'length'
  if (items.json.length === 0) {
    items.add({ text: answer.text, logprobs: answer.logprobs })
    for (const [index, call] of answer.toolCalls.entries()) items.add({ toolCall: { index, ...call } })
  }
  items.close(!limited)
  return limited
    ? json('incomplete', { incomplete_details: { reason: 'max_output_tokens' } }, answer)
    : json('completed', {}, answer)
}

/** Opens the endpoints: at most `most` responses and so many characters are remembered, the newest ones. */
export function openResponses(most = 256, mostChars = 32_000_000): Memory {
  const stored = new Map<string, Stored>()
  let chars = 0

  function forget(id: string): void {
    chars -= stored.get(id)?.chars ?? 0
    stored.delete(id)
  }

  function keep(id: string, json: Fields, asked: readonly Message[], { text, toolCalls }: Answered): void {
    const answer: Message = { role: 'assistant', content: text, ...(toolCalls.length > 0 ? { toolCalls } : {}) }
    const turns = [...asked, answer]
    const one = { json, turns, chars: JSON.stringify([json, turns]).length }
    stored.set(id, one)
    chars += one.chars
    for (const oldest of stored.keys()) {
      if (stored.size <= most && chars <= mostChars) break
      forget(oldest)
    }
  }

  const find = (id: string): Stored => {
    const found = stored.get(id)
    if (!found) throw missing(`Response with id '${id}' not found.`, 'response_not_found')
    return found
  }

  return {
    async create(call) {
      const previous = field(call.body, 'previous_response_id', string(256, 1), 'the id of a response')
      const before = previous === undefined ? undefined : stored.get(previous)
      // OpenAI says 400 for this one, and 404 only where a response itself is asked for.
      if (previous !== undefined && !before)
        throw invalid(
          'previous_response_id',
          `Previous response with id '${previous}' not found: send the whole conversation.`,
          'previous_response_not_found',
        )
      const asked = readResponses(call.body, before?.turns ?? [])
      const response = writing(call, asked)
      const done = (answer: Answered): Fields => {
        const json = ended(response, answer)
        if (asked.store) keep(response.id, json, asked.turns, answer)
        return json
      }
      if (asked.stream) return streamed(call, [asked.question], () => typedEvents(response, done))
      return whole(call, [asked.question], ([answer]) => answer && done(answer))
    },
    read: async ({ name }) => Response.json(find(name).json),
    async remove({ name }) {
      find(name)
      forget(name)
      return Response.json({ id: name, object: 'response', deleted: true })
    },
  }
}

/** Writes the typed events in OpenAI's order, numbered from 0. */
function typedEvents(response: Writing, done: (answer: Answered) => Fields): StreamWriter {
  let number = 0
  const tell = (events: readonly Told[]): string =>
    events.map(event => namedEvent(event.type, { ...event, sequence_number: number++ })).join('')
  const begin = (): string =>
    number > 0
      ? ''
      : tell(
          ['created', 'in_progress'].map(word => ({
            type: `response.${word}`,
            response: response.json('in_progress'),
          })),
        )
  return {
    step(step) {
      if ('delta' in step) return begin() + tell(response.items.add(step.delta))
      const events = begin() + tell(response.items.close(step.answer.finish !== 'length'))
      const json = done(step.answer)
      const usage = { ...usageOf(step.answer), cost_msats: trailingUsage([step.answer]).cost_msats }
      return events + tell([{ type: `response.${String(json['status'])}`, response: { ...json, usage } }])
    },
    end: () => '',
    error({ body: { code, message, param } }) {
      const failed = response.json('failed', { error: { code: 'server_error', message } })
      return (
        begin() +
        tell([
          { type: 'error', code, message, param },
          { type: 'response.failed', response: failed },
        ])
      )
    },
  }
}
