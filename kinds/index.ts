/**
 * The list of this room: one line per kind.
 * @module
 */

import { profile } from './0-profile.ts'
import { cancel } from './5-cancel.ts'
import { attestation } from './1985-attestation.ts'
import { quote } from './4630-quote.ts'
import { routing } from './4631-routing-event.ts'
import { usageReceipt } from './4632-usage-receipt.ts'
import { acknowledgement } from './4633-acknowledgement.ts'
import { chunk } from './4635-chunk.ts'
import { creditClaim } from './4637-credit-claim.ts'
import { escrowWord } from './4638-escrow-word.ts'
import { bondEntry } from './4640-bond-entry.ts'
import { faultEvidence } from './4641-fault-evidence.ts'
import { faultVerdict } from './4642-fault-verdict.ts'
import { textRequest } from './5050-text-generation.ts'
import { embeddingsRequest } from './5080-embeddings.ts'
import { rerankRequest } from './5081-rerank.ts'
import { classificationRequest } from './5082-classification.ts'
import { textResult } from './6050-text-generation.ts'
import { embeddingsResult } from './6080-embeddings.ts'
import { rerankResult } from './6081-rerank.ts'
import { classificationResult } from './6082-classification.ts'
import { feedback } from './7000-feedback.ts'
import { zapRequest } from './9734-zap-request.ts'
import { zapReceipt } from './9735-zap-receipt.ts'
import { relayList } from './10002-relay-list.ts'
import { trustedProviders } from './10040-trusted-providers.ts'
import { heartbeat } from './11998-heartbeat.ts'
import { walletInfo } from './13194-wallet-info.ts'
import { ephemeralWrap } from './21059-ephemeral-wrap.ts'
import { walletRequest } from './23194-wallet-request.ts'
import { walletResponse } from './23195-wallet-response.ts'
import { walletNotification } from './23197-wallet-notification.ts'
import { frame } from './26800-stream-frame.ts'
import { streamControl } from './26801-stream-control.ts'
import { quoteRequest } from './26803-request-for-quotes.ts'
import { nodeScore } from './30382-node-score.ts'
import { handler } from './31990-announcement.ts'
import { benchmark } from './38600-benchmark.ts'
import { nodeState } from './38601-node-state.ts'
import { priceSheet } from './38610-price-sheet.ts'
import { bond } from './38620-bond.ts'
import { manifest } from './38630-manifest.ts'
import type { Definition } from './spec.ts'

