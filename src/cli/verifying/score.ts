/**
 * A score (30382): the log that it names is folded to the entry that it names, and written down by the router's own code.
 * @module
 */
import {
  addressedTo,
  attestation,
  bond,
  bondEntry,
  type Event,
  faultVerdict,
  type NodeScore,
  ofKinds,
  priceSheet,
} from '../../../kinds/index.ts'
import { defaultParams, paramsHash, productOf } from '../../ledger/index.ts'
import { openScores } from '../../router/scores.ts'
import { openStakes } from '../../router/stakes.ts'
import { brief, type Check, check, type Found, over, unknown, wrong } from './check.ts'
import type { Finder } from './finder.ts'
import { type Folded, foldedSays, foldLinks, type Lineage, lineageOf } from './lineage.ts'
import { factorsDiffer, stakesFit, standingOf } from './scored.ts'

export interface ScoreFacts {
  readonly event: Event
  readonly said: NodeScore
  readonly sheets: readonly Event[]
  /** Up to and with the entry that it names. */
  readonly lineage: Lineage | undefined
  readonly folded: Folded | { readonly ok: false | null; readonly says: string }
  readonly stakes: readonly Event[]
}

export async function gatherScore(event: Event, said: NodeScore, finder: Finder): Promise<ScoreFacts> {
  const { log } = said
  if (!log)
    return { event, said, sheets: [], lineage: undefined, folded: { ok: null, says: 'It names no log.' }, stakes: [] }
  const sheets = await finder.find([ofKinds([priceSheet.number], { authors: [log.router] })], 16)
  const lineage = await lineageOf({ router: log.router, seq: log.seq + 1, prev: log.id, at: event.created_at }, finder)
  const staked = said.markets.some(({ factors }) => factors.K !== 1)
  const stakes = staked
    ? await finder.find([
        ofKinds([bond.number, bondEntry.number], { authors: [said.node] }),
        addressedTo([said.node], [faultVerdict.number], { authors: [log.router] }),
      ])
    : []
  return { event, said, sheets, lineage, folded: foldLinks(lineage), stakes }
}

export function scoreFactsChecks(facts: ScoreFacts): Check[] {
  const { said, folded, lineage } = facts
  return [
    serviceCheck(facts),
    check(
      'params',
      said.params === paramsHash(defaultParams) ? true : null,
      said.params === paramsHash(defaultParams)
        ? 'Its parameters are known.'
        : 'It was made with parameters that are not known here.',
    ),
    logCheck(facts),
    ...('ledger' in folded && lineage && said.params === paramsHash(defaultParams)
      ? marketChecks(facts, folded, lineage)
      : ['markets', 'rank'].map(name =>
          check(
            name,
            'ledger' in folded ? null : folded.ok,
            'ledger' in folded ? 'Not without its parameters.' : folded.says,
          ),
        )),
    stakeCheck(facts),
  ]
}

/** Who signs scores for a router says its price sheet. */
function serviceCheck({ event, said: { log }, sheets }: ScoreFacts): Check {
  if (!log) return check('service', null, 'It names no router.')
  const read = sheets.flatMap(sheet => {
    const found = priceSheet.read(sheet)
    return found.ok && sheet.pubkey === log.router ? [{ at: sheet.created_at, value: found.value }] : []
  })
  if (read.some(({ value }) => value.service === event.pubkey))
    return check('service', true, 'Its key is the one that the router names for scores.')
  if (read.length === 0) return check('service', null, 'The price sheet of the router is not on these relays.')
  // Another key signs with other parameters.
  return read.some(({ at, value }) => at > event.created_at && value.params !== paramsHash(defaultParams))
    ? check('service', null, 'The router has other parameters now, and with them another key for scores.')
    : check('service', false, 'The router names another key for scores.')
}

function logCheck({ said: { log }, lineage, folded }: ScoreFacts): Check {
  if (!log || !lineage) return check('log', null, 'It names no log.')
  const last = lineage.links.at(-1)
  if (!last) return check('log', null, `Entry ${log.seq}, ${brief(log.id)}, is not on these relays.`)
  if (last.seq !== log.seq)
    return check('log', false, `The entry that it names has number ${last.seq}, not ${log.seq}.`)
  return 'ledger' in folded ? check('log', true, `${foldedSays(lineage)}.`) : check('log', folded.ok, folded.says)
}

/** The score as the router's own code writes it at this entry. */
function marketChecks({ event, said }: ScoreFacts, { ledger }: Folded, { links }: Lineage): Check[] {
  const scores = openScores({
    ...{
      router: said.log?.router ?? '',
      params: said.params ?? '',
      logId: () => ledger.id,
      now: () => event.created_at,
    },
    standing: (node, kind, model, at) => standingOf(ledger, node, kind, model, at),
    ...{ publish: () => event, lastRank: () => undefined, keepRank() {} },
  })
  for (const link of links) {
    const read = link.event.kind === attestation.number ? attestation.read(link.event) : undefined
    if (!read?.ok || read.value.topic === 'payment' || read.value.node !== said.node) continue
    scores.touched(said.node, read.value.kind, read.value.model)
  }
  const mine = scores.scoreOf(said.node)
  if (!mine)
    return [
      check('markets', said.markets.length === 0, 'The log says nothing about this node.'),
      check('rank', said.rank === 0, 'The log says nothing about this node.'),
    ]
  const found = said.markets.map((market): Found => {
    const name = `kind ${market.kind}${market.model === '' ? '' : `, ${market.model}`}`
    const same = mine.markets.find(({ kind, model }) => kind === market.kind && model === market.model)
    if (!same) return wrong(`The log says nothing of ${name}.`)
    const differs = factorsDiffer(market.factors, same.factors)
    if (differs) return wrong(`${name}: ${differs}.`)
    // Round trips are in no log: published scores leave them out.
    if (market.factors.L !== same.factors.L) return wrong(`${name}: L is ${market.factors.L}, not ${same.factors.L}.`)
    if (market.stage !== same.stage) return wrong(`${name}: it is called ${market.stage}, the log says ${same.stage}.`)
    if (market.jobs !== same.jobs) return wrong(`${name}: ${market.jobs} jobs, the log comes to ${same.jobs}.`)
    const rank = Math.round(productOf(market.factors) * 1e8) / 1e6
    return rank === market.rank ? undefined : wrong(`${name}: its factors come to rank ${rank}, not ${market.rank}.`)
  })
  const left = mine.markets.filter(
    one => !said.markets.some(({ kind, model }) => kind === one.kind && model === one.model),
  )
  if (left.length > 0) found.push(wrong(`It leaves out kind ${left[0]?.kind}, ${left[0]?.model ?? ''}.`))
  const best = Math.round(said.markets.reduce((most, { rank }) => Math.max(most, rank), 0))
  return [
    over('markets', found, 'Every market comes out of the log, to the digit.'),
    check(
      'rank',
      said.rank === best,
      said.rank === best ? 'Its rank is the best of its markets.' : `Its markets come to rank ${best}.`,
    ),
  ]
}

function stakeCheck({ event, said, stakes: events }: ScoreFacts): Check {
  if (!said.log && said.markets.length > 0) return over('stake', [unknown('It names no router.')], '')
  const stakes = openStakes(defaultParams, judge => judge === said.log?.router)
  for (const one of events) stakes.heard(one)
  const units = stakes.unitsOf(said.node, event.created_at - (event.created_at % 60))
  return stakesFit(said.markets.map(({ factors }) => ({ node: said.node, K: factors.K, units })))
}
