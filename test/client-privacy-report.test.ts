/** The report on privacy is computed from what was published and heard, and never says more than the worst of it allows. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  acknowledgement,
  cancel,
  type Event,
  ephemeralWrap,
  faultEvidence,
  feedback,
  frame,
  privacies,
  streamControl,
  textRequest,
  textResult,
  zapReceipt,
} from '../kinds/index.ts'
import {
  allowedByHeard,
  allowedBySaid,
  type HeardAnswer,
  openHeard,
  type PrivacyFacts,
  privacyOf,
} from '../src/client/privacy-report.ts'
import { keeps } from './promises.ts'

const node = 'b'.repeat(64)
const pubkey = 'a'.repeat(64)
let made = 0
const event = (kind: number, sealed: boolean, expiration?: number): Event => ({
  ...{ id: (made++).toString(16).padStart(64, '0'), pubkey: node, created_at: 1, kind, content: 'x', sig: '' },
  tags: [...(sealed ? [['encrypted']] : []), ...(expiration === undefined ? [] : [['expiration', String(expiration)]])],
})
const request = (sealed: boolean) => event(textRequest.number, sealed, 2_000)

const asking = fc.constantFrom(
  ...['open', 'sealed', 'wrapped', 'cancel', 'control', 'word', 'evidence', 'unknown'].map(how => how),
)
const saidOf = (how: string): Event => {
  if (how === 'wrapped') return event(ephemeralWrap.number, false)
  if (how === 'cancel') return event(cancel.number, false)
  if (how === 'control') return event(streamControl.number, false)
  if (how === 'word') return event(acknowledgement.number, false)
  if (how === 'evidence') return event(faultEvidence.number, false)
  return how === 'unknown' ? event(1, false) : request(how === 'sealed')
}
const answer = fc.record({
  kind: fc.constantFrom(feedback.number, textResult.number, frame.number, zapReceipt.number),
  cover: fc.constantFrom('open', 'sealed', 'wrapped'),
})
const heardOf = ({ kind, cover }: { kind: number; cover: string }): HeardAnswer => ({
  event: event(kind, cover !== 'open'),
  wrapped: cover === 'wrapped',
})
const facts = fc
  .record({
    wanted: fc.constantFrom(...privacies),
    said: fc.array(asking, { maxLength: 6 }),
    heard: fc.array(answer, { maxLength: 6 }),
    ownNode: fc.boolean(),
    kind: fc.constantFrom('one-job' as const, 'own' as const),
  })
  .map(({ wanted, said, heard, ownNode, kind }): PrivacyFacts => {
    const events = said.map(saidOf)
    const asked = events.find(one => one.kind === textRequest.number) ?? request(true)
    return {
      ...{ wanted, ownNode, node, request: asked, said: events, heard: heard.map(heardOf) },
      ...{ identity: { kind, pubkey }, relays: ['wss://a.example'] },
    }
  })

describe('the report', () => {
  keeps(
    'privacy.told',
    'is never above what was wanted, nor above what the worst event allows, and is as high as they allow',
    () => {
      fc.assert(
        fc.property(facts, one => {
          const { level } = privacyOf(one)
          const allowed = [
            one.wanted,
            ...one.said.map(allowedBySaid),
            ...one.heard.map(allowedByHeard),
            ...(one.identity.kind === 'own' ? [1] : []),
            ...(one.ownNode ? [] : [2]),
          ]
          expect(level).toBe(Math.min(...allowed))
        }),
        { numRuns: 2_000 },
      )
    },
  )

  test('one event more never raises it, and one in the open brings it to nothing and everybody among the readers', () => {
    fc.assert(
      fc.property(facts, asking, answer, (one, more, heard) => {
        const { level } = privacyOf(one)
        expect(privacyOf({ ...one, said: [...one.said, saidOf(more)] }).level).toBeLessThanOrEqual(level)
        expect(privacyOf({ ...one, heard: [...one.heard, heardOf(heard)] }).level).toBeLessThanOrEqual(level)
        const open = privacyOf({ ...one, said: [...one.said, one.request, event(textRequest.number, false)] })
        expect(open.level).toBe(0)
        const shown = { event: event(textResult.number, false), wrapped: false }
        const aloud = privacyOf({ ...one, said: [...one.said, one.request], heard: [...one.heard, shown] })
        expect(aloud).toMatchObject({ level: 0, transport: { answers: 'open' } })
        for (const report of [open, aloud]) expect(report.readers.map(({ who }) => who)).toContain('everybody')
      }),
      { numRuns: 1_000 },
    )
  })

  test.each([
    ['open', 0],
    ['sealed', 1],
    ['wrapped', 3],
    ['cancel', 1],
    ['control', 1],
    ['word', 1],
    // What cannot be read as evidence may open anything.
    ['evidence', 0],
    ['unknown', 0],
  ])('of ours, %s allows %i', (how, level) => expect(allowedBySaid(saidOf(how))).toBe(level))

  test('evidence that opens what was sealed lets everybody read it; evidence of open papers does not', () => {
    const papers = { rule: 'E2', accused: node, events: [event(feedback.number, true)], says: '' }
    const id = papers.events[0]?.id ?? ''
    const shown = (more: object): Event => ({
      ...{ id: 'c'.repeat(64), pubkey, sig: '', kind: 0, created_at: 1, content: '', tags: [] },
      ...faultEvidence.write(
        { ...papers, events: papers.events.map(one => ({ ...one, sig: 'd'.repeat(128) })), opened: {}, ...more },
        1,
      ),
    })
    expect(allowedBySaid(shown({}))).toBe(1)
    expect(allowedBySaid(shown({ keys: { [id]: 'e'.repeat(64) } }))).toBe(0)
    expect(allowedBySaid(shown({ opened: { [id]: 'words' } }))).toBe(0)
  })

  test('says nobody but you where nothing was published', () => {
    const report = privacyOf({
      ...{ wanted: 1, ownNode: false, node, request: request(true), said: [], heard: [], relays: ['wss://a.example'] },
      identity: { kind: 'one-job', pubkey },
    })
    expect(report).toMatchObject({ level: 1, readers: [{ who: 'you' }], transport: { relays: [], answers: 'none' } })
  })

  test('says until when relays were asked to keep it only where all that they keep says so', () => {
    const asked = request(true)
    const base = {
      ...{ wanted: 1 as const, ownNode: false, node, request: asked, relays: [], nodeSeconds: 60 },
      identity: { kind: 'one-job' as const, pubkey },
    }
    const dated = { event: event(feedback.number, true, 3_000), wrapped: false }
    const undated = { event: event(textResult.number, true), wrapped: false }
    const whisper = { event: event(frame.number, true), wrapped: false }
    const wrapped = { event: event(textResult.number, true), wrapped: true }
    const kept = (said: Event[], heard: HeardAnswer[]) => privacyOf({ ...base, said, heard }).retention
    expect(kept([asked], [dated, whisper, wrapped])).toMatchObject({ relaysUntil: 3_000, nodeSeconds: 60 })
    expect(kept([asked], [dated, undated])).not.toHaveProperty('relaysUntil')
    expect(kept([asked], [undated]).says).toContain('1 of 2 events')
    expect(kept([event(ephemeralWrap.number, false)], [wrapped]).says).toContain('nothing to keep')
  })
})

test('however many answers come, the worst of them is remembered, and strangers are not heard', () => {
  fc.assert(
    fc.property(fc.nat({ max: 1_199 }), fc.boolean(), fc.boolean(), (at, stranger, piece) => {
      const heard = openHeard(node)
      for (let i = 0; i < 1_200; i++) {
        const open = i === at
        const one = event(piece ? frame.number : feedback.number, !open)
        heard.note(open && stranger ? { ...one, pubkey } : one, false)
      }
      expect(heard.all().length).toBeLessThan(510)
      expect(Math.min(...heard.all().map(allowedByHeard))).toBe(stranger ? 1 : 0)
    }),
    { numRuns: 40 },
  )
})
