/**
 * How much a node takes on: every number that bounds what strangers can make it do.
 * @module
 */

export interface NodeLimits {
  /** Jobs that have not ended. More are refused as `busy`. */
  readonly jobs: number
  /** Seconds that a customer has to pay while all places are taken; then the longest unpaid job gives way to a new one. */
  readonly unpaidSeconds: number
  /** Ended jobs with an unpaid invoice that are still watched for late money; of more, the oldest are asked about and let go. */
  readonly lingering: number
  /** Of the jobs, those of one customer. */
  readonly jobsPerCustomer: number
  /** Unpaid invoices of one customer. */
  readonly billsPerCustomer: number
  /** Ended jobs whose answer is still repeated to those who ask again. */
  readonly remembered: number
  /** Seconds that an invoice lives. */
  readonly billSeconds: number
  /** Seconds that the work may take. */
  readonly workSeconds: number
  /** Milliseconds for which answers are offered to relays that come back. */
  readonly keepMs: number
  /** Jobs of one customer that are looked at; a fifth of it at once. */
  readonly requestsPerMinute: number
  /**
   * Events of strangers that are verified and opened at each door, of all together; a fifth of it at once, and half of it
   * through one relay. Keys of one job make the rate of one customer no bound for many.
   */
  readonly arrivalsPerMinute: number
  /** Refusals that are sent, to all together; a fifth of it at once. Beyond it junk is dropped in silence. */
  readonly refusalsPerMinute: number
  /** Seconds for which the journal keeps ended jobs. Money rows stay. */
  readonly keptSeconds: number
  /** Requests for quotes of one asker that are answered; a fifth of it at once. A router asks for many customers. */
  readonly quotesPerMinute: number
  /** The same of all askers together. Beyond it they are dropped in silence. */
  readonly allQuotesPerMinute: number
  /** Seconds for which a quote holds. */
  readonly quoteSeconds: number
  /** Firm quotes that are remembered. While so many hold, further ones are indications. */
  readonly firmQuotes: number
}

export const defaultLimits: NodeLimits = {
  jobs: 64,
  unpaidSeconds: 10,
  lingering: 2_048,
  jobsPerCustomer: 8,
  billsPerCustomer: 8,
  remembered: 2_000,
  billSeconds: 300,
  workSeconds: 600,
  keepMs: 900_000,
  requestsPerMinute: 600,
  arrivalsPerMinute: 6_000,
  refusalsPerMinute: 300,
  keptSeconds: 7 * 86_400,
  quotesPerMinute: 300,
  allQuotesPerMinute: 1_200,
  quoteSeconds: 120,
  firmQuotes: 1_000,
}
