/**
 * What a job under escrow asks of its verifier: the payment hash for its bill, and the verdict on its answer.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import type { NodeAsk } from '../job/node-side.ts'
import type { NodeFact, NodeJob, Why } from '../job.ts'

export interface Escrow {
  /** Key of the verifier. */
  readonly verifier: string
  hash(): Promise<{ readonly ok: true; readonly hash: string } | { readonly ok: false; readonly why: Why }>
  /** Once the verifier has released it. */
  preimage(): string | undefined
  /** Ends with a `verdict`. */
  verdict(job: NodeJob, send: (fact: NodeFact) => void): Promise<void>
}

export interface EscrowDesk {
  of(request: Event, ask: NodeAsk, verifier: string): Escrow
}
