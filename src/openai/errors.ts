/**
 * Why there is no answer, as programs for OpenAI's interface expect to be told: a status and one error object.
 * @module
 */
import type { Unanswered } from '../session/session.ts'

/** The error object of OpenAI's interface. */
export interface ErrorBody {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

/** A call that ends in an error object. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly body: ErrorBody
  /** True: the same call may be made again at once, and nothing that was paid is paid again. */
  readonly again: boolean
  /** Money left and did not come back, or nobody knows whether it did: no library may repeat the call by itself. */
  readonly spent: boolean
  /** The job, where one was published. */
  readonly request: string | undefined

  constructor(
    status: number,
    body: ErrorBody,
    more: { readonly again?: boolean; readonly spent?: boolean; readonly request?: string | undefined } = {},
  ) {
    super(body.message)
    this.status = status
    this.body = body
    this.again = more.again ?? false
    this.spent = more.spent ?? false
    this.request = more.request
  }
}

/** A body or parameter that cannot be served: 400. */
export const invalid = (param: string | null, message: string, code: string | null = null): ApiError =>
  new ApiError(400, { message, type: 'invalid_request_error', param, code })

/** Something that is not there: 404. */
export const missing = (message: string, code: string, param: string | null = null): ApiError =>
  new ApiError(404, { message, type: 'invalid_request_error', param, code })

/** A node that answered nonsense: 502, and its money is gone. */
export const nonsense = (message: string, request?: string): ApiError =>
  new ApiError(502, { message, type: 'server_error', param: null, code: 'bad_answer' }, { spent: true, request })

interface Told {
  readonly status: number
  readonly type: string
  readonly code?: string
  readonly param?: string
}

const quota: Told = { status: 402, type: 'insufficient_quota', code: 'insufficient_quota' }
const tooMany: Told = { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' }
const nobody: Told = { status: 503, type: 'server_error' }
const late: Told = { status: 504, type: 'server_error' }
const refused: Told = { status: 403, type: 'permission_error' }
const wrong: Told = { status: 400, type: 'invalid_request_error' }
const unknownModel: Told = { status: 404, type: 'invalid_request_error', code: 'model_not_found', param: 'model' }

/** Whatever is not in here is a node that failed: 502. */
const told: ReadonlyMap<string, Told> = new Map([
  ...['budget', 'over-cap', 'cap', 'underbid', 'no-wallet', 'unpaid'].map(code => [code, quota] as const),
  ...['busy', 'rate-limited', 'full', 'too-many', 'surge'].map(code => [code, tooMany] as const),
  ...['no-node', 'no-relay', 'relay'].map(code => [code, nobody] as const),
  ...['deadline', 'silent', 'no-answer', 'expired', 'given-up', 'payment-unknown'].map(code => [code, late] as const),
  ...['privacy', 'denied', 'not-allowed', 'region', 'min-score'].map(code => [code, refused] as const),
  ...['kind', 'messages', 'inputs', 'input', 'params', 'request', 'texts', 'query'].map(code => [code, wrong] as const),
  // Rules of runners: asked again, they say the same again.
  ...['empty-texts', 'dimensions', 'labels', 'penalties', 'conversation'].map(code => [code, wrong] as const),
  ...['tools', 'logprobs'].map(code => [code, { ...wrong, param: code }] as const),
  ['schema', { ...wrong, param: 'response_format' }],
  ...['no-model', 'model'].map(code => [code, unknownModel] as const),
  ['too-long', { ...wrong, code: 'context_length_exceeded', param: 'messages' }],
  ['max-tokens', { ...wrong, param: 'max_tokens' }],
  ['empty-prompt', { ...wrong, param: 'messages' }],
  ['closed', { status: 500, type: 'server_error' }],
  ['cancelled', { status: 499, type: 'cancelled' }],
  ['replaced', { status: 502, type: 'server_error' }],
])

/** Statuses of what may be otherwise in a moment. */
const invites = new Set([429, 502, 503, 504])
/** Money may have left although none is counted. */
const inDoubt = new Set(['payment-unknown', 'given-up'])
const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** The error for a question without an answer. Rules of kinds (`5050.topP`) are bad parameters. */
export function errorOf(why: Unanswered): ApiError {
  const rule = /^\d{4,5}\.(\w+)$/.exec(why.code)?.[1]
  const { status, type, code, param } =
    told.get(why.code) ??
    (rule === undefined ? { status: 502, type: 'server_error' } : { ...wrong, param: snake(rule) })
  const spent = why.msats > 0n || inDoubt.has(why.code)
  return new ApiError(
    status,
    { message: why.says, type, param: param ?? null, code: code ?? why.code.replaceAll('-', '_') },
    { again: !spent && invites.has(status), spent, request: why.request },
  )
}

/** The error as a response. `waitMs`: when to come again, where that may help. */
export function errorResponse(error: ApiError, waitMs: number): Response {
  const headers = new Headers({ 'x-should-retry': String(error.again) })
  if (error.request !== undefined) headers.set('x-request-id', error.request)
  if (error.again) {
    headers.set('retry-after-ms', String(waitMs))
    headers.set('retry-after', String(Math.ceil(waitMs / 1000)))
  }
  return Response.json({ error: error.body }, { status: error.status, headers })
}
