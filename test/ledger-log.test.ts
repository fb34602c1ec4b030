import { describe, expect, test } from 'vitest'
import { factOf, foldLog, type LogEntry, openLedger, openTrack, scoreOf } from '../src/ledger/index.ts'
import { chain, folded, idOf, label, type Said, seedOf } from './ledger-chain.ts'
import { bare, day, params, start, times } from './ledger-world.ts'

describe('the chain', () => {
  const entries = chain([{}, 'routing', {}, 'routing', 'routing'])
  const without = (n: number) => entries.filter(({ seq }) => seq !== n)
  const changed = (n: number, more: Partial<LogEntry>) =>
    entries.map(one => (one.seq === n ? { ...one, ...more } : one))

  test('labels and routing events follow each other in one chain', () => {
    const { ledger, broken } = foldLog(entries, params)
    expect(broken).toBeUndefined()
    expect([ledger.seq, ledger.id, ledger.size]).toEqual([4, idOf(4), 1])
    expect([openLedger(params).seq, openLedger(params).id]).toEqual([-1, ''])
  })

  test.each<[string, LogEntry[], { id: string; fault: string }]>([
    ['an entry is left out', without(2), { id: idOf(3), fault: 'seq' }],
    ['the first is left out', without(0), { id: idOf(1), fault: 'seq' }],
    ['an entry comes twice', [...entries.slice(0, 2), ...entries.slice(1)], { id: idOf(1), fault: 'seq' }],
    ['an entry was changed', changed(2, { id: idOf(9) }), { id: idOf(3), fault: 'prev' }],
    ['another beginning is named', changed(0, { prev: idOf(9) }), { id: idOf(0), fault: 'prev' }],
    ['a seed that was not committed to', changed(3, { seed: seedOf(9) }), { id: idOf(3), fault: 'seed' }],
    ['a seed that nothing was said about', changed(2, { commit: undefined }), { id: idOf(3), fault: 'uncommitted' }],
  ])('%s: it breaks there, and nothing after it counts', (_, log, wanted) => {
    const { ledger, broken } = foldLog(log, params)
    expect(broken).toEqual(wanted)
    const before = log.findIndex(({ id }) => id === wanted.id)
    expect(ledger.seq).toBe(wanted.fault === 'seq' && log.length > entries.length ? 1 : before - 1)
  })

  test('what does not follow changes nothing, and the next that does is taken', () => {
    const ledger = openLedger(params)
    const [first, second] = entries
    if (!first || !second) throw new Error('There are entries.')
    expect(ledger.fold(second)).toBe('seq')
    expect([ledger.fold(first), ledger.fold({ ...second, prev: '' }), ledger.fold(second)]).toEqual([
      undefined,
      'prev',
      undefined,
    ])
  })
})

describe('what a label says', () => {
  test.each<[string, Said, object]>([
    [
      'served',
      { weight: 0.5, firstMs: 100, ms: 1_100, outputTokens: 11 },
      { fact: 'served', weight: 0.5, firstMs: 100, perTokenMs: 100 },
    ],
    [
      'served, one token has no pace',
      { firstMs: 100, ms: 1_100, outputTokens: 1 },
      { fact: 'served', weight: 1, firstMs: 100 },
    ],
    [
      'served, an end before the beginning',
      { firstMs: 100, ms: 50, outputTokens: 6 },
      { fact: 'served', weight: 1, firstMs: 100, perTokenMs: 0 },
    ],
    ['failed', { label: 'failed', weight: 0.25 }, { fact: 'failed', weight: 0.25 }],
    ['disputed', { label: 'disputed' }, { fact: 'disputed', weight: 1 }],
    ['an audit passed', { topic: 'audit', label: 'passed' }, { fact: 'audit', passed: true }],
    ['an audit failed', { topic: 'audit', label: 'failed', code: 'margin' }, { fact: 'audit', passed: false }],
    ['an audit that proved a fault', { topic: 'audit', label: 'failed', code: 'E5' }, { fact: 'fault' }],
    ['a rule that there is not', { topic: 'audit', label: 'failed', code: 'E12' }, { fact: 'audit', passed: false }],
    ['an audit passed under a rule', { topic: 'audit', label: 'passed', code: 'E5' }, { fact: 'audit', passed: true }],
  ])('%s', (_, said, fact) => {
    expect(factOf(label(said))).toEqual({ at: start, ...fact })
  })
})

