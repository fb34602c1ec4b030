/**
 * Everything that a program needs to sell or buy answers. The kinds are in `gridstr/kinds`, relays in `gridstr/relays`.
 * @module
 */
export {
  type AskEvent,
  type Client,
  type ClientOptions,
  chooseNode,
  type LnurlUse,
  type Offer,
  type Outcome,
  openClient,
  type Question,
  type RoutedOutcome,
  type RoutedQuestion,
  readMarket,
  type SplitOutcome,
  type SplitState,
  type WordSaid,
} from './client/client.ts'
export { type Clock, handClock, seconds, wallClock } from './clock.ts'
export { type ConnectOptions, connectRelays } from './connect.ts'
export * from './escrow/index.ts'
export { type Intake, type IntakeOptions, openIntake } from './intake.ts'
export type { Answer, ClientJob, NodeJob, State, Why } from './job.ts'
export { isEnd } from './job.ts'
export * from './journal/index.ts'
export { type Engine, type Keys, npub, nsec, openKeys, pubkeyFromText, secretFromText } from './keys.ts'
export * from './ledger/index.ts'
export { type Node, type NodeEvent, type NodeLimits, type NodeOptions, openNode } from './node/node.ts'
export * from './payments/index.ts'
export { openRouter, type Router, type RouterEvent, type RouterOptions } from './router/router.ts'
export * from './routing/index.ts'
export { openRunner, type RunnerOptions, runners } from './runners/index.ts'
export * from './runners/runner.ts'
export { judgeSealed, openUnder, sealUnder } from './seal/under-preimage.ts'
export { openSeal, type Seal, SealError } from './seal.ts'
export {
  type OpenSession,
  openSession,
  SessionError,
  type SessionOptions,
} from './session/index.ts'
export type {
  Answered,
  Asking,
  Budget,
  KnownJob,
  Moment,
  Session,
  SessionQuestion,
  Unanswered,
} from './session/session.ts'
export * from './sim/index.ts'
