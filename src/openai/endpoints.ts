/**
 * The list of this room: one line per endpoint.
 * @module
 */
import { seconds } from '../clock.ts'
import { chunks, completion } from './chat-answer.ts'
import { readChat } from './chat-request.ts'
import { completions } from './completions.ts'
import { type Call, streamed, whole } from './door.ts'
import { ApiError, missing } from './errors.ts'
import { model, models } from './models.ts'
import { openResponses } from './responses.ts'
import { classify, embeddings, rerank } from './vectors.ts'

/** Answers one call, or throws an `ApiError`. */
export type Endpoint = (call: Call) => Promise<Response>

/** Answers `/chat/completions`. */
export function chat(call: Call): Promise<Response> {
  const { questions, model: name = 'auto', stream, includeUsage, logprobs } = readChat(call.body)
  const head = { created: seconds(call.door.clock), model: name, includeUsage, logprobs }
  return stream
    ? streamed(call, questions, request => chunks({ id: `chatcmpl-${request}`, ...head }))
    : whole(call, questions, answers => completion(head, answers))
}

/** Finds the endpoint of a path and what stands in it for a name. */
export type Router = (method: string, pathname: string) => { readonly endpoint: Endpoint; readonly name: string }

/** Opens the endpoints. */
export function openEndpoints(): Router {
  const responses = openResponses()
  const table: readonly (readonly [path: string, methods: Readonly<Record<string, Endpoint>>])[] = [
    ['/chat/completions', { POST: chat }],
    ['/completions', { POST: completions }],
    ['/embeddings', { POST: embeddings }],
    ['/rerank', { POST: rerank }],
    ['/classify', { POST: classify }],
    ['/responses', { POST: responses.create }],
    ['/responses/:name', { GET: responses.read, DELETE: responses.remove }],
    ['/models', { GET: models }],
    ['/models/:name', { GET: model }],
  ]
  return (method, pathname) => {
    const path = labelOf(pathname)
    for (const [pattern, methods] of table) {
      const name = nameIn(path, pattern)
      if (name === undefined) continue
      const endpoint = Object.hasOwn(methods, method) ? methods[method] : undefined
      if (endpoint) return { endpoint, name }
      const allowed = Object.keys(methods).join(', ')
      const message = `${method} is not allowed for ${path}; use ${allowed}.`
      throw new ApiError(405, { message, type: 'invalid_request_error', param: null, code: 'method_not_allowed' })
    }
    throw missing(`Nothing is served at ${path}.`, 'unknown_url')
  }
}

/** A path without what programs put before the endpoint: everything up to `/v1`. */
const labelOf = (pathname: string): string => pathname.replace(/^.*?\/v1(?=\/|$)/, '').replace(/(?<=.)\/+$/, '') || '/'

/** The name that a path holds where the pattern wants one; empty where it wants none; `undefined` for another path. */
function nameIn(path: string, pattern: string): string | undefined {
  const [before = '', wants] = pattern.split(':')
  if (wants === undefined) return path === pattern ? '' : undefined
  const name = path.startsWith(before) ? path.slice(before.length) : ''
  if (name === '') return undefined
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
