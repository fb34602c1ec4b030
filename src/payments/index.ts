/**
 * The list of this room: one line per rail, and what the rails share.
 * @module
 */

export {
  type Invoice,
  type InvoiceFields,
  type InvoicePeek,
  type InvoiceRead,
  nodeKeyOf,
  peekInvoice,
  readInvoice,
  writeInvoice,
} from './bolt11.ts'
export {
  type Caps,
  checkQuote,
  type EarlierOrder,
  type QuoteRule,
  type QuoteTerms,
  type QuoteVerdict,
  type Spent,
} from './guard.ts'
export { type LdkNet, type LdkPair, type LdkPairOptions, type LdkStore, ldkNet, ldkPair, ldkWallet } from './ldk.ts'
export {
  type LnurlAsk,
  type LnurlBill,
  type LnurlOptions,
  type LnurlPayee,
  type LnurlRefusal,
  type LnurlRule,
  lnurlBill,
  lnurlSettled,
  resolveLnurl,
} from './lnurl.ts'
export type { Renewal } from './nwc/period.ts'
export { type NwcService, type NwcServiceOptions, serveNwc } from './nwc/service.ts'
export { memoryStore, type NwcShelf, type NwcStore } from './nwc/store.ts'
export { readNwcUri, writeNwcUri } from './nwc/uri.ts'
export { type NwcOptions, type NwcWallet, nwcWallet } from './nwc.ts'
export * from './payment.ts'
export { type SecondReading, secondReading } from './second-reader.ts'
export { type SimFaults, type SimNet, type SimWallet, simNet } from './sim.ts'
export { type Receiver, type Share, shareOf, splitShares } from './split.ts'
export { verifier } from './verifier.ts'
export { watchBill } from './watch.ts'
export {
  checkZapRequest,
  descriptionHashOf,
  type ReceiptContext,
  receiptFor,
  receiptReasons,
  verifyReceipt,
  type ZapAsk,
  type ZapExpectation,
  zapRequestFor,
} from './zap.ts'
