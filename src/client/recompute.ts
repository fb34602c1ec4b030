/**
 * Trying routers by samples: of the routing events that this client relies on a random part is recomputed whole, with the
 * chain that it stands in, and a router that does not pass is not used any more.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { attestation, quoteRequest, routing } from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'
import { fromHex, sha256Hex } from '../hash.ts'
import type { Keys } from '../keys.ts'
import type { Conditions } from './conditions.ts'
import { lieOf } from './routing-check.ts'

/** One thing that was tried. `ok` undefined: what it needs is not on the relays. */
export interface Finding {
  readonly check: string
  readonly ok: boolean | undefined
  readonly says: string
}

export interface Recomputed {
  readonly ok: boolean
  readonly findings: readonly Finding[]
}

/** The full recomputation, where the caller has one: scores from the router's log, samples from announcements. */
export type DeepCheck = (routing: Event, relays: Relays, signal?: AbortSignal) => Promise<Recomputed>

/** Share of the routing events that is recomputed. */
export const recomputedShare = 0.05

/** Whether this one is drawn: by its id and by what nobody but this client knows. `secret` is hex. */
export function isDrawn(id: string, secret: string, share = recomputedShare): boolean {
  return Number.parseInt(sha256Hex(fromHex(secret + id)).slice(0, 13), 16) / 2 ** 52 < share
}

export interface RecomputeOptions {
  readonly relays: Relays
  readonly keys: Pick<Keys, 'verify'>
  readonly deep?: DeepCheck
}

/** Recomputes one routing event from what it says and what the relays keep. Never rejects. */
export async function recompute(event: Event, options: RecomputeOptions, signal?: AbortSignal): Promise<Recomputed> {
  const { relays, keys, deep } = options
  const findings: Finding[] = []
  const note = (check: string, ok: boolean | undefined, says: string) => void findings.push({ check, ok, says })
  const end = (): Recomputed => ({ ok: findings.every(({ ok }) => ok !== false), findings })
  const read = routing.read(event)
  note('signature', keys.verify(event), 'The router signed it.')
  note('readable', read.ok, read.ok ? 'It is a routing event.' : read.says)
  if (!read.ok) return end()
  const { asked, prev, seq, seed } = read.value
  const request = asked && quoteRequest.read(asked)
  const genuine = asked !== undefined && keys.verify(asked) && request?.ok === true
  note('request', genuine, 'It embeds the signed request.')
  if (!genuine || !request?.ok) return end()
  const { value } = request
  const conditions: Conditions = { ...value, capMsats: value.capMsats ?? most }
  const lie = lieOf(read.value, asked, conditions, keys.verify)
  note('order', lie === undefined, lie?.says ?? 'Its dice and sample lead to its order.')
  note(
    'chain',
    seq === 0 ? prev === '' : await continues(event.pubkey, { prev, seq, seed }, relays, signal),
    'It follows the entry before, which committed to its seed.',
  )
  if (!deep) return end()
  const deeper = await deep(event, relays, signal).catch(error => ({
    ok: true,
    findings: [{ check: 'deep', ok: undefined, says: `It could not be recomputed: ${String(error)}` }],
  }))
  findings.push(...deeper.findings)
  if (!deeper.ok) note('deep', false, 'The full recomputation comes to another end.')
  return end()
}

/** Whether the entry before is of the same router, has the number before, and committed to this seed where it could. */
async function continues(
  router: string,
  { prev, seq, seed }: { readonly prev: string; readonly seq: number; readonly seed: string },
  relays: Relays,
  signal?: AbortSignal,
): Promise<boolean | undefined> {
  const [before] = await query(relays, [{ ids: [prev] }], signal)
  if (!before) return undefined
  if (before.pubkey !== router) return false
  const entry = before.kind === routing.number ? routing.read(before) : attestation.read(before)
  if (!entry.ok || entry.value.seq !== seq - 1) return false
  return 'commit' in entry.value ? sha256Hex(fromHex(seed)) === entry.value.commit : true
}

const most = 2_100_000_000_000_000_000n
