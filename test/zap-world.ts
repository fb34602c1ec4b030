/**
 * An honest paid job from request to zap receipt, and the ways to twist it.
 * @module
 */
import { type Event, type Feedback, feedback, type Template, textRequest } from '../kinds/index.ts'
import { openKeys } from '../src/keys.ts'
import { type InvoiceFields, nodeKeyOf, writeInvoice } from '../src/payments/bolt11.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'
import {
  descriptionHashOf,
  type ReceiptContext,
  receiptFor,
  verifyReceipt,
  zapRequestFor,
} from '../src/payments/zap.ts'

export const keys = await openKeys()
const key = (name: string) => fromHex(sha256Hex(name))
export const [customer, node, zapper, stranger, lightning] = ['c', 'n', 'z', 's', 'l'].map(key) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
export const pub = (secret: Uint8Array) => keys.publicKey(secret)
export const NOW = 1_800_000_000
export const MSATS = 21_000n
export const PREIMAGE = sha256Hex('preimage')

/** What one row of the table changes on the way from the job to the receipt. */
export interface Twist {
  job?: Partial<Event>
  jobBy?: Uint8Array
  /** Id of the job that the request names. */
  requestJob?: string
  request?: (template: Template) => Template
  payer?: Uint8Array
  /** The bytes in the receipt and the invoice. */
  json?: (json: string) => string
  invoice?: Partial<InvoiceFields> & { by?: Uint8Array }
  description?: string
  /** Leaves the amount of the invoice open. */
  open?: boolean
  bolt11?: string
  offer?: Partial<Feedback>
  offerBy?: Uint8Array
  offered?: Partial<Event>
  receipt?: (template: Template) => Template
  receiptBy?: Uint8Array
  forged?: Partial<Event>
  context?: Partial<ReceiptContext>
}

export const jobTemplate = textRequest.write(
  {
    inputs: [{ type: 'text', data: 'Why is the sky blue?' }],
    relays: [],
    providers: [pub(node)],
    stream: false,
    receipt: true,
  },
  NOW,
)

export interface World {
  receipt: Event
  offer: Event
  context: ReceiptContext
  json: string
  bolt11: string
}

export function world(twist: Twist = {}): World {
  const job: Event = { ...keys.sign(jobTemplate, twist.jobBy ?? customer), ...twist.job }
  const asked = zapRequestFor(
    {
      node: pub(node),
      job: twist.requestJob ?? job.id,
      msats: MSATS,
      relays: ['wss://relay.example'],
      zapper: pub(zapper),
    },
    NOW + 1,
  )
  const signed = keys.sign(twist.request?.(asked) ?? asked, twist.payer ?? customer)
  const json = twist.json?.(JSON.stringify(signed)) ?? JSON.stringify(signed)
  const described =
    twist.description === undefined ? { descriptionHash: descriptionHashOf(json) } : { description: twist.description }
  const { by = lightning, ...fields } = twist.invoice ?? {}
  const bolt11 =
    twist.bolt11 ??
    writeInvoice(
      {
        ...{
          network: 'regtest',
          ...(twist.open ? {} : { msats: MSATS }),
          hash: sha256Hex(fromHex(PREIMAGE)),
          secret: sha256Hex('s'),
        },
        ...{ timestamp: NOW + 2, expirySeconds: 600, ...described, ...fields },
      },
      by,
    )
  const bill: Feedback = {
    ...{
      job: job.id,
      customer: pub(customer),
      status: 'payment-required',
      says: '',
      content: '',
      msats: MSATS,
      bolt11,
    },
    ...twist.offer,
  }
  const offer = { ...keys.sign(feedback.write(bill, NOW + 2), twist.offerBy ?? node), ...twist.offered }
  const paid = {
    zapRequestJson: JSON.stringify(keys.sign(asked, twist.payer ?? customer)),
    bolt11,
    preimage: PREIMAGE,
    paidAt: NOW + 10,
  }
  const plain = receiptFor(paid)
  const bytes = { ...plain, tags: plain.tags.map(tag => (tag[1] === paid.zapRequestJson ? [tag[0] ?? '', json] : tag)) }
  const receipt: Event = { ...keys.sign(twist.receipt?.(bytes) ?? bytes, twist.receiptBy ?? zapper), ...twist.forged }
  const context: ReceiptContext = {
    ...{ job, bidMsats: MSATS, offer, node: pub(node), zappers: [pub(zapper)], nodeKeys: [nodeKeyOf(lightning)] },
    ...{ network: 'regtest', now: NOW + 20, firstSeen: NOW + 15, verify: keys.verify },
    ...twist.context,
  }
  return { receipt, offer, context, json, bolt11 }
}
export const reasonsOf = (twist: Twist): readonly string[] => {
  const { receipt, context } = world(twist)
  return verifyReceipt(receipt, context).reasons
}

/** An invoice of the same payee and price that was never offered. */
export function writeInvoiceFor(n: number): string {
  const fields = {
    network: 'regtest',
    msats: MSATS,
    secret: sha256Hex('s'),
    timestamp: NOW + 2,
    description: 'x',
  } as const
  return writeInvoice({ ...fields, hash: sha256Hex(`hash ${n}`) }, lightning)
}

type TagChange = (tag: readonly string[]) => readonly (readonly string[])[]
/** Changes the tags whose value is `value`, so that no tag name is spelled here. */
export const retag =
  (value: (all: Template) => string | undefined, change: TagChange) =>
  (all: Template): Template => ({
    ...all,
    tags: all.tags.flatMap(tag => (tag[1] === value(all) ? change(tag) : [tag])),
  })
/** Says other values in place of one, under the same name; none leaves the tag out. */
export const say =
  (value: string, ...others: string[]) =>
  (all: Template): Template =>
    retag(
      () => value,
      tag => others.map(other => [tag[0] ?? '', other]),
    )(all)
export const at =
  (created_at: number) =>
  (all: Template): Template => ({ ...all, created_at })
