/**
 * A peer that is not ours: raw NIP-01 frames over a socket, signed and sealed with nostr-tools, and a wallet by raw
 * NIP-47. It keeps no rule but those of the wire.
 * @module
 */
import * as nip44 from 'nostr-tools/nip44'
import { type Event, finalizeEvent, generateSecretKey, getPublicKey } from 'nostr-tools/pure'
import { WebSocket } from 'ws'

export type { Event } from 'nostr-tools/pure'

export interface Wire {
  /** Resolves with the relay's word. */
  publish(event: Event): Promise<string>
  /** Resolves when what was stored is told. */
  listen(filters: readonly object[], onEvent: (event: Event) => void): Promise<void>
  close(): void
}

/** One socket to one relay. */
export async function connect(url: string): Promise<Wire> {
  const socket = new WebSocket(url)
  const oks = new Map<string, (says: string) => void>()
  const subs = new Map<string, { onEvent(event: Event): void; onEose(): void }>()
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.on('message', data => {
    const [label, id, two, three] = JSON.parse(String(data))
    if (label === 'OK') oks.get(id)?.(two ? 'ok' : String(three))
    if (label === 'EVENT') subs.get(id)?.onEvent(two)
    if (label === 'EOSE') subs.get(id)?.onEose()
  })
  return {
    publish(event) {
      socket.send(JSON.stringify(['EVENT', event]))
      return new Promise(resolve => oks.set(event.id, resolve))
    },
    listen(filters, onEvent) {
      const id = `s${subs.size}`
      socket.send(JSON.stringify(['REQ', id, ...filters]))
      return new Promise(onEose => subs.set(id, { onEvent, onEose: () => onEose() }))
    },
    close: () => socket.close(),
  }
}

export const now = (): number => Math.floor(Date.now() / 1000)

export interface Peer {
  readonly pubkey: string
  sign(kind: number, tags: string[][], content?: string): Event
  say(kind: number, tags: string[][], content?: string): Promise<Event>
  seal(to: string, text: string): string
  open(from: string, text: string): string
  /** The event inside an ephemeral wrap of a key of one use. */
  wrap(to: string, inner: Event): Promise<Event>
}

export function peer(wire: Wire, secret: Uint8Array = generateSecretKey()): Peer {
  const key = (other: string) => nip44.getConversationKey(secret, other)
  const sign: Peer['sign'] = (kind, tags, content = '') =>
    finalizeEvent({ kind, tags, content, created_at: now() }, secret)
  return {
    pubkey: getPublicKey(secret),
    sign,
    async say(kind, tags, content) {
      const event = sign(kind, tags, content)
      await wire.publish(event)
      return event
    },
    seal: (to, text) => nip44.encrypt(text, key(to)),
    open: (from, text) => nip44.decrypt(text, key(from)),
    async wrap(to, inner) {
      const once = peer(wire)
      return once.say(21059, [['p', to]], once.seal(to, JSON.stringify(inner)))
    },
  }
}

export interface Purse {
  /** Node key of the wallet. */
  nodeKey(): Promise<string>
  bill(msats: number, about?: { descriptionHash?: string; expiry?: number }): Promise<string>
  /** The preimage, or the wallet's error code. */
  pay(bolt11: string): Promise<string>
  /** Resolves with the preimage when the invoice is paid. */
  paid(bolt11: string): Promise<string>
}

/** The wallet of a connection string, by raw NIP-47. */
export async function purse(uri: string): Promise<Purse> {
  const url = new URL(uri)
  const service = url.hostname || url.pathname.replace(/\//g, '')
  const wire = await connect(url.searchParams.get('relay') ?? '')
  const me = peer(wire, Uint8Array.from(Buffer.from(url.searchParams.get('secret') ?? '', 'hex')))
  const waiting = new Map<string, (body: Answer) => void>()
  const settled = new Map<string, string>()
  const watching = new Map<string, (preimage: string) => void>()
  await wire.listen([{ kinds: [23195, 23197], '#p': [me.pubkey], since: now() - 5 }], event => {
    if (event.pubkey !== service) return
    const body = JSON.parse(me.open(service, event.content))
    if (event.kind === 23195) return waiting.get(event.tags.find(tag => tag[0] === 'e')?.[1] ?? '')?.(body)
    const { payment_hash, preimage, invoice } = body.notification ?? {}
    if (body.notification_type !== 'payment_received') return
    for (const name of [payment_hash, invoice]) {
      settled.set(name, preimage)
      watching.get(name)?.(preimage)
    }
  })
  const ask = async (method: string, params: object): Promise<Answer> => {
    const content = me.seal(service, JSON.stringify({ method, params }))
    const request = me.sign(
      23194,
      [
        ['p', service],
        ['encryption', 'nip44_v2'],
      ],
      content,
    )
    const answer = new Promise<Answer>(resolve => waiting.set(request.id, resolve))
    await wire.publish(request)
    return answer
  }
  return {
    nodeKey: async () => (await ask('get_info', {})).result?.pubkey ?? '',
    async bill(msats, { descriptionHash, expiry = 300 } = {}) {
      const what = descriptionHash === undefined ? { description: 'x' } : { description_hash: descriptionHash }
      const { result, error } = await ask('make_invoice', { amount: msats, expiry, ...what })
      if (!result?.invoice) throw new Error(`no invoice: ${error?.message}`)
      return result.invoice
    },
    async pay(invoice) {
      const { result, error } = await ask('pay_invoice', { invoice })
      return result?.preimage ?? error?.code ?? 'nothing'
    },
    paid: bolt11 =>
      new Promise(resolve => {
        const known = settled.get(bolt11)
        if (known === undefined) watching.set(bolt11, resolve)
        else resolve(known)
      }),
  }
}

interface Answer {
  readonly result?: { pubkey?: string; invoice?: string; preimage?: string }
  readonly error?: { code: string; message: string }
}

/** One line of JSON for whoever started this process. */
export const tell = (row: Readonly<Record<string, unknown>>): void =>
  void process.stdout.write(`${JSON.stringify(row)}\n`)

/** The value behind `--name` on the command line. */
export function argument(name: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? '' : (process.argv[at + 1] ?? '')
}
