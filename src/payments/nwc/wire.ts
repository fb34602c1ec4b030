/**
 * The four NIP-47 events as this room reads and writes them, and what it needs from outside to sign and to seal.
 * @module
 */
import type { Event, Template } from '../../../kinds/kind.ts'

/** How a body is sealed: NIP-44 v2, or NIP-04 for wallets that know nothing else. */
export type Scheme = 'nip44' | 'nip04'

/** Signing and verifying, as `src/keys.ts` gives them. */
export interface NwcKeys {
  verify(event: Event): boolean
  sign(template: Template, secret: Uint8Array): Event
  publicKey(secret: Uint8Array): string
}

/** One secret's sealing, as `src/seal.ts` gives it. Both throw on what cannot be done. */
export interface NwcSeal {
  encrypt(peer: string, text: string, scheme?: Scheme): string
  decrypt(peer: string, payload: string): string
}

/** NIP-47's names of the schemes, in the order a wallet of ours prefers them. */
export const ENCRYPTIONS: Readonly<Record<Scheme, string>> = { nip44: 'nip44_v2', nip04: 'nip04' }

/** NIP-04 payloads carry their vector in clear; NIP-44 payloads are bare base64. */
export const schemeOf = (payload: string): Scheme => (payload.includes('?iv=') ? 'nip04' : 'nip44')

export const NUMBERS = { info: 13194, request: 23194, response: 23195, notification: 23197 } as const

const tag = (event: Event, name: string): string | undefined => event.tags.find(t => t[0] === name)?.[1]

export interface InfoEvent {
  readonly methods: readonly string[]
  readonly encryptions: readonly string[]
  readonly notifications: readonly string[]
}

export const readInfo = (event: Event): InfoEvent => ({
  methods: words(event.content),
  encryptions: words(tag(event, 'encryption') ?? 'nip04'),
  notifications: words(tag(event, 'notifications') ?? ''),
})

export const writeInfo = (info: InfoEvent, now: number): Template => ({
  kind: NUMBERS.info,
  created_at: now,
  tags: [
    ['encryption', info.encryptions.join(' ')],
    ['notifications', info.notifications.join(' ')],
  ],
  content: info.methods.join(' '),
})

export interface RequestEvent {
  readonly wallet: string
  /** The scheme's NIP-47 name as the client wrote it; no tag means `nip04`. */
  readonly encryption: string
  readonly expiresAt?: number
  readonly content: string
}

export function readRequestEvent(event: Event): RequestEvent | undefined {
  const wallet = tag(event, 'p')
  if (wallet === undefined) return undefined
  const expiresAt = Number(tag(event, 'expiration') ?? Number.NaN)
  return {
    wallet,
    encryption: tag(event, 'encryption') ?? 'nip04',
    ...(Number.isFinite(expiresAt) && { expiresAt }),
    content: event.content,
  }
}

export const writeRequestEvent = (request: RequestEvent, now: number): Template => ({
  kind: NUMBERS.request,
  created_at: now,
  tags: [
    ['p', request.wallet],
    ['encryption', request.encryption],
    ...(request.expiresAt === undefined ? [] : [['expiration', String(request.expiresAt)]]),
  ],
  content: request.content,
})

export interface ReplyEvent {
  readonly client: string
  /** Id of the request; absent in notifications. */
  readonly request?: string
  readonly content: string
}

export function readReplyEvent(event: Event): ReplyEvent | undefined {
  const client = tag(event, 'p')
  const request = tag(event, 'e')
  if (client === undefined) return undefined
  return { client, ...(request !== undefined && { request }), content: event.content }
}

export const writeReplyEvent = (reply: ReplyEvent, now: number): Template => ({
  kind: reply.request === undefined ? NUMBERS.notification : NUMBERS.response,
  created_at: now,
  tags: [['p', reply.client], ...(reply.request === undefined ? [] : [['e', reply.request]])],
  content: reply.content,
})

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '')
