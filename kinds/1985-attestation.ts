/**
 * Kind 1985: whoever judged a payment, an outcome or an audit labels it and names what was checked.
 * @module
 */
import { bad, dialects, good } from './1985-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { broken, type Field, maybe, one } from './fields.ts'
import { evidenceField, place, sixths, timing, tokens } from './records.ts'
import { hex, integer, msats, seconds, text, type Value } from './values.ts'

export type AttestedTopic = 'payment' | 'outcome' | 'audit'

/** One judgement, an entry of the judge's own log. Only what others can check again belongs into it. */
export interface Attestation {
  readonly topic: AttestedTopic
  /** A word of its topic: `settled`, `served`, `passed`. */
  readonly label: string
  /** Whom it is about. */
  readonly node: string
  readonly job: string
  /** Ids of the signed events that it rests on: receipts, bills, results, acknowledgements. At most 16. */
  readonly evidence: readonly string[]
  /** Who paid or asked. Not a target of the label. */
  readonly customer?: string
  readonly kind: number
  /** Empty where none is named. */
  readonly model: string
  /** Names of the checks that it passed, and of those that it failed. */
  readonly checks: readonly string[]
  readonly failed: readonly string[]
  readonly msats?: bigint
  readonly hash?: string
  readonly firstMs?: number
  readonly ms?: number
  readonly outputTokens?: number
  /** How much the customer's word weighs: 0 to 1, at most six decimals. */
  readonly weight?: number
  readonly code?: string
  readonly routing?: string
  /** Of an audit: the beacon that drew it. */
  readonly seed?: string
  /** Sha256 of the seed of the next entry of the log. */
  readonly commit?: string
  /** Place in the log, from 0. */
  readonly seq: number
  /** Id of the entry before; empty for entry 0. */
  readonly prev: string
  /** When the judged thing happened, unix seconds. */
  readonly at: number
  /** For people; at most 1,024 characters. */
  readonly says: string
}

/** The words of each topic. */
export const attestedLabels: Readonly<Record<AttestedTopic, readonly string[]>> = {
  payment: ['settled', 'receipt-valid', 'invoice-only', 'amount-mismatch', 'duplicate', 'forged'],
  outcome: ['served', 'failed', 'disputed'],
  audit: ['passed', 'failed'],
}

const spaces = new Map<string, AttestedTopic>([
  ['gridstr.payment', 'payment'],
  ['gridstr.outcome', 'outcome'],
  ['gridstr.audit', 'audit'],
])
const spaceOf = (topic: AttestedTopic): string => `gridstr.${topic}`
const LONGEST_SAYING = 1_024

const topicField: Field<AttestedTopic> = {
  id: 'namespace',
  tag: 'L',
  form: '["L", "<gridstr.payment|gridstr.outcome|gridstr.audit>"]',
  count: '1',
  says: 'What is judged. Labels of other namespaces are other people’s.',
  rule: 'Exactly one of our three namespaces is named.',
  read(tags) {
    const named = new Set<AttestedTopic>()
    for (const [name, space = ''] of tags) {
      const topic = name === 'L' ? spaces.get(space) : undefined
      if (topic !== undefined) named.add(topic)
    }
    const [only] = named
    return named.size === 1 && only !== undefined ? only : broken
  },
  write: topic => [['L', spaceOf(topic)]],
}

const labelField: Field<{ readonly topic: AttestedTopic; readonly label: string }> = {
  id: 'l',
  tag: 'l',
  form: '["l", "<label>", "<namespace>"]',
  count: '1',
  says: 'The judgement. Labels of other namespaces beside it are ignored.',
  rule: 'There is exactly one label of our namespaces.',
  read(tags) {
    let found: { readonly topic: AttestedTopic; readonly label: string } | undefined
    for (const [name, label = '', space = ''] of tags) {
      const topic = name === 'l' ? spaces.get(space) : undefined
      if (topic === undefined) continue
      if (found) return broken
      found = { topic, label }
    }
    return found ?? broken
  },
  write: ({ topic, label }) => [['l', label, spaceOf(topic)]],
}

const jobField: Field<string> = {
  id: 'e',
  tag: 'e',
  form: '["e", "<job id>", "", "job"]',
  count: '1',
  says: 'The job.',
  rule: 'Exactly one `e` carries the marker `job`, and names it by 64 lower-case hex digits.',
  read(tags) {
    const named = tags.filter(tag => tag[0] === 'e' && tag.indexOf('job', 2) > 0)
    return named.length === 1 ? (hex('').read([named[0]?.[1] ?? '']) ?? broken) : broken
  },
  write: job => [['e', job, '', 'job']],
}

const names: Value<string[]> = {
  form: '<name> …',
  read: said => (said.length <= 64 && said.every(name => /^[\w.:-]{1,64}$/.test(name)) ? [...said] : undefined),
  write: said => said,
}

