/**
 * The verifier: hears providers and customers, keeps one preimage per case, and gives it away or does not. It has no
 * wallet and sees no money. Killed and started again it says the same words.
 * @module
 */
import type { EscrowStatus, EscrowWord } from '../../kinds/index.ts'
import { seconds } from '../clock.ts'
import { fromHex, sha256Hex, toHex } from '../hash.ts'
import { openBuckets } from '../intake/buckets.ts'
import { type Mailbox, openMailbox } from '../mailbox.ts'
import { type EscrowAct, type EscrowCase, type EscrowFact, type Judge, openCase, step, wakeAt } from './escrow.ts'
import { openFind } from './fetching.ts'
import { readRequest, readResult } from './matter.ts'
import { caseKey, type KeptCase, openShelves, type Shelves } from './shelves.ts'
import { type Heard, openWords, type WordsOptions } from './words.ts'

export interface VerifierLimits {
  /** Undecided cases. Default 1,000. */
  readonly open: number
  /** Cases of one provider whose deadline is to come. Default 64. */
  readonly perNode: number
  /** All that are remembered. Default 10,000; decided ones after their deadline make room. */
  readonly cases: number
  /** How far off a deadline may be. Default 86,400. */
  readonly deadlineSeconds: number
  /** Words heard of one key. Default 120. */
  readonly wordsPerMinute: number
  /** Refusals said to all together. Default 120. */
  readonly refusalsPerMinute: number
}

export interface VerifierOptions extends WordsOptions {
  readonly journal: Shelves
  readonly judge: Judge
  /** Providers that may open cases. Default: all. */
  readonly allow?: (node: string) => boolean
  readonly limits?: Partial<VerifierLimits>
  readonly tell?: (event: VerifierEvent) => void
}

/** What an operator sees: a case that was opened, what became of it, and trouble. Holds no preimage and no text of a job. */
export type VerifierEvent =
  | ({ readonly event: 'case' | 'verdict' } & Pick<
      EscrowCase,
      'job' | 'node' | 'customer' | 'msats' | 'state' | 'says'
    >)
  | { readonly event: 'trouble'; readonly job: string; readonly says: string }

export interface EscrowVerifier {
  readonly pubkey: string
  /** Resolves when it hears. */
  readonly ready: Promise<void>
  cases(): readonly EscrowCase[]
  close(): void
}

interface Box {
  readonly mail: Mailbox<EscrowCase, EscrowFact>
  /** Called when the customer said something. */
  readonly hearers: Set<() => void>
}

const defaults: VerifierLimits = {
  ...{ open: 1_000, perNode: 64, cases: 10_000 },
  ...{ deadlineSeconds: 86_400, wordsPerMinute: 120, refusalsPerMinute: 120 },
}

