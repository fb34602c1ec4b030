import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Event, feedback, parseEvent, type Template } from '../kinds/index.ts'
import { checkZapRequest, verifyReceipt, type ZapExpectation } from '../src/payments/zap.ts'
import { customer, keys, MSATS, node, pub, stranger, world, zapper } from './zap-world.ts'

const runs = 10_000
const { receipt, context, offer, json } = world()
const { job } = context
const request = parseEvent(json)
if (!request) throw new Error('the request is an event')
/** Events that nobody touched are known to be good: what the property is about pays for a signature, they do not. */
const untouched = new Set<Event>([job, offer])
const quick = { ...context, verify: (event: Event) => untouched.has(event) || keys.verify(event) }

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('', '0', '-1', '1e3', '21000', '021000', '__proto__', job.id, offer.id, pub(node), pub(stranger)),
)
/** The same text with one letter more, less or other. */
const nudged = (value: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.nat(value.length), fc.nat(1), fc.string({ maxLength: 1 }))
    .map(([at, cut, letter]) => value.slice(0, at) + letter + value.slice(at + cut))
const changedText = (value: string) => fc.oneof({ weight: 3, arbitrary: nudged(value) }, { weight: 1, arbitrary: text })
const whole = fc.oneof(fc.nat(70_000), fc.nat(2 ** 31))

/** One change anywhere in an event: a field, a tag's word, a tag more, a tag less. */
function mutated(event: Event): fc.Arbitrary<Event> {
  const tags = (change: (tags: string[][]) => string[][]): Event => ({
    ...event,
    tags: change(event.tags.map(tag => [...tag])),
  })
  const index = fc.nat(Math.max(0, event.tags.length - 1))
  return fc
    .oneof(
      changedText(event.content).map(content => ({ ...event, content })),
      changedText(event.id).map(id => ({ ...event, id })),
      changedText(event.sig).map(sig => ({ ...event, sig })),
      fc.constantFrom(...[customer, node, stranger, zapper].map(pub)).map(pubkey => ({ ...event, pubkey })),
      whole.map(created_at => ({ ...event, created_at })),
      whole.map(kind => ({ ...event, kind })),
      fc.tuple(index, fc.nat(3)).chain(([i, j]) => {
        const at = j % Math.max(1, event.tags[i]?.length ?? 0)
        return changedText(event.tags[i]?.[at] ?? '').map(word =>
          tags(all => all.map((tag, n) => (n === i ? tag.with(at, word) : tag))),
        )
      }),
      index.map(i => tags(all => all.toSpliced(i, 1))),
      fc.tuple(index, fc.array(text, { maxLength: 3 })).map(([i, tag]) => tags(all => all.toSpliced(i, 0, tag))),
      index.map(i => tags(all => [...all, all[i] ?? []])),
    )
    .filter(other => JSON.stringify(other) !== JSON.stringify(event))
}
const templateOf = ({ kind, created_at, tags, content }: Event): Template => ({ kind, created_at, tags, content })
const judged = (given: Event, papers: Partial<typeof quick> = {}) => verifyReceipt(given, { ...quick, ...papers }).ok

