/**
 * One job from the listening to the last millisatoshi: whoever asks, and whoever takes up what an earlier process had
 * asked, waits here.
 * @module
 */
import { about, type Event, feedback, isSealed, jobKind, present } from '../../kinds/index.ts'
import { query } from '../../relays/relay.ts'
import { aborted } from '../clock.ts'
import { openClientJob } from '../job/client-side.ts'
import type { ClientJob, Why } from '../job.ts'
import { isEnd } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import { openPayloads } from '../payload/index.ts'
import { accuseNode, type JobPapers } from './accuse.ts'
import type { Afterwards } from './afterwards.ts'
import { type AskEvent, type Asked, openAsk } from './ask.ts'
import type { Claims } from './claims.ts'
import type { Turn } from './clearing.ts'
import type { ClientOptions, Outcome, Question } from './client.ts'
import { mostAnswerBytes, openFetching } from './fetching.ts'
import type { Opening } from './keeping.ts'
import { claimKept, type Rest } from './kept.ts'
import { wrappedFrom } from './levels.ts'
import { noting } from './mail.ts'
import type { Identity } from './one-key.ts'
import type { Opened } from './opening.ts'
import { openHeard, type PrivacyReport, privacyOf } from './privacy-report.ts'
import { paySplits, type SplitOutcome } from './splits.ts'

export interface FollowOptions extends ClientOptions {
  readonly journal: Journal
  readonly claims: Claims | undefined
  readonly afterwards: Afterwards
  /** The customer's own key, whoever signs the job. */
  readonly own: Pick<Identity, 'pubkey'>
}

/** How a job is followed. `reopened` is the job as an earlier process left it. */
export interface Following extends Pick<Question, 'giveUp' | 'onEvent' | 'mostBytes'> {
  readonly reopened?: ClientJob
  /** Where several jobs serve one question. */
  readonly turn?: Turn
  /** Called once, when the job has begun. */
  onBegun?(run: Run): void
  /** Called before the outcome, where money that the node keeps is waited for after it. */
  onRest?(rest: Rest): void
}

/** A job under way, for whoever would rather ask another node. */
export interface Run {
  readonly request: Event
  job(): ClientJob
  /** Nobody waits for this node any more. */
  abandon(why: Why): void
  /** The job once it has ended and its payment is accounted for, or as it stood when `giveUp` fired. */
  readonly ended: Promise<ClientJob>
}

