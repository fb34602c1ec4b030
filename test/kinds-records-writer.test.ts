/** Labels and faults: what readers would change or cut is not written. */
import { describe, expect, test } from 'vitest'
import { type Attestation, attestation, type Event, faultEvidence, faultVerdict } from '../kinds/index.ts'

describe('what readers would change is not written', () => {
  const label: Attestation = {
    ...{
      topic: 'outcome',
      label: 'served',
      node: 'a'.repeat(64),
      job: 'b'.repeat(64),
      evidence: [],
      kind: 5_050,
      model: '',
    },
    ...{ checks: [], failed: [], seq: 0, prev: '', at: 1, says: '' },
  }
  test.each([
    ['a label of another topic', { label: 'settled' }],
    ['a label that is none', { label: 'toString' }],
    ['a weight of seven decimals', { weight: 0.123_456_7 }],
    ['a weight above one', { weight: 1.5 }],
    ['a negative weight', { weight: -0.5 }],
    ['no number at all', { weight: Number.NaN }],
    ['seventeen pieces of evidence', { evidence: Array.from({ length: 17 }, (_, at) => `${at}`.padStart(64, '0')) }],
    ['a check in words', { checks: ['it was fine'] }],
    ['an entry without the one before', { seq: 3 }],
    ['a long saying', { says: 'x'.repeat(1_025) }],
    ['a job that is no id', { job: 'it' }],
  ])('%s', (_, change) => {
    expect(() => attestation.write(label, 1)).not.toThrow()
    expect(() => attestation.write({ ...label, ...change }, 1)).toThrow(TypeError)
  })

  test('long sayings of evidence and verdicts', () => {
    const one: Event = {
      id: 'a'.repeat(64),
      pubkey: 'b'.repeat(64),
      created_at: 1,
      kind: 1,
      tags: [],
      content: '',
      sig: 'c'.repeat(128),
    }
    const evidence = { rule: 'E1', accused: one.pubkey, events: [one], opened: {}, says: 'x'.repeat(1_024) }
    expect(() => faultEvidence.write(evidence, 1)).not.toThrow()
    expect(() => faultEvidence.write({ ...evidence, says: `${evidence.says}x` }, 1)).toThrow(TypeError)
    const verdict = {
      evidence: one.id,
      accused: one.pubkey,
      rule: 'E1',
      proven: true,
      penalty: 1n,
      says: evidence.says,
    }
    expect(() => faultVerdict.write(verdict, 1)).not.toThrow()
    expect(() => faultVerdict.write({ ...verdict, says: `${evidence.says}x` }, 1)).toThrow(TypeError)
    expect(() => faultVerdict.write({ ...verdict, proven: false }, 1)).toThrow(TypeError)
  })
})
