/**
 * Which requests were begun and what was answered: claimed before anything runs, so that no request runs twice, not even
 * across a restart on a relay that delivers everything again.
 * @module
 */
import { isRecord, parseJson } from '../../../kinds/json.ts'
import type { PayOrder } from '../payment.ts'
import { type Fields, isFields, type ReplyBody } from './body.ts'
import type { Scheme } from './ports.ts'
import type { NwcStore } from './store.ts'

export interface Claim {
  readonly id: string
  /** Unix seconds after which the request would be too old to be heard again. */
  readonly until: number
  /** After this the wallet must not act. */
  readonly expiresAt?: number
  readonly scheme: Scheme
  readonly method: string
  readonly params: Fields
  /** What `pay_invoice` means; read again from `params` after a restart. */
  order?: PayOrder
  body?: ReplyBody
  repeats: number
}

export interface Claims {
  get(id: string): Claim | undefined
  /** Writes the claim of an act; questions are kept in memory alone, because asking twice harms nobody. */
  open(claim: Claim): void
  /** Keeps the answer beside it. */
  answer(claim: Claim, body: ReplyBody): void
  /** Forgets a claim whose writing was undone. */
  drop(id: string): void
  /** Begun and without an answer, oldest first. */
  unanswered(): Claim[]
  /** True when one more may be remembered; answered ones that are too old to come again make room. */
  roomFor(now: number): boolean
}

/** Methods that change something. */
const ACTS: ReadonlySet<string> = new Set([
  'pay_invoice',
  'make_invoice',
  'make_hold_invoice',
  'settle_hold_invoice',
  'cancel_hold_invoice',
])
const PREFIX = 'claim '

/** What the store knows of claims, at most `max` at one time. */
export function openClaims({ shelf }: NwcStore, max: number): Claims {
  const claims = new Map<string, Claim>()
  for (const [key, value] of shelf.entries(PREFIX)) {
    const claim = claimOf(key.slice(PREFIX.length), value)
    if (claim) claims.set(claim.id, claim)
  }

  const keep = ({ id, until, expiresAt, scheme, method, params, body }: Claim) => {
    if (!ACTS.has(method)) return
    const said = body ? { body: JSON.stringify(body) } : { params: JSON.stringify(params) }
    const weight = method === 'pay_invoice' && !body ? 'money' : 'plain'
    shelf.set(
      `${PREFIX}${id}`,
      { until, scheme, method, ...(expiresAt !== undefined && { expiresAt }), ...said },
      weight,
    )
  }

  function forget(id: string): void {
    const claim = claims.get(id)
    claims.delete(id)
    if (claim && ACTS.has(claim.method)) shelf.delete(`${PREFIX}${id}`)
  }

  return {
    get: id => claims.get(id),
    open(claim) {
      claims.set(claim.id, claim)
      keep(claim)
    },
    answer(claim, body) {
      claim.body = body
      keep(claim)
    },
    drop: id => void claims.delete(id),
    unanswered: () => [...claims.values()].filter(claim => claim.body === undefined),
    roomFor(now) {
      // Oldest first, so that the first that must stay ends the search.
      for (const [id, claim] of claims) {
        if (claim.until >= now || claim.body === undefined) break
        forget(id)
      }
      if (claims.size < max) return true
      for (const [id, claim] of claims) if (claim.until < now && claim.body !== undefined) forget(id)
      return claims.size < max
    },
  }
}

function claimOf(id: string, value: unknown): Claim | undefined {
  if (!isFields(value)) return undefined
  const { until, expiresAt, scheme, method, params, body } = value
  if (typeof until !== 'number' || typeof method !== 'string') return undefined
  const asked = typeof params === 'string' ? parseJson(params, JSON_LIMITS) : {}
  const said = typeof body === 'string' ? bodyOf(parseJson(body, JSON_LIMITS)) : undefined
  return {
    ...{ id, until, method, repeats: 0, scheme: scheme === 'nip04' ? 'nip04' : 'nip44' },
    params: isFields(asked) ? asked : {},
    ...(typeof expiresAt === 'number' && { expiresAt }),
    ...(said && { body: said }),
  }
}

const JSON_LIMITS = { chars: 262_144, depth: 16, nodes: 50_000 }

function bodyOf(value: unknown): ReplyBody | undefined {
  if (!isRecord(value)) return undefined
  const { result_type, error, result } = value
  if (typeof result_type !== 'string') return undefined
  const { code, message } = isRecord(error) ? error : {}
  return {
    result_type,
    error: typeof code === 'string' ? { code, message: typeof message === 'string' ? message : code } : null,
    result: isRecord(result) ? result : null,
  }
}