export async function follow(
  options: FollowOptions,
  opened: Opened,
  how: Following,
  signal?: AbortSignal,
): Promise<Outcome> {
  const { lnurl: service, ...others } = options
  const { keys, clock, journal, network, own } = options
  const began = clock.now()
  const { opening, identity, privacy: level } = opened
  const { request, announcement, ask } = opening
  const { seal } = identity
  const hidden = level >= wrappedFrom
  const noted = noting(options.relays, opened.said)
  const { relays } = noted
  const answersHeard = openHeard(ask.node)
  const report = (): PrivacyReport =>
    privacyOf({
      ...{ wanted: level, request, ownNode: opened.ownNode, relays: relays.urls },
      ...{ identity: { kind: identity.kind, pubkey: request.pubkey }, said: noted.said(), heard: answersHeard.all() },
      ...present({ node: ask.node, nodeSeconds: opened.retentionSeconds, chunks: fetching.heard() }),
      ...(opening.terms?.word === 'escrow' ? { verifier: opening.terms.verifier } : {}),
    })
  const results = jobKind(request.kind)?.result
  const resultKind = results?.number ?? 0
  const events: Event[] = []
  const seen: { result?: Event; receipt?: Event; firstTextMs?: number } = {}
  const tell = (event: AskEvent) => {
    if (event.event === 'chunk' && event.text !== '') seen.firstTextMs ??= clock.now() - began
    how.onEvent?.(event)
  }
  const payloads = openPayloads({ relays, keys, clock })
  const fetching = openFetching({
    ...{ payloads, decrypt: seal.decrypt, mostBytes: how.mostBytes ?? mostAnswerBytes, tell },
    read(event, plain) {
      const read = event.kind === resultKind ? results?.read(event, plain) : undefined
      return read?.ok ? read.value : undefined
    },
    chosen: () => asked.chosen(),
    whole: (event, plain, text) => asked.heard(event, plain, text),
    failed: why => asked.abandon(why),
  })
  if (opened.refusal) return unasked(opening, opened.refusal, how, report)
  const { caps, nodeKey, payer } = options
  // A payment service would publish a receipt that names the job.
  const lnurl = hidden ? undefined : service
  const asked = openAsk({
    ...{ relays, keys, clock, journal, network, opening, seal, hidden, tell, lookAgain, self: own.pubkey },
    ...present({ caps, nodeKey, payer, lnurl, reopened: how.reopened, turn: how.turn }),
  })
  const { node } = ask
  const listening = identity.hear({
    ...{ job: request.id, hidden, onEvent, wantsReceipt: opening.zapRequest !== undefined },
    ...(node ? { node } : {}),
    // The standing subscription begins now; what was said to an earlier process may be older.
    namesUs: (announcement?.v ?? 0) > 0 && how.reopened === undefined,
  })

  function onEvent(event: Event, wrapped: boolean) {
    answersHeard.note(event, wrapped)
    // What came in the open is no answer to who asked for wraps: believing it would lower the level in silence.
    if (hidden && !wrapped) return
    const opened = isSealed(event) ? unsealed(event) : undefined
    if (isSealed(event) && opened === undefined) return
    if (event.kind === feedback.number && events.length < 200) events.push(event)
    if (event.kind === resultKind && asked.chosen() === event.pubkey) seen.result ??= event
    if (!fetching.take(event, opened)) asked.heard(event, opened)
    // The job has taken note of it when its turn was.
    if (event.kind === feedback.number) queueMicrotask(lookForCredit)
  }

  const word = Promise.withResolvers<void>()
  const lookForCredit = () => {
    const { state, creditMsats } = asked.job()
    if (isEnd(state) && creditMsats !== undefined) word.resolve()
  }

  async function lookAgain(author: string): Promise<void> {
    // Relays keep nothing of a job in wraps, and a question of ours would name it.
    if (hidden) return
    const kept = about([request.id], [feedback.number, resultKind], { authors: [author] })
    for (const event of (await query(relays, [kept])).reverse()) onEvent(event, false)
  }

  function unsealed(event: Event): string | undefined {
    try {
      return seal.decrypt(event.pubkey, event.content)
    } catch {
      // Anybody may send bytes that do not open: they must not end the job.
      return undefined
    }
  }

  let abandoned = false
  const abandon = (why: Why) => {
    abandoned = true
    asked.abandon(why)
  }
  const cancel = () => asked.cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  let settled = false
  let rest: Rest | undefined
  try {
    await listening.live
    asked.begin()
    if (signal?.aborted) asked.cancel()
    const ended = Promise.race([asked.ended, gaveUp(how.giveUp, asked)])
    how.onBegun?.({ request, job: asked.job, abandon, ended })
    const job = await ended
    const enough = AbortSignal.any([signal, how.giveUp].filter(one => one !== undefined))
    const paying = { ...others, relays, tell, ...present({ lnurl }) }
    const [receipt, splits] = await Promise.all([asked.receipt(), paySplits(paying, opening, job, enough)])
    // A job that ends only now was never asked for its shares.
    settled = isEnd(job.state) && splits.every(({ state }) => state !== 'open')
    await asked.voice.withdrawn()
    rest = claimKept({
      ...{ clock, claims: options.claims, secret: opening.secret, abandoned, tell },
      ...{ job: asked.job, word: word.promise, signal: options.afterwards.signal, ask: askForWord },
    })
    if (rest) {
      options.afterwards.add(rest.ended)
      how.onRest?.(rest)
    }
    const outcome = asked.outcome(job)
    const shared = splitsOf(splits, outcome.msats)
    const answers = [...events, ...(seen.result ? [seen.result] : [])]
    if (!hidden)
      await accused({ ...options, relays, tell }, opening, present({ request, answers, preimage: outcome.preimage }))
    return {
      ...outcome,
      ...shared,
      ...seen,
      ...present({ receipt, finish: outcome.text === undefined ? undefined : job.answer?.finish }),
      request,
      feedback: events,
      ms: clock.now() - began,
      privacy: report(),
    }
  } finally {
    signal?.removeEventListener('abort', cancel)
    fetching.close()
    if (rest?.listening) void rest.listening.then(done => close(settled && done))
    else close(settled)
  }

  function close(done: boolean) {
    listening.close()
    asked.close(done)
  }

  /** An earlier process may have ended before its withdrawal was out, and before the node's last word. */
  function askForWord() {
    const by = asked.chosen()
    if (how.reopened === undefined || by === undefined) return
    asked.voice.withdraw()
    void Promise.all([asked.voice.again(by), lookAgain(by)]).catch(() => {})
  }
}

/** A job that may not be published, for whoever waits for its end. */
function unasked({ request, ask }: Opening, why: Why, how: Following, report: () => PrivacyReport): Outcome {
  const [opened] = openClientJob(ask)
  const job: ClientJob = { ...opened, state: 'refused', why }
  how.onBegun?.({ request, job: () => job, abandon() {}, ended: Promise.resolve(job) })
  return { ok: false, job, request, feedback: [], msats: 0n, ...why, ms: 0, privacy: report() }
}

/** Shows what the papers of this job prove against its node, where we want that. */
async function accused(
  options: FollowOptions & { tell(event: AskEvent): void },
  { secret, ask }: Opening,
  papers: JobPapers,
): Promise<void> {
  const { accuse: tools, tell } = options
  const node = ask.node ?? papers.answers.at(-1)?.pubkey
  if (!tools || node === undefined) return
  // Whatever goes wrong with it, the answer and its money are told.
  const found = await accuseNode({ ...options, secret, tools }, node, papers).catch(() => undefined)
  if (found) tell({ event: 'accused', ...found })
}

const splitsOf = (splits: readonly SplitOutcome[], msats: bigint): Pick<Outcome, 'splits' | 'msats'> => {
  const left = splits.filter(({ state }) => state === 'paid' || state === 'unproven')
  return { ...(splits.length > 0 ? { splits } : {}), msats: left.reduce((sum, one) => sum + one.msats, msats) }
}

/** The job as it stands when the signal fires; never without one. */
const gaveUp = (signal: AbortSignal | undefined, asked: Asked): Promise<ClientJob> =>
  aborted(signal).then(() => asked.job())
