/**
 * What relays bring to a router, as they bring it: nodes announce, lease and measure themselves, bill, answer and meter
 * their jobs, and a judge labels what came of them.
 * @module
 */
import {
  type Announcement,
  type Attestation,
  attestation,
  benchmark,
  type Event,
  feedback,
  handler,
  heartbeat,
  nodeState,
  type Template,
  textResult,
  usageReceipt,
} from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import type { Keys } from '../src/keys.ts'

export const kind = 5050
export const model = 'nano'
export const begin = 1_800_000_000

/** Jobs of each node. */
const jobs = 4
const service = 'text'
const answer = 'The sky is blue because air scatters short waves of light more than long ones. '.repeat(6)

/** Labels of a town of so many nodes. */
export const labelsOf = (nodes: number): number => jobs * nodes

interface Town {
  readonly keys: Keys
  readonly customer: string
  readonly events: Event[]
  /** Signs, and lets the relays bring it. */
  say(template: Template, secret: Uint8Array): Event
}

/**
 * Everything that is said in a town of so many nodes, in the order of time: of each node two announcements, a benchmark,
 * three heartbeats, and of each of its four jobs a bill, a word of progress, the result, the usage receipt, a label by the
 * judge, and the state of the node before and after.
 */
export function eventsOf(keys: Keys, nodes: number): Event[] {
  const events: Event[] = []
  const say = (template: Template, secret: Uint8Array) => {
    const event = keys.sign(template, secret)
    events.push(event)
    return event
  }
  const town: Town = { keys, customer: keys.publicKey(keys.newSecret()), events, say }
  const crew = Array.from({ length: nodes }, (_, i) => openNode(town, i))
  const judge = openJudge(town)
  for (const node of crew) node.announce(begin)
  for (const node of crew) node.beat(begin)
  for (const node of crew) node.measure(begin)
  for (let round = 0; round < jobs; round++) {
    for (const node of crew) judge(node.work(round, begin + 10 * round))
    if (round % 2 === 0) for (const node of crew) node.beat(begin + 10 * round + 9)
  }
  for (const node of crew) node.announce(begin + 10 * jobs)
  return events
}

function openNode({ keys, customer, say }: Town, i: number) {
  const secret = keys.newSecret()
  const node = keys.publicKey(secret)
  const price = 1_000n + BigInt(i)
  let last: Event | undefined

  const state = (at: number, busy: number) =>
    nodeState.write(
      {
        ...{ service, kinds: [kind], generation: begin, expiresAt: at + 300 },
        ...{ slots: { total: 4, busy, queued: 0 }, prices: [{ kind, model, msats: price, unit: 'job' }] },
      },
      at,
    )
  const invoiceOf = (job: string) => `lnbcrt${10 + i}n1${sha256Hex(job).repeat(4)}`

  return {
    announce(at: number) {
      const announced: Announcement = {
        ...{ id: service, kinds: [kind], topics: ['ai'], name: `node ${i}`, about: 'Answers.', encrypted: true, v: 1 },
        ...{
          models: [{ name: model, contextTokens: 512 }],
          nodeKeys: [`02${node}`],
          zappers: [node],
          custodial: false,
        },
        ...{ relays: ['wss://relay.example', 'wss://other.example'], priceMsats: price, terms: ['before', 'parts'] },
      }
      say(handler.write(announced, at), secret)
    },
    beat(at: number) {
      say(heartbeat.write({ service, status: 'online', expiresAt: at + 300, text: 'Heard my own probe.' }, at), secret)
    },
    measure(at: number) {
      const speed = { firstMs: 40, p95FirstMs: 70, tokensPerSecond: 30, samples: 8, hardware: 'two cores' }
      say(benchmark.write({ node, kind, model, profile: 'chat-64', ...speed, at }, at), secret)
    },
    /** One job, and what a judge needs to know of it. */
    work(round: number, at: number) {
      const job = sha256Hex(`job ${i} ${round}`)
      const hash = sha256Hex(`hash ${i} ${round}`)
      const of = { job, customer }
      const bill = { says: 'Pay first.', msats: price, bolt11: invoiceOf(job), paymentHash: hash, expiresAt: at + 600 }
      say(feedback.write({ ...of, ...bill, status: 'payment-required', content: '' }, at), secret)
      say(feedback.write({ ...of, status: 'processing', says: 'At work.', content: '' }, at + 1), secret)
      say(state(at + 1, 1), secret)
      const usage = { promptTokens: 20, outputTokens: 120 }
      const done = { text: answer, msats: 0n, model, usage, digest: sha256Hex(answer), status: 'success' } as const
      const result = say(textResult.write({ ...of, ...done }, at + 3), secret)
      say(state(at + 3, 0), secret)
      const took = { firstMs: 40 + round, ms: 900 }
      const metered = { ...of, result: result.id, kind, model, msats: price, ...usage, ...took, seq: round }
      const chain = last ? { prev: last.id } : {}
      last = say(usageReceipt.write({ ...metered, payments: [{ hash, msats: price }], ...chain }, at + 4), secret)
      return { node, job, evidence: [result.id, last.id], outputTokens: usage.outputTokens, ...took, at: at + 4 }
    },
  }
}

type Worked = Required<Pick<Attestation, 'node' | 'job' | 'evidence' | 'outputTokens' | 'firstMs' | 'ms' | 'at'>>

/** A router whose chain of labels others fold. */
function openJudge({ keys, customer, say }: Town): (worked: Worked) => void {
  const secret = keys.newSecret()
  let seq = 0
  let prev = ''
  return worked => {
    const label: Attestation = {
      ...{ ...worked, topic: 'outcome', label: 'served', customer, kind, model, weight: 0.5 },
      ...{ checks: ['acknowledged', 'metered', 'result'], failed: [], routing: sha256Hex(`route ${seq}`) },
      ...{ commit: sha256Hex(`seed ${seq}`), seq, prev, says: 'Answered, and the customer is content.' },
    }
    prev = say(attestation.write(label, worked.at), secret).id
    seq++
  }
}
