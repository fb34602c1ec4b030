/**
 * A `fetch` that asks the market: what programs send to OpenAI's interface is read, asked over relays, paid, and answered
 * as that interface answers. Nothing is sent to the address that is called, and nothing listens.
 * @module
 */
import type { Privacy } from '../../kinds/index.ts'
import { isRecord, parseJson } from '../../kinds/json.ts'
import { type Clock, wallClock } from '../clock.ts'
import type { SessionOptions } from '../session/index.ts'
import type { Session } from '../session/session.ts'
import type { Door } from './door.ts'
import { openEndpoints, type Router } from './endpoints.ts'
import { ApiError, errorResponse, invalid } from './errors.ts'
import type { Fields } from './fields.ts'
import { type CallLabels, openTries } from './tries.ts'

/** How calls are answered. */
export interface DoorOptions {
  /** Most that one call may cost, its `n` answers together. Default: what the session allows for one question. */
  readonly callMsats?: bigint
  /** Model names that a program knows, and the models that are meant: `{ 'gpt-4o': 'qwen3-8b' }`. `auto` is any. */
  readonly aliases?: Readonly<Record<string, string>>
  /** After so long without a word a stream says a comment, and the head goes out. Default 15,000. */
  readonly keepAliveMs?: number
  /** When a library is told to come again. Default 1,000. */
  readonly retryAfterMs?: number
  readonly privacy?: Privacy
  readonly clock?: Clock
  /** Makes ids and tells equal calls apart. Default: random. */
  newId?(): string
}

/** What a fetch is made of: the options of a session of its own, which it closes, or one that is open and stays open. */
export type FetchOptions = DoorOptions & (SessionOptions | { readonly session: Session })

/** A `fetch` for every program that takes one. */
export interface GridstrFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** The session behind it, opened now where no call has opened it. */
  session(): Promise<Session>
  /** Withdraws what runs and closes the session, where it is its own. */
  close(): Promise<void>
}

/** The most characters of a body. */
const mostChars = 33_554_432

/** Makes a `fetch`. The session is opened with the first call; what is wrong with its options is said by every call. */
export function createFetch(options: FetchOptions): GridstrFetch {
  const { clock = wallClock(), newId = () => crypto.randomUUID().replaceAll('-', '') } = options
  const door: Door = {
    ...{ clock, newId, keepAliveMs: options.keepAliveMs ?? 15_000, retryAfterMs: options.retryAfterMs ?? 1_000 },
    ...{ aliases: options.aliases ?? {}, capMsats: options.callMsats ?? capOf(options) },
    // Level 1 is what a session keeps when nothing is said.
    privacy: options.privacy ?? ('session' in options ? undefined : 1),
  }
  const tries = openTries(clock, newId)
  const find = openEndpoints()
  let opening: Promise<Session> | undefined
  const session = () => {
    opening ??= open(options).catch((error: unknown) => {
      // The next call tries anew: a relay may answer then.
      opening = undefined
      throw error
    })
    return opening
  }

  const answer = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const signal = init.signal ?? (input instanceof Request ? input.signal : undefined)
    signal?.throwIfAborted()
    try {
      const { method, path, body, labels, endpoint, name } = await callOf(find, input, init)
      signal?.throwIfAborted()
      const begin = () => tries.begin(method, path, body, labels)
      return await endpoint({ door, name, body, signal: signal ?? undefined, session, begin })
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      return errorResponse(apiError(error), door.retryAfterMs)
    }
  }
  return Object.assign(answer, {
    session,
    async close() {
      const mine = 'session' in options ? undefined : opening
      await (await mine?.catch(() => undefined))?.close()
    },
  })
}

async function open(options: FetchOptions): Promise<Session> {
  if ('session' in options) return options.session
  const { openSession } = await import('../session/index.ts')
  return openSession(options)
}

/** What the session allows for one question is what this door allows for one call. */
function capOf(options: FetchOptions): bigint | undefined {
  if ('session' in options) return undefined
  const { maxSats, maxMsats } = options
  const sats = maxSats === undefined ? undefined : BigInt(Math.floor(maxSats * 1000))
  return sats === undefined || (maxMsats !== undefined && maxMsats < sats) ? maxMsats : sats
}

interface ReadCall extends ReturnType<Router> {
  readonly method: string
  readonly path: string
  readonly body: Fields
  readonly labels: CallLabels
}

async function callOf(find: Router, input: string | URL | Request, init: RequestInit): Promise<ReadCall> {
  // A relative address is as good a label as any.
  const target = input instanceof Request ? input : new URL(String(input), 'http://gridstr.invalid')
  const { signal: _, ...rest } = init
  const streams = rest.body instanceof ReadableStream ? { duplex: 'half' as const } : {}
  const request = new Request(target, { ...streams, ...rest })
  const path = new URL(request.url).pathname
  const method = request.method.toUpperCase()
  const found = find(method, path)
  const body = method === 'POST' ? bodyOf(await request.text()) : {}
  return { ...found, method, path, body, labels: labelsOf(request.headers) }
}

function bodyOf(text: string): Fields {
  const body = parseJson(text, { chars: mostChars, depth: 64, nodes: 4_000_000 })
  if (isRecord(body)) return body
  throw invalid(null, 'The body must be one JSON object of at most 32 MiB.', 'invalid_json')
}

/** The only headers that are looked at. None of them leaves: keys, cookies and names of organisations are not even read. */
function labelsOf(headers: Headers): CallLabels {
  const count = (name: string) => {
    const said = headers.get(name)
    return said !== null && /^\d{1,9}$/.test(said) ? Number(said) : undefined
  }
  const idempotencyKey = headers.get('idempotency-key')
  const retryCount = count('x-stainless-retry-count')
  const timeoutSeconds = count('x-stainless-timeout')
  return {
    ...(idempotencyKey ? { idempotencyKey } : {}),
    ...(retryCount === undefined ? {} : { retryCount }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
  }
}

/** An error as this interface tells it. A session that cannot be opened says the way out. */
function apiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'trouble'
  const message = error instanceof Error ? error.message : String(error)
  const status = code === 'no-relay' ? 503 : code === 'no-wallet' ? 402 : 500
  const type = status === 402 ? 'insufficient_quota' : 'server_error'
  return new ApiError(status, { message, type, param: null, code: code.replaceAll('-', '_') })
}
