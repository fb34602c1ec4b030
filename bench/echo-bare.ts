/**
 * What the product is measured against: the least that is still a correct pair of NIP-90 programs. It signs, verifies,
 * seals, opens and matches by `e`; it has no limits, no pool, no state, no money and survives no outage.
 * @module
 */
import type { Event, Template } from '../kinds/index.ts'
import { Socket } from '../relays/socket.ts'
import type { Keys } from '../src/keys.ts'
import { openSeal } from '../src/seal.ts'

export interface BareOptions {
  readonly url: string
  readonly keys: Keys
  readonly secret: Uint8Array
}

export interface BareClient {
  /** Resolves with the echoed text. */
  ask(text: string): Promise<string>
  close(): void
}

const request = 5050
const feedback = 7000
const result = 6050
const now = () => Math.floor(Date.now() / 1000)

/** An open socket with one standing subscription; `onEvent` gets what its author signed. */
async function listen(
  { url, keys }: BareOptions,
  filter: Record<string, unknown>,
  onEvent: (event: Event) => void,
): Promise<{ publish(event: Event): void; close(): void }> {
  const socket = new Socket(url)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  await new Promise<void>(resolve => {
    socket.on('message', data => {
      const [type, , event] = JSON.parse(String(data))
      if (type === 'EVENT' && keys.verify(event)) onEvent(event)
      if (type === 'EOSE') resolve()
    })
    socket.send(JSON.stringify(['REQ', 'bare', filter]))
  })
  return { publish: event => socket.send(JSON.stringify(['EVENT', event])), close: () => socket.terminate() }
}

/** Answers every sealed 5050 that names it: 7000 `processing`, then 6050 with the same text. */
export async function openBareNode(options: BareOptions): Promise<void> {
  const { keys, secret } = options
  const seal = openSeal({ keys, secret })
  const filter = { kinds: [request], '#p': [keys.publicKey(secret)], since: now() }
  const wire = await listen(options, filter, job => {
    const inputs: string[][] = JSON.parse(seal.decrypt(job.pubkey, job.content))
    const text = inputs.find(tag => tag[0] === 'i')?.[1] ?? ''
    const about = [['e', job.id], ['p', job.pubkey], ['encrypted']]
    const say = (kind: number, tags: string[][], plain: string) => {
      const template: Template = { kind, created_at: now(), tags, content: seal.encrypt(job.pubkey, plain) }
      wire.publish(keys.sign(template, secret))
    }
    const working = [
      ['status', 'processing'],
      ['content', 'Working on it.'],
    ]
    say(feedback, about, JSON.stringify(working))
    say(result, [['request', JSON.stringify(job)], ...about], text)
  })
}

/** Asks one node. Any number of jobs may be under way. */
export async function openBareClient(options: BareOptions, node: string): Promise<BareClient> {
  const { keys, secret } = options
  const seal = openSeal({ keys, secret })
  const waiting = new Map<string, (text: string) => void>()
  const filter = { kinds: [feedback, result], '#p': [keys.publicKey(secret)], authors: [node], since: now() }
  const wire = await listen(options, filter, event => {
    const job = event.tags.find(tag => tag[0] === 'e')?.[1] ?? ''
    const done = waiting.get(job)
    if (!done) return
    const text = seal.decrypt(event.pubkey, event.content)
    if (event.kind !== result) return
    waiting.delete(job)
    done(text)
  })
  return {
    ask: text =>
      new Promise(resolve => {
        const tags = [['p', node], ['relays', options.url], ['expiration', String(now() + 600)], ['encrypted']]
        const content = seal.encrypt(node, JSON.stringify([['i', text, 'text']]))
        const event = keys.sign({ kind: request, created_at: now(), tags, content }, secret)
        waiting.set(event.id, resolve)
        wire.publish(event)
      }),
    close: wire.close,
  }
}
