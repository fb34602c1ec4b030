/**
 * What several commands open the same way: keys, relays, wallets, and the secrets that none of them shows.
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Relays, relayUrl } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { connectRelays } from '../connect.ts'
import type { Journal } from '../journal/journal.ts'
import { type Keys, nsec, secretFromText } from '../keys.ts'
import { serveNwc } from '../payments/nwc/service.ts'
import type { NwcShelf } from '../payments/nwc/store.ts'
import { readNwcUri, writeNwcUri } from '../payments/nwc/uri.ts'
import { nwcWallet } from '../payments/nwc.ts'
import type { Wallet, WalletInfo } from '../payments/payment.ts'
import { openSeal } from '../seal.ts'
import { type Arguments, type Io, quoted, UsageError } from './command.ts'
import { findHome } from './home.ts'
import type { Screen } from './screen.ts'

export const walletOptions = { wallet: { type: 'string' }, 'wallet-file': { type: 'string' } } as const
export const relayOption = { relay: { type: 'string', multiple: true } } as const

/** The relays of `--relay`. Throws `UsageError`. */
export function relayUrls(args: Arguments): string[] {
  const said = args.texts('relay')
  if (said.length === 0)
    throw new UsageError('No relay given: add --relay ws://… (start one of your own with "gridstr relay").')
  return said.map(url => {
    try {
      return relayUrl(url)
    } catch {
      throw new UsageError(`${quoted(url)} is no relay address: write ws://… or wss://…`)
    }
  })
}

/** The pool of every command. */
export const pool = (urls: readonly string[], keys: Keys, clock: Clock, secret?: Uint8Array): Relays =>
  connectRelays({ urls, keys, clock, ...(secret ? { secret } : {}) })

/** The key of `--key FILE` or of `fallback`, written there when the file does not exist yet; else one for this run. */
export function secretOf(args: Arguments, keys: Keys, screen: Screen, fallback?: () => string): Uint8Array {
  const file = args.text('key') ?? fallback?.()
  if (file === undefined) return keys.newSecret()
  if (!existsSync(file)) {
    const secret = keys.newSecret()
    try {
      writeFileSync(file, `${nsec(secret)}\n`, { mode: 0o600, flag: 'wx' })
    } catch (error) {
      throw new UsageError(`The key file ${file} cannot be written: ${reason(error)}`)
    }
    screen.line('key', `made a new key and kept it in ${file} (whoever reads the file is you)`)
    return secret
  }
  try {
    return secretFromText(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(
      `The key file ${file} cannot be used: ${reason(error)}. It must hold one nsec or 64 hex digits.`,
    )
  }
}

/** The connection string of `--wallet`, `--wallet-file`, `GRIDSTR_WALLET` or `gridstr wallet connect`. Throws `UsageError` without repeating it. */
export function walletUriOf(args: Arguments, io: Io): string | undefined {
  const file = args.text('wallet-file')
  let uri = args.text('wallet')
  if (uri === undefined && file !== undefined)
    try {
      uri = readFileSync(file, 'utf8').trim()
    } catch (error) {
      throw new UsageError(`The wallet file ${file} cannot be read: ${reason(error)}`)
    }
  const found = uri || io.env['GRIDSTR_WALLET'] || findHome(io)?.wallet()
  try {
    if (found) readNwcUri(found)
  } catch (error) {
    throw new UsageError(reason(error))
  }
  return found || undefined
}

/** Our `Wallet` on a NIP-47 connection, with the relays that it opens, and what it sent kept in the journal. */
export function walletAt(uri: string, io: Io, keys: Keys, journal: Journal): Wallet {
  return connectWallet(uri, keys, io.clock, journal.shelf(`nwc sent ${readNwcUri(uri).wallet}`))
}

/** Our `Wallet` on any NIP-47 connection. `sent` remembers what may still be run. Throws for an unusable string without repeating it. */
export function connectWallet(uri: string, keys: Keys, clock: Clock, sent?: NwcShelf): Wallet {
  const seal = (secret: Uint8Array) => openSeal({ keys, secret })
  return nwcWallet({ uri, relays: urls => pool(urls, keys, clock), clock, keys, seal, ...(sent ? { sent } : {}) })
}

/** What a wallet says of itself, or why it cannot be used and the way out. Never rejects. */
export async function infoOf(
  wallet: Wallet,
  signal: AbortSignal,
): Promise<({ readonly ok: true } & WalletInfo) | { readonly ok: false; readonly says: string }> {
  try {
    return { ok: true, ...(await wallet.info(signal)) }
  } catch (error) {
    const way = 'check that it is running and that the connection string is still valid'
    return { ok: false, says: `The wallet does not answer (${reason(error).replace(/\.$/, '')}): ${way}.` }
  }
}

/** Serves a wallet to one new client over NIP-47; gives the connection string and the way to stop. */
export async function shareWallet(
  wallet: Wallet,
  relays: Relays,
  keys: Keys,
  clock: Clock,
): Promise<{ uri: string; close(): Promise<void> }> {
  const secret = keys.newSecret()
  const client = keys.newSecret()
  const seal = (own: Uint8Array) => openSeal({ keys, secret: own })
  const service = serveNwc({ wallet, relays, clock, keys, seal, secret, clientPubkey: keys.publicKey(client) })
  await service.ready
  const uri = writeNwcUri({ wallet: service.pubkey, relays: relays.urls, secret: client })
  return { uri, close: () => service.close() }
}

/** What an error says to an operator. */
export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
