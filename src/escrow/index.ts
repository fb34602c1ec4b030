/**
 * Escrow: the provider's, the customer's and the verifier's half, and the judges.
 * @module
 */
export {
  type EscrowAsk,
  type EscrowVerdict,
  type HashAnswer,
  type HashAsk,
  openEscrowAsk,
  type VerdictAsk,
} from './asking.ts'
export { type EscrowView, openEscrowView, type VouchAsk, type Vouched } from './customer.ts'
export type { EscrowCase, Judge, Judgement, Matter } from './escrow.ts'
export { customerSays, matches } from './judges.ts'
export {
  type EscrowVerifier,
  openVerifier,
  type VerifierEvent,
  type VerifierLimits,
  type VerifierOptions,
} from './verifier.ts'