describe('the fold of a log', () => {
  test('keeps one track per node, kind and model', () => {
    const ledger = folded({}, { model: 'other' }, { kind: 5001 }, { node: 'b' }, {})
    expect([...ledger.tracks()].map(([key, { served }]) => [key, served])).toEqual([
      ['a:5050:other', 1000],
      ['a:5001:m', 1000],
      ['b:5050:m', 1000],
      ['a:5050:m', 2000],
    ])
    expect(ledger.track('a', 5050, 'nothing')).toEqual(openTrack())
    expect(ledger.stage('nobody', 5050, 'm', start)).toBe('new')
  })

  test('a fault that was proven in one market bans in all, before and after', () => {
    const proof: Said = { topic: 'audit', label: 'failed', code: 'E3' }
    const ledger = folded({ model: 'early' }, { node: 'ab' }, proof, { model: 'late' })
    expect(['early', 'm', 'late', 'never'].map(model => ledger.stage('a', 5050, model, start))).toEqual(
      times(4, () => 'banned'),
    )
    expect(ledger.standing('a', 5050, 'never', { at: start, stakeUnits: 0, stakeRef: 0 }).score).toBe(0)
    expect(ledger.stage('ab', 5050, 'm', start)).toBe('probation')
  })

  test('only settled payments of a named customer are followed', () => {
    const paid: Said = { topic: 'payment', label: 'settled', customer: 'c', msats: 10n }
    // The same money is receipt-valid first and settled when the node's word comes.
    expect(folded(paid, { ...paid, label: 'receipt-valid', node: 'b' }).payers.size).toBe(1)
    for (const word of ['invoice-only', 'amount-mismatch', 'duplicate', 'forged'])
      expect(folded({ ...paid, label: word }).payers.size).toBe(0)
    expect(folded({ topic: 'payment', label: 'settled', msats: 10n }).payers.size).toBe(0)
    expect(folded(paid).size).toBe(0)
    expect(folded(paid).payers.walk(['c']).massOf('a')).toBeGreaterThan(0.4)
  })

  test('medians follow the nodes of a market, each once, and forget who is forgotten', () => {
    const speeds: Said[] = times(9, i => ({
      node: `n${i}`,
      firstMs: 100 * (i + 1),
      ms: 100 * (i + 1) + 10 * (i + 1),
      outputTokens: 2,
    }))
    const ledger = folded(...speeds, ...times(50, () => ({ node: 'n8', firstMs: 900 })))
    const { firstMs, perTokenMs } = ledger.medians(5050, 'm')
    expect(Math.abs(firstMs / 500 - 1)).toBeLessThan(0.035)
    expect(Math.abs(perTokenMs / 50 - 1)).toBeLessThan(0.035)
    expect(ledger.medians(5050, 'x')).toEqual({ firstMs: 0, perTokenMs: 0 })
    const later = folded(...speeds, { node: 'late', firstMs: 7, at: start + 125 * day }, { at: start + 125 * day })
    expect(later.size).toBe(2)
    expect(Math.abs(later.medians(5050, 'm').firstMs / 7 - 1)).toBeLessThan(0.035)
    const survivor = folded(...speeds, { node: 'n0', at: start + 50 * day }, { node: 'late', at: start + 125 * day })
    expect(survivor.size).toBe(2)
    expect(Math.abs(survivor.medians(5050, 'm').firstMs / 100 - 1)).toBeLessThan(0.035)
    expect(folded(...speeds, { model: 'x', at: start + 125 * day }).medians(5050, 'm').firstMs).toBe(0)
  })

  test('a standing is the score against the medians of its own market', () => {
    const ledger = folded(...times(4, i => ({ node: `n${i}`, firstMs: 100 * 2 ** i })), 'routing')
    const around = { at: start + 60, stakeUnits: 5, stakeRef: 10 }
    const { score, factors, stage, log, track } = ledger.standing('n2', 5050, 'm', around)
    const { firstMs, perTokenMs } = ledger.medians(5050, 'm')
    expect({ score, factors }).toEqual(
      scoreOf(track, { ...around, medianFirstMs: firstMs, medianPerTokenMs: perTokenMs }, params),
    )
    expect([stage, log, factors.Q < 0.8]).toEqual(['probation', 4, true])
  })

  test('at most a tenth of a market is out for not answering', () => {
    const work: Said[] = times(30, i => ({ node: `n${i}` }))
    const dead = (n: number): Said[] =>
      times(n * 5, i => ({ node: `n${Math.floor(i / 5)}`, label: 'failed', at: start + i }))
    const out = (ledger: ReturnType<typeof folded>, at: number) =>
      times(30, i => ledger.stage(`n${i}`, 5050, 'm', at)).flatMap((word, i) => (word === 'ejected' ? [i] : []))
    expect(out(folded(...work, ...dead(2)), start + 10)).toEqual([0, 1])
    expect(out(folded(...work, ...dead(5)), start + 25)).toEqual([0, 1, 2])
    // A second ejection counts from its own time.
    const again: Said[] = times(5, i => ({ node: 'n0', label: 'failed', at: start + 34 + i }))
    expect(out(folded(...work, ...dead(5), ...again), start + 39)).toEqual([2, 3, 4])
    // Whoever comes back makes room.
    expect(out(folded(...work, ...dead(5)), start + 4 + 30)).toEqual([1, 2, 3])
    expect(
      out(folded(...work, ...dead(5), { node: 'n1', topic: 'audit', label: 'failed', code: 'E1' }), start + 25),
    ).toEqual([0, 2, 3])
  })

  test('who was forgotten takes no room among the ejected', () => {
    const ledger = openLedger(params, 20)
    const failures = (node: string): Said[] => times(5, () => ({ node, label: 'failed' }))
    const said = [...failures('n0'), ...times(20, i => ({ node: `n${i + 1}` })), ...failures('n1'), ...failures('n2')]
    for (const entry of chain(said)) ledger.fold(entry)
    expect(['n0', 'n1', 'n2'].map(node => ledger.stage(node, 5050, 'm', start))).toEqual(['new', 'ejected', 'ejected'])
  })

  test('keeps as many tracks as it is told, and forgets who was heard of longest ago', () => {
    const ledger = openLedger(params, 3)
    for (const entry of chain(['a', 'b', 'c', 'a', 'd', 'e'].map(node => ({ node, firstMs: 5 })))) ledger.fold(entry)
    expect([...ledger.tracks()].map(([key]) => key[0])).toEqual(['a', 'd', 'e'])
    for (const entry of chain(times(100, () => ({})))) ledger.fold(entry)
    expect(ledger.size).toBe(3)
  })
})

test('an empty log knows nobody', () => {
  const { ledger } = foldLog([], params)
  const around = { at: start, stakeUnits: 1, stakeRef: 3 }
  expect(ledger.standing('a', 5050, '', around)).toMatchObject({
    ...scoreOf(openTrack(), { ...bare, ...around }, params),
    log: -1,
  })
})
