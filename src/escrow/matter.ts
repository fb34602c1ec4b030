/**
 * What a provider hands to a verifier, read by somebody who trusts neither side: signatures, job, customer, digests, and
 * that a sealed event says what it is said to say.
 * @module
 */
import {
  type Event,
  isSealed,
  type Read,
  type TextRequest,
  type TextResult,
  textRequest,
  textResult,
} from '../../kinds/index.ts'
import { sha256Hex } from '../hash.ts'
import { openConversation } from '../seal/under-preimage.ts'

/** A signed event and, where it is sealed, the conversation key that opens it. */
export interface Handed {
  readonly event: Event
  readonly conversationKey?: string
}

const no = (rule: string, says: string) => ({ ok: false, rule, says }) as const
const forged = no('signature', 'The event is not what its author signed.')
const shut = no('sealed', 'The conversation key does not open the event.')

/** The ciphertext is signed and authenticated, so no key but the right one opens it to anything. */
const openedOf = ({ event, conversationKey }: Handed): string | undefined =>
  isSealed(event) ? openConversation(conversationKey, event.content) : undefined

/** Reads the request of a case: of this job, for this provider, and its customer wished this verifier. */
export function readRequest(
  handed: Handed,
  to: { readonly job: string; readonly node: string; readonly verifier: string },
  verify: (event: Event) => boolean,
): Read<TextRequest> {
  const { event } = handed
  if (event.id !== to.job) return no('job', 'This request is another job.')
  if (!verify(event)) return forged
  const opened = openedOf(handed)
  if (isSealed(event) && opened === undefined) return shut
  const read = textRequest.read(event, opened)
  if (!read.ok) return read
  const { terms, providers } = read.value
  if (terms?.word !== 'escrow' || terms.verifier !== to.verifier)
    return no('terms', 'The customer did not wish escrow by this verifier.')
  if (providers.length > 0 && !providers.includes(to.node)) return no('node', 'The customer asked other providers.')
  return read
}

/** Reads the result of a case: by this provider, for this job and customer, its digest true. */
export function readResult(
  handed: Handed,
  of: { readonly job: string; readonly node: string; readonly customer: string },
  verify: (event: Event) => boolean,
): Read<TextResult> {
  const { event } = handed
  if (event.pubkey !== of.node) return no('node', 'This result is by another provider.')
  if (!verify(event)) return forged
  const opened = openedOf(handed)
  if (isSealed(event) && opened === undefined) return shut
  const read = textResult.read(event, opened)
  if (!read.ok) return read
  const { job, customer, digest, text, sealedUnder } = read.value
  if (job !== of.job || customer !== of.customer) return no('job', 'This result is for another job or customer.')
  if (sealedUnder) return no('sealed', 'The text is sealed under a preimage: in escrow the customer reads it.')
  if (digest !== undefined && digest !== sha256Hex(text)) return no('digest', 'The digest is of another text.')
  return read
}
