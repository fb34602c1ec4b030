/**
 * What the own chain comes to, entry by entry: the ledger that a verifier folds with the same code, and the routes that
 * this router named, whose jobs are its own experience.
 * @module
 */
import { type Attestation, attestation, type Event, quoteRequest, routing } from '../../kinds/index.ts'
import { bounded } from '../bounded.ts'
import { type Ledger, labelEntry, openLedger, type Params, routingEntry } from '../ledger/index.ts'

/** One route of this router. */
export interface OwnRoute {
  readonly id: string
  /** Who asked; only this customer's jobs are own experience. */
  readonly to: string
  readonly deadlineMs?: number
  /** The model of each named candidate, by node. */
  readonly models: ReadonlyMap<string, string>
}

export interface MemoryHooks {
  /** A customer that paid the router's fee before it was answered. */
  paidFee(customer: string): void
  trouble(says: string): void
}

export interface Memory {
  readonly ledger: Ledger
  /** Folds the next entry; gives it back where it is a label. */
  take(event: Event, hooks: MemoryHooks): Attestation | undefined
  routingOf(id: string): OwnRoute | undefined
}

/** Routes whose jobs are still expected. */
const mostRoutes = 20_000

export function openMemory(params: Params): Memory {
  const ledger = openLedger(params)
  const routes = bounded<string, OwnRoute>(mostRoutes)

  function takeRoute(event: Event, { paidFee, trouble }: MemoryHooks) {
    const read = routing.read(event)
    if (!read.ok) return trouble(`Entry ${event.id} of the own log is neither label nor route: ${read.says}`)
    const { value } = read
    const fault = ledger.fold(routingEntry(event.id, value))
    if (fault) return trouble(`Entry ${value.seq} of the own log does not follow: ${fault}`)
    const { to, fee, asked, candidates } = value
    // With an invoice in it, it was answered on credit, and who knows whether that was paid.
    if (fee && fee.msats > 0n && fee.bolt11 === undefined) paidFee(to)
    const request = asked && quoteRequest.read(asked)
    const { model, deadlineMs } = request?.ok ? request.value : {}
    const models = new Map(candidates.map(one => [one.node, one.model ?? model ?? '']))
    routes.set(event.id, { id: event.id, to, models, ...(deadlineMs === undefined ? {} : { deadlineMs }) })
  }

  return {
    ledger,
    take(event, hooks) {
      if (event.kind !== attestation.number) {
        takeRoute(event, hooks)
        return undefined
      }
      const read = attestation.read(event)
      const fault = read.ok ? ledger.fold(labelEntry(event.id, read.value)) : read.says
      if (fault) hooks.trouble(`Entry ${event.id} of the own log does not follow: ${fault}`)
      return read.ok && !fault ? read.value : undefined
    },
    routingOf: routes.get,
  }
}
