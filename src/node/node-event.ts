/**
 * What a node tells its operator.
 * @module
 */

/** What an operator sees of a job. `says` is for people and never holds a customer's text. */
export interface NodeEvent {
  readonly event:
    | 'accepted'
    | 'refused'
    | 'invoice'
    | 'held'
    | 'paid'
    | 'credit'
    | 'running'
    | 'delivered'
    | 'receipt'
    | 'released'
    | 'refunded'
    | 'tip'
    /** A request for quotes was answered. */
    | 'quoted'
    /** A usage receipt was published. */
    | 'usage'
    /** The own speed was measured and is claimed. */
    | 'measured'
    | 'expired'
    | 'failed'
    | 'cancelled'
    | 'announced'
    | 'alive'
    | 'deaf'
    | 'trouble'
  readonly job?: string
  readonly customer?: string
  readonly msats?: bigint
  readonly id?: string
  readonly says?: string
  readonly ms?: number
}