/** Attestation (NIP-32 label, regular kind 1985, in three namespaces of ours). */
export const attestation = defineKind({
  number: 1985,
  name: 'attestation',
  says: 'A judge, such as a router, labels a payment, an outcome or an audit, and names the signed evidence and each check. All its labels and routing events are one chain, so that anybody can fold what it believes and get the same.',
  source: 'NIP-32; gridstr',
  alt: 'Attestation of a job',
  fields: {
    topic: topicField,
    label: labelField,
    node: one('p', hex('<provider pubkey>'), 'Whom the label is about.', 'Exactly one provider is named.'),
    job: jobField,
    evidence: evidenceField(16, 'At most 16 events are named as evidence, each once, by 64 lower-case hex digits.'),
    customer: maybe(
      'customer',
      hex('<customer pubkey>'),
      'Who asked or paid. No `p`: it is not labelled.',
      'A customer is named once, by 64 lower-case hex digits.',
    ),
    kind: one('k', integer('<kind>', 0, 65_535), 'Kind of the request.', 'Exactly one kind is named.'),
    model: maybe('model', text('<name>'), 'The model.', 'A model has 1 to 256 characters, said once.'),
    checks: maybe('checks', names, 'The checks that it passed.', 'Checks are at most 64 names, in one tag.'),
    failed: maybe('failed', names, 'The checks that it failed.', 'Failed checks are at most 64 names, in one tag.'),
    msats: maybe('amount', msats, 'What was paid.', 'Money is whole msats in plain digits, said once.'),
    hash: maybe('payment_hash', hex('<payment hash>'), 'The payment.', 'A payment hash is 64 hex digits, said once.'),
    timing: maybe('ms', timing, 'How long it took.', 'Times are whole milliseconds, said once.'),
    outputTokens: maybe('tokens', tokens, 'How much came.', 'Tokens are a whole number, said once.'),
    weight: maybe(
      'weight',
      sixths('<0 to 1>', 1),
      'What the customer’s word weighs.',
      'A weight is from 0 to 1 with at most six decimals, said once.',
    ),
    code: maybe('code', text('<word>', 64), 'A word for machines.', 'A code has 1 to 64 characters, said once.'),
    routing: maybe(
      'routing',
      hex('<routing id>'),
      'What led there.',
      'A routing event is named once, by 64 hex digits.',
    ),
    seed: maybe('seed', hex('<seed>'), 'Of an audit: the beacon that drew it.', 'A seed is 64 hex digits, said once.'),
    commit: maybe(
      'commit',
      hex('<sha256 of the next seed>'),
      'Binds the seed of the next entry before anybody knows what it decides.',
      'A commitment is 64 lower-case hex digits, said once.',
    ),
    seq: one('seq', place, 'Place in the log, from 0.', 'The place is a whole number, said once.'),
    prev: maybe('prev', hex('<entry id>'), 'The entry before.', 'The entry before is named once, by 64 hex digits.'),
    at: one('at', seconds, 'When it happened.', 'The time of the judged thing is unix seconds, said once.'),
  },
  content: 'A sentence for people of at most 1,024 characters; from others the rest is cut.',
  rules: {
    label: 'The label is a word of the namespace, and stands in it.',
    chain: 'The first entry (0) names none before it, and every other does.',
  },
  // Member by member: this is what routers read most, and the rest of an object costs as much as all its fields.
  read(found, { content, refuse }) {
    const { topic, seq, prev = '', timing: took } = found
    const { topic: space, label } = found.label
    if (space !== topic || !attestedLabels[space].includes(label)) return refuse('label')
    if ((seq === 0) !== (prev === '')) return refuse('chain')
    return ok(
      present({
        topic,
        label,
        node: found.node,
        job: found.job,
        evidence: found.evidence,
        customer: found.customer,
        kind: found.kind,
        model: found.model ?? '',
        checks: found.checks ?? [],
        failed: found.failed ?? [],
        msats: found.msats,
        hash: found.hash,
        firstMs: took?.firstMs,
        ms: took?.ms,
        outputTokens: found.outputTokens,
        weight: found.weight,
        code: found.code,
        routing: found.routing,
        seed: found.seed,
        commit: found.commit,
        seq,
        prev,
        at: found.at,
        says: content.slice(0, LONGEST_SAYING),
      }),
    )
  },
  write({ label, model, checks, failed, firstMs, ms, prev, says, evidence, ...rest }: Attestation) {
    if (says.length > LONGEST_SAYING) throw new TypeError('1985.content: at most 1,024 characters are for people.')
    const fields = {
      ...rest,
      label: { topic: rest.topic, label },
      evidence: [...evidence],
      model: model || undefined,
      checks: checks.length === 0 ? undefined : [...checks],
      failed: failed.length === 0 ? undefined : [...failed],
      timing: firstMs === undefined && ms === undefined ? undefined : present({ firstMs, ms }),
      prev: prev || undefined,
    }
    return { fields, content: says }
  },
  good,
  dialects,
  bad,
})
