/**
 * From a question to the signed job: who signs it, what is sealed, what it may say for all to see, and what of it has to be
 * known until it ends.
 * @module
 */
import { type Event, isSealed, jobKind, type Privacy, present, textInput, type WishedTerms } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Why } from '../job.ts'
import type { Keys } from '../keys.ts'
import { zapRequestFor } from '../payments/zap.ts'
import type { Opening } from './keeping.ts'
import { levelOf, refusedLevel, wrappedFrom } from './levels.ts'
import type { Identity } from './one-key.ts'
import type { Packed } from './packing.ts'
import { kindOf, type Question, worksOn } from './question.ts'
import { ownShare } from './shares.ts'

/** A job with all that is known of it while its process lives. */
export interface Opened {
  readonly opening: Opening
  readonly identity: Identity
  /** The level that the customer relies on. */
  readonly privacy: Privacy
  /** The customer named the node as its own. */
  readonly ownNode: boolean
  /** As the node announces it. */
  readonly retentionSeconds?: number
  /** Why nothing may be published of it. */
  readonly refusal?: Why
  /** What was published before the request: chunks of its inputs. */
  readonly said?: readonly Event[]
}

export interface OpeningOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
}

/** A bid is for a whole price, also where only its last parts are still to be bought. */
function bidFor(capMsats: bigint, priceMsats: bigint | undefined, terms: WishedTerms | undefined): bigint {
  const [parts, from] = terms?.word === 'parts' ? [terms.parts, terms.from ?? 0] : [1, 0]
  const whole = from < parts ? (capMsats * BigInt(parts)) / BigInt(parts - from) : capMsats
  return priceMsats !== undefined && priceMsats < whole ? priceMsats : whole
}

/** Signs the job, and publishes nothing. Throws for a question that nobody could read. */
export function openJob(
  { relays, keys, clock }: OpeningOptions,
  question: Question,
  identity: Identity,
  packed?: Packed,
): Opened {
  const { node, capMsats, terms, begun } = question
  const { secret, seal } = identity
  const privacy = levelOf(question)
  const hidden = privacy >= wrappedFrom
  const announcement = node?.announcement
  const price = announcement?.priceMsats
  // A zap names one price, so that parts go without a receipt; and a receipt names the job for all to see.
  const own = ownShare(present({ announcement, ask: present({ node: node?.pubkey }) }))
  const affordable = price !== undefined && own !== undefined && own > 0n && price <= capMsats
  const receipt = affordable && terms?.word !== 'parts' && !hidden
  // Who announced a price is offered that price: what we could pay at most is nobody's business.
  const bidMsats = bidFor(capMsats, price, terms)
  const now = seconds(clock)
  const ttlSeconds = question.ttlSeconds ?? 600
  const template = kindOf(question).request.write(
    {
      ...worksOn(question),
      // Where they could not be brought nothing is published: a request that says so little is for the journal alone.
      ...(packed ? { inputs: packed.refusal ? [textInput('-')] : packed.inputs } : {}),
      ...present({ terms, privacy: question.privacy, quote: question.quote }),
      ...(hidden ? {} : present({ routing: question.routing })),
      relays: relays.urls.slice(0, 5).filter(url => /^wss?:/.test(url)),
      providers: node ? [node.pubkey] : [],
      ...(bidMsats > 0n ? { bidMsats } : {}),
      expiresAt: now + ttlSeconds,
      stream: question.stream ?? true,
      receipt,
    },
    now,
    node && privacy > 0 ? plain => seal.encrypt(node.pubkey, plain) : undefined,
  )
  const request = keys.sign(template, secret)
  const zap = receipt && node && { node: node.pubkey, job: request.id, msats: own, relays: relays.urls }
  return {
    ...{ identity, privacy, ownNode: node !== undefined && (question.own ?? []).includes(node.pubkey) },
    ...present({
      retentionSeconds: announcement?.retentionSeconds,
      refusal: refusedLevel(question) ?? packed?.refusal,
    }),
    ...(packed ? { said: packed.said } : {}),
    opening: {
      ...{ request, secret },
      ask: {
        ...{ id: request.id, capMsats, now, ttlSeconds },
        ...(node ? { node: node.pubkey } : {}),
        ...(terms?.word === 'parts' ? present({ parts: terms.parts, from: terms.from }) : {}),
      },
      ...present({ announcement, terms, begun }),
      ...(zap ? { zapRequest: JSON.stringify(keys.sign(zapRequestFor(zap, now), secret)) } : {}),
    },
  }
}

/** A job of an earlier process: the level that it relies on is in its request. */
export function reopenJob(opening: Opening, identity: Identity): Opened {
  const { request, ask } = opening
  const opened =
    isSealed(request) && ask.node !== undefined ? identity.seal.decrypt(ask.node, request.content) : undefined
  const read = jobKind(request.kind)?.request.read(request, opened)
  const said = read?.ok ? read.value.privacy : undefined
  const privacy = said ?? (opened === undefined ? 0 : 1)
  // Nothing of level 3 was published to anybody else.
  return { opening, identity, privacy, ownNode: privacy === 3 }
}
