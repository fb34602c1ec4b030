/**
 * Members of a request's body: absent and `null` are the same, and what is wrong says which member it was.
 * @module
 */
import { isRecord } from '../../kinds/json.ts'
import { number, type Shape, string, truth, whole } from '../../kinds/shapes.ts'
import { invalid } from './errors.ts'

/** A body, or an object inside it. */
export type Fields = Readonly<Record<string, unknown>>

/** The member in its shape, `undefined` where it is absent. `says` goes on after its name. */
export function field<T>(body: Fields, name: string, shape: Shape<T>, says: string, at = ''): T | undefined {
  const said = Object.hasOwn(body, name) ? body[name] : undefined
  if (said === undefined || said === null) return undefined
  const value = shape(said)
  if (value === undefined) throw invalid(at + name, `'${at}${name}' must be ${says}.`, 'invalid_value')
  return value
}

/** The member in its shape; 400 where it is absent. */
export function needed<T>(body: Fields, name: string, shape: Shape<T>, says: string, at = ''): T {
  const value = field(body, name, shape, says, at)
  if (value === undefined)
    throw invalid(at + name, `'${at}${name}' is missing: it must be ${says}.`, 'missing_required_parameter')
  return value
}

/** True or false; absent is false. */
export const flag = (body: Fields, name: string): boolean => field(body, name, truth, 'true or false') ?? false

/** An object as it is. */
export const object: Shape<Fields> = value => (isRecord(value) ? value : undefined)

/** A list as it is, of `least` to `most` items. */
export const list =
  (most: number, least = 0): Shape<readonly unknown[]> =>
  value =>
    Array.isArray(value) && value.length >= least && value.length <= most ? value : undefined

/** Refuses members whose effect nobody here could bring about: to leave them out silently would be another question. */
export function refuseUnserved(body: Fields, names: readonly string[]): void {
  for (const name of names) {
    const said = Object.hasOwn(body, name) ? body[name] : undefined
    const empty =
      said === undefined || said === null || said === false || said === '' || (isRecord(said) && !Object.keys(said)[0])
    if (!empty) throw invalid(name, `'${name}' is not served here; leave it out.`, 'unsupported_parameter')
  }
}

/** The name of a model; absent where any will do. */
export const modelOf = (body: Fields): string | undefined =>
  field(body, 'model', string(256, 1), 'the name of a model, 1 to 256 characters')

const most = Number.MAX_SAFE_INTEGER
/** What steers the sampling, spelled alike in all text endpoints. */
export function sampling(body: Fields) {
  const seed = field(body, 'seed', whole(-most, most), 'a whole number')
  return {
    temperature: field(body, 'temperature', number(0, 2), 'a number from 0 to 2'),
    topP: field(body, 'top_p', number(0, 1), 'a number from 0 to 1'),
    // Not OpenAI's own, but of every open engine that speaks its interface.
    topK: field(body, 'top_k', whole(0, 1_000_000), 'a whole number from 0 to 1,000,000'),
    frequencyPenalty: field(body, 'frequency_penalty', number(-2, 2), 'a number from -2 to 2'),
    presencePenalty: field(body, 'presence_penalty', number(-2, 2), 'a number from -2 to 2'),
    // Jobs know no negative seed; this keeps different ones different but for those that nobody uses.
    seed: seed !== undefined && seed < 0 ? seed + most : seed,
  }
}

/** How many answers each; they share one cap, and there are at most 16 in a call. */
export const countOf = (body: Fields): number => field(body, 'n', whole(1, 16), 'a whole number from 1 to 16') ?? 1

/** A limit of tokens. */
export const tokens = (body: Fields, name: string): number | undefined =>
  field(body, name, whole(1, 1_000_000), 'a whole number from 1 to 1,000,000')

/** Texts that end the answer. */
export function stopOf(body: Fields): readonly string[] | undefined {
  const one = string(256, 1)
  const stops = field<readonly string[]>(
    body,
    'stop',
    value => {
      const said: unknown[] = Array.isArray(value) ? value : [value]
      const texts = said.map(one).filter(text => text !== undefined)
      return texts.length === said.length && texts.length <= 16 ? texts : undefined
    },
    'a text or a list of up to 16 texts, each of 1 to 256 characters',
  )
  return stops?.length ? stops : undefined
}

/** Whether the answer is streamed, and whether its last chunk counts tokens. */
export function streamOf(body: Fields): { stream: boolean; includeUsage: boolean } {
  const stream = flag(body, 'stream')
  const options = field(body, 'stream_options', object, 'an object')
  if (options && !stream) throw invalid('stream_options', "'stream_options' is only allowed when 'stream' is true.")
  return { stream, includeUsage: options !== undefined && flag(options, 'include_usage') }
}