describe('properties of receipts', () => {
  test('the honest one passes', () => expect(judged(receipt)).toBe(true))

  test(`one change in the receipt, the job or the bill, in transit, is never let pass: ${runs} changes`, {
    timeout: 120_000,
  }, () => {
    const change = fc.oneof(
      mutated(receipt).map(other => ({ receipt: other, job, offer })),
      mutated(job).map(other => ({ receipt, job: other, offer })),
      mutated(offer).map(other => ({ receipt, job, offer: other })),
    )
    fc.assert(
      fc.property(change, given => void expect(judged(given.receipt, given)).toBe(false)),
      { numRuns: runs },
    )
  })

  test(`one change in the request, under the same hash or a receipt signed anew, is never let pass: ${runs} changes`, {
    timeout: 120_000,
  }, () => {
    const signer = fc.constantFrom(undefined, customer, node, stranger)
    fc.assert(
      fc.property(mutated(request), signer, (altered, by) => {
        let said: string
        try {
          said = JSON.stringify(by ? keys.sign(templateOf(altered), by) : altered)
        } catch {
          return // What nobody can sign.
        }
        const tags = receipt.tags.map(tag => (tag[1] === json ? [tag[0] ?? '', said] : tag))
        // Only the invoice stands between this and a pass: it commits to the bytes that the customer signed.
        if (said !== json) expect(judged(keys.sign({ ...templateOf(receipt), tags }, zapper))).toBe(false)
      }),
      { numRuns: runs },
    )
  })

  test(`one other letter in what a receipt says, signed again by the zapper, is never let pass: ${runs} changes`, {
    timeout: 120_000,
  }, () => {
    const tag = fc.nat(receipt.tags.length - 1)
    const change = tag.chain(i => nudged(receipt.tags[i]?.[1] ?? '').map(value => [i, value] as const))
    fc.assert(
      fc.property(change, ([i, value]) => {
        if (value === receipt.tags[i]?.[1]) return
        const tags = receipt.tags.map((old, n) => (n === i ? [old[0] ?? '', value] : old))
        let again: Event
        try {
          again = keys.sign({ ...templateOf(receipt), tags }, zapper)
        } catch {
          return // Half a surrogate pair.
        }
        expect(judged(again)).toBe(false)
      }),
      { numRuns: runs },
    )
  })

  test(`a bill of the node for another price or invoice never carries the receipt: ${runs} bills`, {
    timeout: 120_000,
  }, () => {
    const read = feedback.read(offer)
    if (!read.ok) throw new Error(read.says)
    const other = fc.record({
      msats: fc.bigInt(1n, 2n ** 60n),
      at: fc.nat(200),
      letter: fc.constantFrom('q', 'p', 'z'),
    })
    fc.assert(
      fc.property(other, fc.boolean(), ({ msats, at, letter }, price) => {
        const old = read.value.bolt11 ?? ''
        const bolt11 = old.slice(0, 40 + at) + letter + old.slice(41 + at)
        if (price ? msats === MSATS : bolt11 === old) return
        const bill = { ...read.value, ...(price ? { msats } : { bolt11 }) }
        const signed = keys.sign(feedback.write(bill, offer.created_at), node)
        untouched.add(signed)
        expect(judged(receipt, { offer: signed })).toBe(false)
        untouched.delete(signed)
      }),
      { numRuns: runs },
    )
  })

  test(`no events of strangers make the judge throw or pass: ${runs} receipts`, { timeout: 120_000 }, () => {
    const value = fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(...receipt.tags.map(tag => tag[1] ?? '')) },
      { weight: 1, arbitrary: text },
      { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
    )
    const name = fc.oneof(fc.constantFrom(...[...receipt.tags, ...offer.tags].map(tag => tag[0] ?? '')), text)
    const hex = fc.constantFrom(receipt.id, job.id, pub(node), pub(stranger))
    const event: fc.Arbitrary<Event> = fc.record({
      ...{ id: hex, pubkey: fc.constantFrom(...[node, zapper, stranger].map(pub)), sig: fc.constant(receipt.sig) },
      kind: fc.constantFrom(receipt.kind, receipt.kind, offer.kind, job.kind, 6050, 1),
      created_at: fc.oneof(fc.constant(receipt.created_at), whole),
      tags: fc.array(fc.oneof(fc.tuple(name, value), fc.array(value, { maxLength: 3 })), { maxLength: 10 }),
      content: value,
    })
    fc.assert(
      fc.property(event, event, event, fc.boolean(), (given, bill, asked, believed) => {
        const verdict = verifyReceipt(given, {
          ...{ ...context, verify: () => believed, offer: bill, offerOpened: bill.content },
          job: asked,
        })
        expect(verdict.ok).toBe(false)
        for (const reason of verdict.reasons) expect(reason).toMatch(/^[A-Za-z0-9-]+$/)
      }),
      { numRuns: runs },
    )
  })

  test(`no text for a zap request makes the node bill for another: ${runs} texts`, { timeout: 120_000 }, () => {
    const expectation: ZapExpectation = {
      ...{
        node: pub(node),
        customer: pub(customer),
        job: job.id,
        msats: MSATS,
        zapper: pub(zapper),
        verify: keys.verify,
      },
    }
    expect(checkZapRequest(json, expectation)).toBeUndefined()
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      nudged(json),
      mutated(request).map(e => JSON.stringify(e)),
    )
    fc.assert(
      fc.property(anything, said => {
        const reason = checkZapRequest(said, expectation)
        // One other character between the parts of JSON says the same.
        if (reason === undefined) expect(JSON.parse(said)).toMatchObject(JSON.parse(json))
        else expect(reason).toMatch(/^[A-Za-z-]+$/)
      }),
      { numRuns: runs },
    )
  })
})
