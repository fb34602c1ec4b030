/**
 * What a person and a script see of a question that finds its own way: who was chosen and why, who was asked next, and
 * what all of it cost.
 * @module
 */
import type { RoutedEvent, RoutedOutcome, RoutedQuestion, RouterWord } from '../client/client.ts'
import { npub, pubkeyFromText } from '../keys.ts'
import { openPolicy } from '../routing/index.ts'
import { comesBack, showAsk } from './asking.ts'
import { type Arguments, clean, type Io, jsonLine, UsageError } from './command.ts'
import { privacyWords } from './privacy-words.ts'
import { money, type Screen } from './screen.ts'
import { reason } from './wiring.ts'

export const routingOptions = {
  router: { type: 'string', multiple: true },
  'router-fee-msats': { type: 'string' },
  policy: { type: 'string' },
  privacy: { type: 'string' },
  own: { type: 'string', multiple: true },
  region: { type: 'string' },
  'min-score': { type: 'string' },
  deny: { type: 'string', multiple: true },
  explore: { type: 'boolean' },
  'no-hedge': { type: 'boolean' },
} as const

export const routingHelp = [
  '  --router NPUB    ask this router who should answer; repeat for more (default: those of "gridstr trust", with --key)',
  '  --router-fee-msats N   pay a router up to this for its word (default 0)',
  '  --policy NAME    how to choose where no router helps: default, cheapest, fastest, trusted, local; steps may stand before,',
  '                   as in "proven|cheapest"',
  '  --privacy 0..3   only nodes that keep this level: 0 readable by all; 1 (default) sealed to the node; 2 in wraps both ways,',
  '                   so that relays see neither who asks nor what; 3 as 2, and only nodes of your own',
  '  --own NPUB       a node of your own; repeat for more',
  '  --region NAME    only nodes there',
  '  --min-score N    only nodes that the router scores at least so high, 0 to 100',
  '  --deny NPUB      never this node; repeat for more',
  '  --explore        also a newcomer that nobody has proven, now and then (default: only while nobody is proven)',
  '  --no-hedge       ask no second node where the first keeps silent',
  '                   (each of these, from --router on: when a node fails, the next one is asked, under the same --max-sats)',
]

type Wish = Pick<
  RoutedQuestion,
  'routers' | 'routerFeeMsats' | 'policy' | 'privacy' | 'own' | 'region' | 'minScore' | 'deny' | 'explore' | 'hedge'
>

/** What is wished of routing; `undefined` where nothing is. Throws `UsageError`. */
export function routingOf(args: Arguments): Wish | undefined {
  const policy = args.text('policy')
  const privacy = args.number('privacy', 0, 3)
  const region = args.text('region')
  const minScore = args.number('min-score', 0, 100)
  const fee = args.number('router-fee-msats', 0, 1_000_000_000)
  const routers = args.texts('router').map(text => keyOf('router', text))
  const deny = args.texts('deny').map(text => keyOf('deny', text))
  const own = args.texts('own').map(text => keyOf('own', text))
  if (privacy === 3 && own.length === 0) throw new UsageError('--privacy 3: name the nodes of your own with --own.')
  const hedge = !args.flag('no-hedge')
  const explore = args.flag('explore')
  const said = [policy, privacy, region, minScore, fee].some(value => value !== undefined)
  if (!said && hedge && !explore && routers.length === 0 && deny.length === 0 && own.length === 0) return undefined
  try {
    openPolicy(policy)
  } catch (error) {
    throw new UsageError(`--policy: ${reason(error)}`)
  }
  return {
    ...{ routers, deny, hedge },
    ...(explore ? { explore } : {}),
    ...(own.length > 0 ? { own } : {}),
    ...(policy === undefined ? {} : { policy }),
    ...(privacy === undefined ? {} : { privacy: privacy as 0 | 1 | 2 | 3 }),
    ...(region === undefined ? {} : { region }),
    ...(minScore === undefined ? {} : { minScore }),
    ...(fee === undefined ? {} : { routerFeeMsats: BigInt(fee) }),
  }
}

function keyOf(option: string, text: string): string {
  try {
    return pubkeyFromText(text)
  } catch (error) {
    // Never the text itself: it may be a secret key, pasted by mistake.
    throw new UsageError(`--${option}: ${reason(error)}`)
  }
}