export { lightningAddress, type Profile, profile } from './0-profile.ts'
export { type Cancel, cancel } from './5-cancel.ts'
export { type Attestation, type AttestedTopic, attestation, attestedLabels } from './1985-attestation.ts'
export { type Offered, quote, type Reserve } from './4630-quote.ts'
export { type Routing, routing } from './4631-routing-event.ts'
export { type UsageReceipt, usageReceipt } from './4632-usage-receipt.ts'
export { type AcknowledgedVerdict, type Acknowledgement, acknowledgement } from './4633-acknowledgement.ts'
export {
  CHUNK_BYTES,
  type Chunk,
  chunk,
  chunksAt,
  claimedPlace,
  MOST_CHUNKS,
  newChunksOf,
} from './4635-chunk.ts'
export { type CreditClaim, creditClaim } from './4637-credit-claim.ts'
export { type EscrowStatus, type EscrowWord, escrowWord } from './4638-escrow-word.ts'
export { type BondEntry, bondEntry } from './4640-bond-entry.ts'
export { type FaultEvidence, faultEvidence, MOST_EVIDENCE_EVENTS } from './4641-fault-evidence.ts'
export { type FaultVerdict, faultVerdict } from './4642-fault-verdict.ts'
export { messagesOf, type TextRequest, type TextWishes, textRequest } from './5050-text-generation.ts'
export { type EmbeddingsRequest, embeddingsRequest } from './5080-embeddings.ts'
export { type RerankRequest, rerankRequest } from './5081-rerank.ts'
export { type ClassificationRequest, classificationRequest } from './5082-classification.ts'
export { textResult } from './6050-text-generation.ts'
export { type Embeddings, embeddingsResult, readEmbeddings, writeEmbeddings } from './6080-embeddings.ts'
export { type Ranked, type Ranking, readRanking, rerankResult, writeRanking } from './6081-rerank.ts'
export {
  type Classes,
  classificationResult,
  readClasses,
  type Scored,
  writeClasses,
} from './6082-classification.ts'
export { type Feedback, type FeedbackStatus, feedback, leftOfCredit } from './7000-feedback.ts'
export { type ZapRequest, zapRequest } from './9734-zap-request.ts'
export { type ZapReceipt, zapReceipt } from './9735-zap-receipt.ts'
export { type RelayList, relayList } from './10002-relay-list.ts'
export { type TrustedAssertion, type TrustedProviders, trustedProviders } from './10040-trusted-providers.ts'
export { type Heartbeat, heartbeat } from './11998-heartbeat.ts'
export { type WalletInfoEvent, walletInfo } from './13194-wallet-info.ts'
export { type EphemeralWrap, ephemeralWrap } from './21059-ephemeral-wrap.ts'
export { type WalletRequest, walletRequest } from './23194-wallet-request.ts'
export { type WalletResponse, walletResponse } from './23195-wallet-response.ts'
export { type WalletNotification, walletNotification } from './23197-wallet-notification.ts'
export { type Frame, frame } from './26800-stream-frame.ts'
export { type StreamControl, streamControl } from './26801-stream-control.ts'
export { type QuoteRequest, quoteRequest } from './26803-request-for-quotes.ts'
export { type MarketScore, type NodeScore, nodeScore } from './30382-node-score.ts'
export { type Announcement, handler, type OfferedModel, privacyLevels } from './31990-announcement.ts'
export { type Benchmark, benchmark } from './38600-benchmark.ts'
export { type NodeState, nodeState, type Slots } from './38601-node-state.ts'
export { type PriceSheet, priceSheet } from './38610-price-sheet.ts'
export { type Bond, type BondProof, bond, LONGEST_BOND_SECONDS } from './38620-bond.ts'
export { type Manifest, manifest } from './38630-manifest.ts'
export { type Finish, jobIdOf, type TextResult } from './answers.ts'
export { present } from './define.ts'
export {
  type Delta,
  type DeltaReader,
  deltasOutput,
  type Gathered,
  gather,
  openDeltas,
  readDelta,
  type TokenLogprob,
  type ToolCallPiece,
  writeDelta,
} from './deltas.ts'
export {
  about,
  addressedTo,
  addressees,
  authTemplate,
  committedPow,
  expirationOf,
  identifierOf,
  kindClass,
  named,
  offering,
  ofKinds,
  type Question,
  referencesOf,
  relaysOf,
  resultKind,
} from './envelope.ts'
export { type Input, type JobRequest, messagesInput, textInput } from './inputs.ts'
export { type AnyRequest, type JobKind, jobKind, jobKinds } from './job-kinds.ts'
export { parseEvent } from './json.ts'
export { type Encrypt, type Event, isSealed, type Kind, type Read, type Refusal, type Template } from './kind.ts'
export type { JsonObject, Message, ResponseFormat, Tool, ToolCall, ToolChoice } from './messages.ts'
export { readMessages, writeMessages } from './messages.ts'
export type { PostedPrice, PriceRow, PriceUnit } from './prices.ts'
export { type Privacy, privacies } from './privacy.ts'
export type { Factors } from './records.ts'
export type { Lane, Routed, RoutedCandidate, Sampled } from './routed.ts'
export { schemeOf, sealContent, sealTags } from './seal.ts'
export type { Definition, Rule } from './spec.ts'
export type { BilledTerms, SealedUnder, Split, TermsWord, WishedTerms } from './terms.ts'
export { MOST_TEXTS, queryInput, queryOf, readTexts, textsInput, textsOf } from './texts.ts'
export { relayUrl } from './values.ts'
export type { WalletCipher } from './wallets.ts'

/** Every kind of the house. */
export const kinds: readonly Definition<unknown>[] = [
  profile,
  cancel,
  attestation,
  quote,
  routing,
  usageReceipt,
  acknowledgement,
  chunk,
  creditClaim,
  escrowWord,
  bondEntry,
  faultEvidence,
  faultVerdict,
  textRequest,
  embeddingsRequest,
  rerankRequest,
  classificationRequest,
  textResult,
  embeddingsResult,
  rerankResult,
  classificationResult,
  feedback,
  zapRequest,
  zapReceipt,
  relayList,
  trustedProviders,
  heartbeat,
  walletInfo,
  ephemeralWrap,
  walletRequest,
  walletResponse,
  walletNotification,
  frame,
  streamControl,
  quoteRequest,
  nodeScore,
  handler,
  benchmark,
  nodeState,
  priceSheet,
  bond,
  manifest,
]
