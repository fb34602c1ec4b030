/**
 * An attestation (1985): the chain that it stands in, the papers that it names, and the label that the router's own code
 * makes of them.
 * @module
 */
import {
  type Attestation,
  about,
  type Event,
  feedback,
  handler,
  ofKinds,
  resultKind,
  zapReceipt,
} from '../../../kinds/index.ts'
import { factOf } from '../../ledger/index.ts'
import { auditChecks } from './audit.ts'
import { brief, type Check, check, type Tools } from './check.ts'
import { banChecks } from './fault.ts'
import type { Finder } from './finder.ts'
import { labelledChecks } from './labelled.ts'
import { chainChecks, type Folded, foldLinks, type Lineage, lineageOf, type Place } from './lineage.ts'

export interface LabelFacts {
  readonly event: Event
  readonly said: Attestation
  readonly lineage: Lineage
  readonly folded: Folded | { readonly ok: false | null; readonly says: string }
  /** Job, evidence and routing event, by id. */
  readonly found: ReadonlyMap<string, Event>
  /** Announcements of the node. */
  readonly announcements: readonly Event[]
  /** What else the relays have about the job, for outcomes. */
  readonly papers: readonly Event[]
}

const placeOf = (event: Event, { seq, prev }: Attestation): Place => ({
  ...{ router: event.pubkey, seq, prev, id: event.id, at: event.created_at },
})

export async function gatherLabel(event: Event, said: Attestation, finder: Finder): Promise<LabelFacts> {
  const lineage = await lineageOf(placeOf(event, said), finder)
  const found = await finder.all([said.job, ...said.evidence, ...(said.routing ? [said.routing] : [])])
  const announcements = await finder.find([ofKinds([handler.number], { authors: [said.node] })], 64)
  const result = resultKind(said.kind)
  const papers =
    said.topic === 'outcome'
      ? await finder.find([
          about([said.job], result === undefined ? [feedback.number] : [feedback.number, result], {
            authors: [said.node],
          }),
          about([said.job], [zapReceipt.number]),
        ])
      : []
  return { event, said, lineage, folded: foldLinks(lineage), found, announcements, papers }
}

export async function labelChecks(facts: LabelFacts, tools: Tools): Promise<Check[]> {
  const { event, said, lineage, folded } = facts
  const place = { ...placeOf(event, said), ...(said.commit === undefined ? {} : { commit: said.commit }) }
  return [
    ...(await chainChecks(place, event, lineage, tools)),
    'ledger' in folded
      ? check('log', true, 'The log before it was fetched and folds.')
      : check('log', folded.ok, folded.says),
    ...(factOf(said).fact === 'fault'
      ? // What a ban is about may be a request, which no relay keeps.
        await banChecks(said, facts.found, tools)
      : [jobCheck(facts), evidenceCheck(facts), ...routeChecks(facts), ...judgedChecks(facts, tools)]),
  ]
}

const judgedChecks = (facts: LabelFacts, tools: Tools): Check[] =>
  facts.said.topic === 'audit' ? auditChecks(facts) : labelledChecks(facts, tools)

function jobCheck({ said, found }: LabelFacts): Check {
  const job = found.get(said.job)
  if (!job) return check('job', null, 'The job is not on these relays.')
  const fits = job.kind === said.kind && (said.customer === undefined || said.customer === job.pubkey)
  return check('job', fits, fits ? 'The job is of this customer and kind.' : 'The job is of another customer or kind.')
}

function evidenceCheck({ said, found }: LabelFacts): Check {
  const missing = said.evidence.filter(id => !found.has(id))
  if (missing.length > 0)
    return check('evidence', null, `${brief(missing[0] ?? '')}, which it names as evidence, is not on these relays.`)
  return check('evidence', true, `All that it names as evidence is there (${said.evidence.length}).`)
}

function routeChecks({ event, said, found }: LabelFacts): Check[] {
  if (said.routing === undefined) return []
  const route = found.get(said.routing)
  return route
    ? [
        check(
          'routing',
          route.pubkey === event.pubkey,
          route.pubkey === event.pubkey ? 'Its own routing event led there.' : 'The routing event is of somebody else.',
        ),
      ]
    : [check('routing', null, 'The routing event that it names is not on these relays.')]
}