/** Shows one moment. */
export function showRouted(event: RoutedEvent, io: Io, screen: Screen, json: boolean): void {
  switch (event.event) {
    case 'route': {
      const named = event.candidates.map(({ announcement: _, speed: __, ...one }) => one)
      if (json) io.out(jsonLine({ ...event, candidates: named }))
      for (const word of event.routers)
        if (word.state !== 'routed') screen.line('router', routerWords(word))
        else if (!word.bonded) screen.line('router', `${npub(word.router)} is unbonded: it has nothing at stake here`)
      const [first, ...others] = event.candidates
      if (!first) return
      const who =
        event.by === 'routers' ? `by ${first.routers.length} of ${event.routers.length} routers` : 'by this client'
      const more = others.length === 0 ? 'nobody else in reserve' : `${others.length} in reserve`
      // A router says the score and the price among its reasons, with more digits.
      const reasons = first.reasons.map(clean).filter(reason => !/^(score|cheapest|free$|[0-9,]+ msats$)/.test(reason))
      const why = [`score ${scoreText(first.score)}`, ...reasons.slice(0, 3)].join(' · ')
      screen.line('route', `${npub(first.node)} · ${money(first.msats)} · ${why} · ${who}, ${more}`)
      return
    }
    case 'attempt':
      if (json) io.out(jsonLine(event))
      if (event.hedge)
        screen.line('hedge', `the first node is silent: asking ${npub(event.node)} as well; one of them is paid`)
      return
    case 'failover':
      if (json) io.out(jsonLine(event))
      screen.line(
        'fail-over',
        `${npub(event.from)}: ${clean(event.why.says)} Asking ${npub(event.to)} for ${event.asks === 'rest' ? 'the rest' : 'the whole answer'} · ${event.paidMsats === 0n ? 'nothing' : money(event.paidMsats)} paid so far`,
      )
      return
    case 'recomputed':
      if (json) io.out(jsonLine(event))
      if (!event.ok)
        screen.line('router', `${npub(event.router)} does not pass: ${clean(event.says)} It is not used any more`)
      return
    default:
      if (json && event.event === 'replaced') io.out(jsonLine(event))
      showAsk(event, io, screen, json)
  }
}

/** Of 100; below ten with a digit more, because newcomers differ there. */
const scoreText = (score: number): string =>
  score >= 0.1 ? String(Math.round(score * 100)) : (score * 100).toPrecision(2)

const routerWords = ({ router, state, code = '', says = '' }: RouterWord): string =>
  state === 'silent'
    ? `${npub(router)} did not answer in time`
    : state === 'lied'
      ? `${npub(router)} is not believed (${code}): ${clean(says)}`
      : `${npub(router)} refuses (${clean(code)}): ${clean(says)}`

/** The last lines. Exit status 0 for an answer. */
export function closingRouted(outcome: RoutedOutcome, io: Io, screen: Screen, json: boolean): number {
  const { ok, text, msats, feeMsats, ms, firstTextMs, attempts, hedges, answered, route, acknowledged, privacy } =
    outcome
  const by = { by: route.by, routers: route.routers }
  const told = { msats, feeMsats, ms, attempts, hedges, route: by, acknowledged, privacy }
  if (!json && ok) screen.text('\n')
  if (json && answered) {
    const { request, result, preimage, receipt, splits, usage, finish } = answered
    const ids = { request: request.id, result: result?.id, receipt: receipt?.id }
    const shares = splits?.map(one => ({ ...one, receipt: one.receipt?.id }))
    io.out(jsonLine({ ok, text, ...ids, preimage, splits: shares, usage, finish, firstTextMs, ...told }))
  } else if (json)
    io.out(
      jsonLine({ ok, code: outcome.code, error: clean(outcome.says ?? ''), ...(text === '' ? {} : { text }), ...told }),
    )
  const asked = attempts.filter(({ job }) => job !== undefined)
  for (const { node, state, msats: paid, refundMsats, parts, refund } of asked.length > 1 ? asked : []) {
    const some = parts === undefined ? '' : ` for ${parts} ${parts === 1 ? 'part' : 'parts'}`
    const back = refundMsats > 0n ? `, ${money(refundMsats)} came back` : refund === 'unpaid' ? ', claimed back' : ''
    screen.line('attempt', `${npub(node)} ${state} · ${paid === 0n ? 'nothing paid' : `${money(paid)}${some}`}${back}`)
  }
  if (privacy) screen.line('privacy', privacyWords(privacy))
  const cost = `${money(msats)}${feeMsats > 0n ? ` and ${money(feeMsats)} for routers` : ''}`
  if (!ok) {
    screen.line('failed', `${clean(outcome.says ?? '')}${msats > 0n ? ` You paid ${cost} in all.` : ''}`)
    return 1
  }
  const first = firstTextMs === undefined ? '' : ` · first words after ${(firstTextMs / 1000).toFixed(2)} s`
  screen.line(
    'done',
    `${cost}${comesBack(answered ?? {})}${first} · ${(ms / 1000).toFixed(2)} s in all${asked.length > 1 ? ` · ${asked.length} nodes` : ''}`,
  )
  return 0
}
