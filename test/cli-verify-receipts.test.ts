/** `gridstr verify` on receipts, evidence, verdicts and bans. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  acknowledgement,
  attestation,
  type Event,
  faultEvidence,
  faultVerdict,
  textResult,
  type UsageReceipt,
  usageReceipt,
  zapReceipt,
} from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import { keys, type Papers, pubOf, secretOf } from './router-book-world.ts'
import { instead, reworded, routerKey, routerName, shelf, type VerifyWorld, verifyWorld } from './verify-world.ts'

let world: VerifyWorld
let route: Event
let papers: Papers

beforeAll(async () => {
  world = await verifyWorld()
  route = await world.live()
  papers = await world.job('one more', route, { customer: 'last customer' })
  await world.publish(papers.bill, papers.result, papers.usage, papers.ack, papers.zap)
  await world.clock.advance(90_000)
})
afterAll(() => world.close())

const without = (id: string, ...gone: readonly string[]) =>
  world.try(id, shelf(world.events().filter(event => !gone.includes(event.id))))
const other = sha256Hex('something else')

describe('receipts', () => {
  test('a zap receipt holds by everything that is public', async () => {
    expect((await world.try(papers.zap.id)).report).toMatchObject({ ok: true, kind: 9735, what: 'zap receipt' })
    const bare = await without(papers.zap.id, papers.bill.id, papers.usage.id)
    expect({ failed: bare.failed, open: bare.open }).toEqual({ failed: [], open: ['amount', 'confirmed'] })
    expect((await without(papers.zap.id, papers.request.id)).report.ok).toBe(null)
    const forged = keys.sign(
      { kind: 9735, created_at: papers.zap.created_at, tags: papers.zap.tags, content: '' },
      secretOf('somebody'),
    )
    expect((await world.try(forged.id, shelf([...world.events(), forged]))).failed).toContain('zapper')
    const tags = papers.zap.tags.map(tag => (tag[0] === 'preimage' ? ['preimage', other] : tag))
    const node = ['a', 'b', 'c'].find(name => pubOf(name) === papers.zap.pubkey) ?? ''
    const wrong = keys.sign({ kind: 9735, created_at: papers.zap.created_at, tags, content: '' }, secretOf(node))
    expect((await world.try(wrong.id, shelf([...world.events(), wrong]))).failed).toEqual(['preimage'])
    const [first] = world.by(zapReceipt, papers.zap.pubkey)
    const job = papers.zap.tags.map(tag =>
      tag[0] === 'e' ? ['e', first?.value.event === papers.request.id ? other : (first?.value.event ?? '')] : tag,
    )
    const twice = keys.sign({ kind: 9735, created_at: papers.zap.created_at, tags: job, content: '' }, secretOf(node))
    expect((await world.try(papers.zap.id, shelf([...world.events(), twice]))).failed).toEqual(['unused'])
  })

  const reused = (change: Partial<UsageReceipt>, more: readonly Event[] = []) => {
    const read = usageReceipt.read(papers.usage)
    if (!read.ok) throw new Error(read.says)
    const node = ['a', 'b', 'c'].find(name => pubOf(name) === papers.usage.pubkey) ?? ''
    const fresh = keys.sign(usageReceipt.write({ ...read.value, ...change }, papers.usage.created_at), secretOf(node))
    return world.try(fresh.id, shelf([...instead(world.events(), papers.usage, fresh), ...more]))
  }

  test('a usage receipt: chain, job, result, payments', async () => {
    expect((await world.try(papers.usage.id)).report).toMatchObject({ ok: true, what: 'usage receipt' })
    expect((await reused({ job: route.id })).failed).toEqual(expect.arrayContaining(['job', 'result']))
    expect((await reused({ result: papers.bill.id })).failed).toEqual(['result'])
    expect((await reused({ customer: pubOf('nobody') })).failed).toContain('job')
    expect((await reused({ seq: 4, prev: papers.bill.id })).failed).toEqual(['chain'])
    expect((await reused({ seq: 4, prev: other })).open).toEqual(['chain'])
    expect((await reused({ routing: papers.bill.id })).failed).toEqual(['routing'])
    expect((await reused({ routing: other })).open).toEqual(['routing'])
    expect((await reused({ msats: 1n })).failed).toEqual(['amount'])
    expect((await reused({ payments: [{ hash: other, msats: 1n }] })).open).toEqual(['payments'])
    expect((await reused({ outputTokens: 99 }, [papers.usage])).failed).toEqual(['alone'])
    const acks = world.by(acknowledgement, papers.ack.pubkey).map(({ event }) => event.id)
    expect((await without(papers.usage.id, ...acks)).open).toEqual(['payments'])
    expect((await without(papers.usage.id, papers.request.id, papers.result.id)).open).toEqual(['job', 'result'])
  })
})

describe('faults and verdicts', () => {
  const twin = () => reworded(route, () => ({ refused: { full: 3 } }), route.created_at + 5)
  const shown = async (events: readonly Event[], rule = 'E1') => {
    const value = { rule, accused: routerKey, events, opened: {}, says: '' }
    const fresh = keys.sign(faultEvidence.write(value, world.now()), secretOf('somebody'))
    return { fresh, found: await world.try(fresh.id, shelf([fresh])) }
  }
  const judged = async (evidence: Event | undefined, proven: boolean, penalty = 0n, rule = 'E1') => {
    const value = { evidence: evidence?.id ?? other, accused: routerKey, rule, proven, penalty, says: '' }
    const fresh = keys.sign(faultVerdict.write(value, world.now()), secretOf('judge'))
    return world.try(fresh.id, shelf([fresh, ...(evidence ? [evidence] : [])]))
  }

  test('evidence proves, or does not, or rests on witnesses', async () => {
    const two = await shown([route, twin()])
    expect(two.found.report).toMatchObject({ ok: true, kind: 4641, what: 'fault' })
    expect((await shown([route])).found.report.ok).toBe(false)
    expect((await shown([route], 'E4')).found.report.ok).toBe(null)
    expect((await shown([route], 'E9')).found.failed).toContain('fault')
    const lie = reworded(route, of => ({ candidates: [...of.candidates].reverse() }))
    expect((await shown([lie], 'E9')).found.report.ok).toBe(true)
    const unsigned = { ...route, sig: route.sig.replace(/^./, digit => (digit === '0' ? '1' : '0')) }
    expect((await shown([unsigned, twin()])).found.failed).toContain('fault-signatures')
  })

  test('a verdict is what the rule comes to', async () => {
    const { fresh } = await shown([route, twin()])
    expect((await judged(fresh, true)).report).toMatchObject({ ok: true, what: 'verdict' })
    expect((await judged(fresh, false)).failed).toEqual(['verdict'])
    expect((await judged(fresh, true, 5n)).open).toEqual(['penalty'])
    expect((await judged(undefined, true)).report.ok).toBe(null)
    const weak = (await shown([route])).fresh
    expect((await judged(weak, true)).failed).toEqual(['verdict'])
    expect((await judged(weak, false)).report.ok).toBe(true)
    expect((await judged(weak, true, 0n, 'E9')).failed).toEqual(['evidence'])
    expect((await judged(route, true)).failed).toEqual(['evidence'])
  })
})

describe('bans', () => {
  const guilty = async (events: readonly Event[], code = 'E1', evidence?: readonly string[]) => {
    const value = { rule: code, accused: pubOf('a'), events, opened: {}, says: '' }
    const shown = keys.sign(faultEvidence.write(value, world.now()), secretOf('somebody'))
    const last = world.by(attestation, routerKey).at(-1)
    if (!last) throw new Error('no log')
    const label = {
      ...{ topic: 'audit' as const, label: 'failed', node: pubOf('a'), job: other, kind: 5050, model: '', checks: [] },
      ...{
        evidence: evidence ?? [shown.id, ...events.map(({ id }) => id)],
        failed: [code],
        code,
        at: world.now(),
        says: '',
      },
      ...{ seq: last.value.seq + 1, prev: last.event.id, commit: other },
    }
    const fresh = keys.sign(attestation.write(label, world.now()), secretOf(routerName))
    return world.try(fresh.id, shelf([...world.events(), fresh, shown]))
  }
  const said = (text: string) =>
    keys.sign(textResult.write({ job: other, customer: pubOf('somebody'), text }, world.now()), secretOf('a'))

  test('a ban holds by the evidence that it names, and by nothing else', async () => {
    const two = [said('yes'), said('no')]
    expect((await guilty(two)).report).toMatchObject({ ok: true, what: 'attestation' })
    expect((await guilty([said('yes')])).failed).toEqual(['fault'])
    expect((await guilty(two, 'E9')).failed).toEqual(['fault'])
    expect((await guilty(two, 'E1', [sha256Hex('nowhere')])).open).toEqual(['evidence', 'fault'])
    expect((await guilty(two, 'E1', [papers.result.id])).failed).toEqual(['fault'])
  })
})
