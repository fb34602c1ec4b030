/**
 * Inputs as a runner needs them: whatever a request points to, in chunks, in another job or in an event, becomes text
 * before the work is looked at, under bounds that all strangers share.
 * @module
 */
import type { Input, Refusal } from '../../kinds/index.ts'
import { no, utf8Bytes } from '../payload/index.ts'
import { type ChainDoor, resolveEventInput, resolveJobInput } from './chained.ts'
import { isChunked, openUnpacking, type UnpackedFor } from './large.ts'
import { LARGE_LIMITS, type LargeLimits } from './large-limits.ts'

export interface InputsOptions extends Omit<ChainDoor, 'payloads'> {
  readonly payloads: Parameters<typeof openUnpacking>[0]['payloads'] & ChainDoor['payloads']
  readonly limits?: Partial<LargeLimits>
}

export interface Inputs {
  readonly limits: LargeLimits
  /** True where nothing has to be fetched: the inputs are what they are. */
  isPlain(inputs: readonly Input[]): boolean
  /** The same inputs, in the same places, as texts. Addresses (`url`) stay. Never rejects. */
  resolve(
    inputs: readonly Input[],
    who: UnpackedFor,
  ): Promise<{ readonly ok: true; readonly inputs: readonly Input[] } | Refusal>
}

const points = ({ type }: Input): boolean => type === 'job' || type === 'event'

/** One for the whole node. */
export function openInputs(options: InputsOptions): Inputs {
  const limits = { ...LARGE_LIMITS, ...options.limits }
  const unpacking = openUnpacking(options)
  let waiting = 0

  const follow = async (inputs: readonly Input[], who: UnpackedFor) => {
    const resolved: Input[] = []
    let left = limits.bytesPerJob
    for (const input of inputs) {
      if (!points(input)) {
        resolved.push(input)
        continue
      }
      const { decrypt, signal } = who
      const from = input.type === 'job' ? resolveJobInput : resolveEventInput
      const how = { asker: who.author, decrypt, mostBytes: left, ...(signal === undefined ? {} : { signal }) }
      const got = await from(input.data, options, { ...how, timeMs: limits.answerMs })
      if (!got.ok) return got
      left -= utf8Bytes(got.text)
      const { marker } = input
      resolved.push({ data: got.text, type: 'text', ...(marker === undefined ? {} : { marker }) })
    }
    return { ok: true as const, inputs: resolved }
  }

  return {
    limits,
    isPlain: inputs => !inputs.some(points),
    async resolve(inputs, who) {
      const references = inputs.filter(input => points(input) && !isChunked(input)).length
      if (references > limits.references)
        return no(
          'references',
          `At most ${limits.references} inputs point to jobs and events: send the others as texts.`,
        )
      if (references > 0 && waiting >= limits.waiting)
        return no(
          'busy',
          'This node waits for as many other jobs as it can now. Ask again in a minute, or ask another one.',
        )
      if (references > 0) waiting++
      try {
        const unpacked = await unpacking.unpack(inputs, who)
        return unpacked.ok && references > 0 ? await follow(unpacked.inputs, who) : unpacked
      } finally {
        if (references > 0) waiting--
      }
    },
  }
}
