/**
 * Firm quotes that bind for a job which is shown: whose asker names the quote in time, for what was quoted.
 * @module
 */
import {
  type Offered,
  type QuoteRequest,
  quote,
  quoteRequest,
  type TextRequest,
  textRequest,
} from '../../kinds/index.ts'
import type { FaultCase, Told } from './fault-case.ts'

export interface Binding {
  readonly quote: Told<Offered>
  readonly job: Told<TextRequest>
}

/** Firm quotes of the accused. */
export const firmQuotes = ({ own }: FaultCase): Told<Offered>[] => own(quote).filter(({ value }) => value.firm)

/**
 * Firm quotes with the request for quotes that they answer. One that was passed on for somebody else (`origin`) belongs
 * to whoever names it first, which no bytes can show: it binds for nobody here.
 */
export function askedFor(matter: FaultCase): (Told<Offered> & { readonly asked: QuoteRequest })[] {
  const asked = matter.all(quoteRequest).filter(({ value }) => value.origin === undefined)
  return firmQuotes(matter).flatMap(told => {
    const found = asked.find(({ event }) => event.id === told.value.request && event.pubkey === told.value.to)
    return found && found.value.kind === told.value.kind ? [{ ...told, asked: found.value }] : []
  })
}

/** Quotes and the jobs that they bind for: by the asker, naming it, of the kind, the model and the length that was quoted. */
export function bindingQuotes(matter: FaultCase): Binding[] {
  const jobs = matter.all(textRequest)
  return askedFor(matter).flatMap(({ asked, ...told }) =>
    jobs
      .filter(({ event, value }) => {
        const { model, maxTokens } = value
        return (
          value.quote === told.event.id &&
          event.pubkey === told.value.to &&
          event.kind === told.value.kind &&
          (model === undefined || model === told.value.model) &&
          (asked.maxTokens === undefined || (maxTokens !== undefined && maxTokens <= asked.maxTokens))
        )
      })
      .map(job => ({ quote: told, job })),
  )
}