/** Opens a verifier on what its journal keeps. `secret` is the key that customers name in their terms. */
export function openVerifier(options: VerifierOptions): EscrowVerifier {
  const { keys, clock, judge, allow = () => true, tell = () => {} } = options
  const limits = { ...defaults, ...options.limits }
  const shelves = openShelves(options.journal)
  const boxes = new Map<string, Box>()
  const closing = new AbortController()
  const authors = openBuckets(limits.wordsPerMinute, limits.wordsPerMinute / 4, 10_000, () => clock.now())
  const refusals = openBuckets(limits.refusalsPerMinute, limits.refusalsPerMinute / 4, 1, () => clock.now())
  const now = () => seconds(clock)
  const words = openWords(options, heard => guarded(heard.word.job, () => onWord(heard)))
  const find = openFind(options.relays, closing.signal)

  for (const [key, kept] of [...shelves.all()]) begin(key, kept, []).mail.send({ fact: 'restart', now: now() })

  function onWord({ from, word }: Heard) {
    if (closing.signal.aborted || !authors.has(from)) return
    authors.take(from)
    if (word.status === 'open' || word.status === 'claim') return onHanded(from, word)
    const { job, paymentHash, status } = word
    for (const { mail } of boxes.values()) {
      const one = mail.job()
      if (one.job !== job || one.customer !== from || one.hash !== (paymentHash ?? one.hash)) continue
      if (status === 'hash') return mail.send({ fact: 'asked', msats: word.msats ?? 0n, now: now() })
      if (status === 'accept' || status === 'complain') mail.send({ fact: 'customer', word: status })
    }
    return status === 'hash' ? refuse(from, job, 'There is no such case here.') : undefined
  }

  function guarded(job: string, run: () => void) {
    try {
      run()
    } catch (error) {
      // A journal that cannot write: nothing was promised, and the asker asks again.
      tell({ event: 'trouble', job, says: String(error) })
    }
  }

  /** Words with an event; one that is needed and lies on the relays is read from there first. */
  function onHanded(node: string, word: EscrowWord) {
    const go = word.status === 'open' ? onOpen : onClaim
    const one = boxes.get(caseKey(node, word.job))?.mail.job()
    const needed = word.status === 'open' ? !one : one && wakeAt(one) !== undefined
    if (word.event || !needed) return go(node, word)
    const trouble = (error: unknown) => tell({ event: 'trouble', job: word.job, says: String(error) })
    void find(word.result ?? word.job).then(event => {
      if (event && !closing.signal.aborted) guarded(word.job, () => go(node, { ...word, event }))
    }, trouble)
  }

  function onOpen(node: string, word: EscrowWord) {
    const { job, msats, deadline, event, conversationKey } = word
    if (msats === undefined || deadline === undefined) return undefined
    const key = caseKey(node, job)
    const known = boxes.get(key)
    if (known) return known.mail.send({ fact: 'open', msats, deadline, now: now() })
    if (!event) return undefined
    const handed = { event, ...(conversationKey === undefined ? {} : { conversationKey }) }
    const read = readRequest(handed, { job, node, verifier: words.pubkey }, keys.verify)
    const no = read.ok ? noRoomFor(node, deadline) : read.says
    if (no !== undefined) return refuse(node, job, no)
    const preimage = toHex(crypto.getRandomValues(new Uint8Array(32)))
    const hash = sha256Hex(fromHex(preimage))
    const [one, acts] = openCase({ job, node, customer: event.pubkey, hash, msats, deadline })
    shelves.hand(key, 'request', handed)
    begin(key, { one, preimage }, acts)
    tell({ event: 'case', ...told(one) })
    return undefined
  }

  function onClaim(node: string, { job, event, result, conversationKey }: EscrowWord) {
    const key = caseKey(node, job)
    const box = boxes.get(key)
    if (!box) return refuse(node, job, 'There is no such case here.')
    const one = box.mail.job()
    const claim = { fact: 'claim', result: event?.id ?? result ?? '', now: now() } as const
    // Decided: whatever is handed over now, the answer is the same.
    if (!event || wakeAt(one) === undefined) return box.mail.send(claim)
    const handed = { event, ...(conversationKey === undefined ? {} : { conversationKey }) }
    const read = readResult(handed, one, keys.verify)
    if (!read.ok) return refuse(node, job, read.says)
    shelves.hand(key, 'result', handed)
    // The first one stays, even when this process died before it judged it.
    if (shelves.handed(key, 'result')?.event.id !== event.id)
      return refuse(node, job, 'Another result was handed over before: the first one counts.')
    return box.mail.send(claim)
  }

  /** Why there is no room for a case of this provider; forgets what nobody can ask for any more. */
  function noRoomFor(node: string, deadline: number): string | undefined {
    const at = now()
    let mine = 0
    let open = 0
    for (const [key, { mail }] of boxes) {
      const one = mail.job()
      const decided = wakeAt(one) === undefined
      if (decided && one.deadline < at) forget(key)
      else if (one.node === node) mine++
      if (!decided) open++
    }
    if (!allow(node)) return 'This verifier does not know you.'
    if (deadline <= at) return 'The deadline has passed.'
    if (deadline > at + limits.deadlineSeconds) return `A deadline is at most ${limits.deadlineSeconds} seconds away.`
    if (mine >= limits.perNode) return `You have ${mine} cases here. Wait for the deadline of one of them.`
    return open >= limits.open || boxes.size >= limits.cases
      ? 'This verifier has all the cases it can take.'
      : undefined
  }

  function forget(key: string) {
    boxes.get(key)?.mail.close()
    boxes.delete(key)
    shelves.forget(key)
  }

  function begin(key: string, { one, preimage }: KeptCase, acts: readonly EscrowAct[]): Box {
    const hearers = new Set<() => void>()
    let judging = false
    let undecided = wakeAt(one) !== undefined
    const mail = openMailbox<EscrowCase, EscrowFact, EscrowAct>({
      ...{ job: one, acts, step, wakeAt, clock, room: 64 },
      // The preimage is on the disk before its hash leaves, a decision before it is told.
      keep: job => shelves.keep(key, { one: job, preimage }),
      timeFact: at => ({ fact: 'time', now: at }),
      onChange(job, fact) {
        if (fact?.fact === 'customer') for (const hear of [...hearers]) hear()
        if (undecided && wakeAt(job) === undefined) tell({ event: 'verdict', ...told(job) })
        undecided = wakeAt(job) !== undefined
      },
      async perform(act, job, send) {
        if (act.act === 'say') return speak(key, job, preimage, act)
        if (judging) return
        judging = true
        try {
          const judgement = await decide(key, box)
          if (judgement) send({ fact: 'verdict', result: act.result, judgement, now: now() })
        } finally {
          judging = false
        }
      },
      onThrow(_act, error) {
        if (!closing.signal.aborted) tell({ event: 'trouble', job: one.job, says: String(error) })
        return undefined
      },
      onBroken: error => tell({ event: 'trouble', job: one.job, says: String(error) }),
    })
    const box: Box = { mail, hearers }
    boxes.set(key, box)
    return box
  }

  /** Asks the judge about what was handed over, which is read anew: nothing but the journal survives a restart. */
  async function decide(key: string, { mail, hearers }: Box) {
    const one = mail.job()
    const [asked, answered] = [shelves.handed(key, 'request'), shelves.handed(key, 'result')]
    const request = asked && readRequest(asked, { ...one, verifier: words.pubkey }, keys.verify)
    const result = answered && readResult(answered, one, keys.verify)
    if (!request?.ok || !result?.ok) throw new Error('what was handed over for this case is not in the journal')
    const over = new AbortController()
    const stop = clock.after(Math.max(0, one.deadline * 1_000 - clock.now()), () => over.abort())
    const signal = AbortSignal.any([closing.signal, over.signal])
    const customerWord = (until: AbortSignal) => heard(mail, hearers, until)
    try {
      return await judge({ case: one, request: request.value, result: result.value, customerWord }, signal)
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    } finally {
      stop()
    }
  }

  async function speak(key: string, one: EscrowCase, preimage: string, act: Extract<EscrowAct, { act: 'say' }>) {
    const { word, says } = act
    const to = act.to === 'node' ? one.node : one.customer
    if (word === 'refused') return refuse(to, one.job, says)
    const { hash: paymentHash, msats, deadline, job } = one
    const extra = word === 'hash' ? { msats, deadline } : word === 'release' && act.to === 'node' ? { preimage } : {}
    const value: EscrowWord = { job, to, status: word, says, paymentHash, ...extra }
    return words.send(
      shelves.word(key, `${act.to}:${word}`, () => words.sign(value)),
      to,
    )
  }

  function refuse(to: string, job: string, says: string) {
    // Junk is not answered for ever: strangers could have this verifier flood its own relays.
    if (!refusals.has('all')) return
    refusals.take('all')
    const status: EscrowStatus = 'refused'
    void words.send(words.sign({ job, to, status, says: says.slice(0, 500) }), to)
  }

  return {
    pubkey: words.pubkey,
    ready: words.live,
    cases: () => [...boxes.values()].map(({ mail }) => mail.job()),
    close() {
      closing.abort()
      words.close()
      for (const { mail } of boxes.values()) mail.close()
    },
  }
}

const told = ({ job, node, customer, msats, state, says }: EscrowCase) => ({ job, node, customer, msats, state, says })

/** The customer's word of a case, now or when it comes. */
function heard({ job }: Mailbox<EscrowCase, EscrowFact>, hearers: Set<() => void>, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<'accept' | 'complain'>()
  const hear = () => {
    const { said } = job()
    if (said !== undefined) resolve(said)
  }
  const onAbort = () => reject(signal.reason)
  hearers.add(hear)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  hear()
  return promise.finally(() => {
    hearers.delete(hear)
    signal.removeEventListener('abort', onAbort)
  })
}
