/**
 * The list of this room: one line per kind.
 * @module
 */

import { profile } from './0-profile.ts'
import { cancel } from './5-cancel.ts'
import { creditClaim } from './4637-credit-claim.ts'
import { escrowWord } from './4638-escrow-word.ts'
import { textRequest } from './5050-text-generation.ts'
import { textResult } from './6050-text-generation.ts'
import { feedback } from './7000-feedback.ts'
import { zapRequest } from './9734-zap-request.ts'
import { zapReceipt } from './9735-zap-receipt.ts'
import { relayList } from './10002-relay-list.ts'
import { heartbeat } from './11998-heartbeat.ts'
import { walletInfo } from './13194-wallet-info.ts'
import { ephemeralWrap } from './21059-ephemeral-wrap.ts'
import { walletRequest } from './23194-wallet-request.ts'
import { walletResponse } from './23195-wallet-response.ts'
import { walletNotification } from './23197-wallet-notification.ts'
import { frame } from './26800-stream-frame.ts'
import { handler } from './31990-announcement.ts'
import type { Definition } from './spec.ts'

export { lightningAddress, type Profile, profile } from './0-profile.ts'
export { type Cancel, cancel } from './5-cancel.ts'
export { type CreditClaim, creditClaim } from './4637-credit-claim.ts'
export { type EscrowStatus, type EscrowWord, escrowWord } from './4638-escrow-word.ts'
export { messagesOf, type TextRequest, textRequest } from './5050-text-generation.ts'
export { textResult } from './6050-text-generation.ts'
export { type Feedback, type FeedbackStatus, feedback } from './7000-feedback.ts'
export { type ZapRequest, zapRequest } from './9734-zap-request.ts'
export { type ZapReceipt, zapReceipt } from './9735-zap-receipt.ts'
export { type RelayList, relayList } from './10002-relay-list.ts'
export { type Heartbeat, heartbeat } from './11998-heartbeat.ts'
export { type WalletInfoEvent, walletInfo } from './13194-wallet-info.ts'
export { type EphemeralWrap, ephemeralWrap } from './21059-ephemeral-wrap.ts'
export { type WalletRequest, walletRequest } from './23194-wallet-request.ts'
export { type WalletResponse, walletResponse } from './23195-wallet-response.ts'
export { type WalletNotification, walletNotification } from './23197-wallet-notification.ts'
export { type Frame, frame } from './26800-stream-frame.ts'
export { type Announcement, handler, type OfferedModel } from './31990-announcement.ts'
export { jobIdOf, type TextResult } from './answers.ts'
export { present } from './define.ts'
export {
  about,
  addressedTo,
  addressees,
  authTemplate,
  committedPow,
  expirationOf,
  identifierOf,
  kindClass,
  offering,
  ofKinds,
  type Question,
  referencesOf,
  relaysOf,
  resultKind,
} from './envelope.ts'
export { type Input, type Message, messagesInput, textInput } from './inputs.ts'
export { parseEvent } from './json.ts'
export { type Encrypt, type Event, isSealed, type Kind, type Read, type Refusal, type Template } from './kind.ts'
export { schemeOf, sealContent, sealTags } from './seal.ts'
export type { Definition, Rule } from './spec.ts'
export type { BilledTerms, SealedUnder, Split, TermsWord, WishedTerms } from './terms.ts'
export { relayUrl } from './values.ts'
export type { WalletCipher } from './wallets.ts'

/** Every kind of the house. */
export const kinds: readonly Definition<unknown>[] = [
  profile,
  cancel,
  creditClaim,
  escrowWord,
  textRequest,
  textResult,
  feedback,
  zapRequest,
  zapReceipt,
  relayList,
  heartbeat,
  walletInfo,
  ephemeralWrap,
  walletRequest,
  walletResponse,
  walletNotification,
  frame,
  handler,
]
