/**
 * What a session stands on, opened where it was not handed over open: relays, a wallet, a journal.
 * @module
 */
import type { Relays } from '../../relays/relay.ts'
import { relayUrl } from '../../relays/relay.ts'
import { aborted, type Clock, pause, timeLimit } from '../clock.ts'
import { connectRelays } from '../connect.ts'
import { type Journal, JournalError } from '../journal/journal.ts'
import { memoryJournal } from '../journal/memory.ts'
import type { Keys } from '../keys.ts'
import { readNwcUri } from '../payments/nwc/uri.ts'
import { nwcWallet } from '../payments/nwc.ts'
import type { Wallet, WalletInfo } from '../payments/payment.ts'
import { openSeal } from '../seal.ts'
import { reason, SessionError } from './failure.ts'

/** A thing, and how to let go of it: not at all where it is the caller's. */
export interface Lent<T> {
  readonly it: T
  close(): Promise<void> | void
}

const lent = <T>(it: T): Lent<T> => ({ it, close() {} })

/** Relays by their addresses, or those that are open. Throws `SessionError`. */
export function relaysOf(
  said: readonly string[] | Relays,
  { keys, clock, secret }: { readonly keys: Keys; readonly clock: Clock; readonly secret: Uint8Array },
): Lent<Relays> {
  if (!isList(said)) return lent(said)
  if (said.length === 0) throw new SessionError('options', 'No relay given: name one, such as "wss://…".')
  try {
    const relays = connectRelays({ urls: said.map(relayUrl), keys, clock, secret })
    return { it: relays, close: () => relays.close() }
  } catch (error) {
    throw new SessionError('options', reason(error))
  }
}

const isList = (said: readonly string[] | Relays): said is readonly string[] => Array.isArray(said)

/** The wallet of a connection string, or the one that is open. Throws `SessionError` without repeating the string. */
export function walletOf(
  said: string | Wallet | undefined,
  { keys, clock, journal }: { readonly keys: Keys; readonly clock: Clock; readonly journal: Journal },
): Lent<Wallet> | undefined {
  if (said === undefined || typeof said !== 'string') return said && lent(said)
  try {
    const uri = readNwcUri(said)
    const seal = (secret: Uint8Array) => openSeal({ keys, secret })
    const relays = (urls: readonly string[]) => connectRelays({ urls, keys, clock })
    const wallet = nwcWallet({ uri, relays, clock, keys, seal, sent: journal.shelf(`nwc sent ${uri.wallet}`) })
    return { it: wallet, close: () => wallet.close() }
  } catch (error) {
    throw new SessionError('no-wallet', reason(error))
  }
}

/** The journal in a file, the one that is open, or one that ends with the process. Throws `SessionError`. */
export async function journalOf(said: string | Journal | undefined): Promise<Lent<Journal>> {
  if (said === undefined) return lent(memoryJournal())
  if (typeof said !== 'string') return lent(said)
  try {
    const { openJournal } = await import('../journal/sqlite.ts')
    const journal = openJournal(said)
    return { it: journal, close: () => journal.close() }
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    throw new SessionError('journal', error.message, { cause: error })
  }
}

const walletMs = 20_000

/** What the wallet says of itself. Throws `SessionError` for one that is dead. */
export async function infoOf(wallet: Wallet, clock: Clock): Promise<WalletInfo> {
  const late = timeLimit(clock, walletMs)
  try {
    const info = await Promise.race([wallet.info(late.signal), aborted(late.signal)])
    if (info) return info
    throw new Error('no answer in time')
  } catch (error) {
    const why = reason(error).replace(/\.$/, '')
    const way = 'check that it is running and that the connection string is still valid, or ask for free answers only'
    throw new SessionError('no-wallet', `The wallet does not answer (${why}): ${way}.`)
  } finally {
    late.stop()
  }
}

/** Why nobody can be reached, where no relay is open. */
export function relayTrouble(relays: Relays): { readonly code: 'no-relay'; readonly says: string } | undefined {
  const states = relays.state()
  if (states.length === 0 || states.some(({ state }) => state === 'open')) return undefined
  const words = states.map(({ url, state, lastError }) => `${url}: ${lastError || state}`).join('; ')
  return { code: 'no-relay', says: `No relay answers (${words}): check the addresses and the network.` }
}

const connectMs = 8_000
const lookMs = 50

/** Waits until a relay is open. Throws `SessionError` after eight seconds without one. */
export async function untilConnected(relays: Relays, clock: Clock): Promise<void> {
  const late = timeLimit(clock, connectMs)
  while (relayTrouble(relays) && !late.signal.aborted) await pause(clock, lookMs, late.signal)
  late.stop()
  const trouble = relayTrouble(relays)
  if (trouble) throw new SessionError(trouble.code, trouble.says)
}
