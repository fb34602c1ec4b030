/**
 * Where gridstr keeps what outlives a command: `GRIDSTR_HOME`, else `gridstr` in `XDG_STATE_HOME`, else `~/.gridstr`.
 * The folder (mode 0700) is made when something is first written. In it:
 *
 * - `wallet`: the connection string of the own wallet (mode 0600; whoever reads it can spend)
 * - `caps.json`: `{"hourSats":N,"daySats":N,"peerDaySats":N}`, most that may be spent; a cap left out does not limit
 * - `node.key`, `escrow.key`, `router.key`: the lasting Nostr key of a role, where no other was named (mode 0600)
 * - `journals/client.db`, `journals/node-<first 16 digits of its key>.db`: one journal per role and node; `bond-…` beside
 *   them, because a node that runs holds its own
 * @module
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { Caps } from '../payments/guard.ts'
import { type Io, UsageError } from './command.ts'

export type Role = 'client' | 'node' | 'escrow' | 'router' | 'bond'

/** Most that may be spent over time, in msats; the cap of one job is said with each job. */
export type KeptCaps = Omit<Caps, 'jobMsats'>

export interface Home {
  /** The folder, which need not exist yet. */
  readonly path: string
  /** Where the journal of a role lies, of one key where a role has several. Its folder is made. */
  journalPath(role: Role, pubkey?: string): string
  /** Where the lasting key of a role lies. The folder is made. */
  keyFile(role: Role): string
  /** Journals that are there, in order of their names. */
  journals(): readonly string[]
  /** The connection string that `wallet connect` kept. */
  wallet(): string | undefined
  /** Keeps a connection string, or lets go of it; false where there was none. */
  keepWallet(uri: string | undefined): boolean
  readonly walletFile: string
  /** Throws `UsageError` for a file that cannot be read as caps: a cap is never passed over in silence. */
  caps(): KeptCaps
  keepCaps(caps: KeptCaps): void
  readonly capsFile: string
}

type Asking = Pick<Io, 'env'>

/** The folder of this user, or `undefined` where the environment names neither a home nor a folder. */
export function findHome({ env }: Asking): Home | undefined {
  const own = env['GRIDSTR_HOME']
  if (own) return openHome(own)
  // The specification of XDG asks to pass over relative paths.
  const state = env['XDG_STATE_HOME']
  if (state && isAbsolute(state)) return openHome(join(state, 'gridstr'))
  const user = env['HOME'] ?? env['USERPROFILE']
  return user ? openHome(join(user, '.gridstr')) : undefined
}

/** The folder of this user. Throws `UsageError` where the environment names none. */
export function homeOf(io: Asking): Home {
  const home = findHome(io)
  if (!home) throw new UsageError('There is no folder to keep things in: set GRIDSTR_HOME to one.')
  return home
}

function openHome(path: string): Home {
  const folder = (...parts: string[]): string => {
    const whole = join(path, ...parts)
    try {
      mkdirSync(whole, { recursive: true, mode: 0o700 })
    } catch (error) {
      throw new UsageError(`The folder ${whole} cannot be made: ${reason(error)}. Set GRIDSTR_HOME to another.`)
    }
    return whole
  }
  const read = (file: string): string | undefined => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new UsageError(`${file} cannot be read: ${reason(error)}.`)
    }
  }
  const walletFile = join(path, 'wallet')
  const capsFile = join(path, 'caps.json')
  return {
    path,
    walletFile,
    capsFile,
    journalPath: (role, pubkey) =>
      join(folder('journals'), pubkey === undefined ? `${role}.db` : `${role}-${pubkey.slice(0, 16)}.db`),
    keyFile: role => join(folder(), `${role}.key`),
    journals() {
      const journals = join(path, 'journals')
      if (!existsSync(journals)) return []
      const names = readdirSync(journals).filter(name => /^(client|node|escrow|router)(-[0-9a-f]{16})?\.db$/.test(name))
      return names.sort().map(name => join(journals, name))
    },
    wallet: () => read(walletFile)?.trim() || undefined,
    keepWallet(uri) {
      if (uri === undefined) {
        if (!existsSync(walletFile)) return false
        rmSync(walletFile)
      } else writeWhole(join(folder(), 'wallet'), `${uri}\n`)
      return true
    },
    caps() {
      const text = read(capsFile)
      return text === undefined ? {} : readCaps(text, capsFile)
    },
    keepCaps(caps) {
      const fields = CAPS.flatMap(([name, key]) => {
        const msats = caps[key]
        return msats === undefined ? [] : [[name, Number(msats / 1000n)] as const]
      })
      writeWhole(join(folder(), 'caps.json'), `${JSON.stringify(Object.fromEntries(fields))}\n`)
    },
  }
}

const CAPS = [
  ['hourSats', 'hourMsats'],
  ['daySats', 'dayMsats'],
  ['peerDaySats', 'peerDayMsats'],
] as const

function readCaps(text: string, file: string): KeptCaps {
  const wrong = (why: string) =>
    new UsageError(`${file}: ${why}. Write {"hourSats":N,"daySats":N,"peerDaySats":N}, or remove the file.`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong('this is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('this is no JSON object')
  const caps: Record<string, bigint> = {}
  for (const [name, sats] of Object.entries(value)) {
    const known = CAPS.find(([cap]) => cap === name)
    if (!known) throw wrong(`there is no cap ${JSON.stringify(name.slice(0, 24))}`)
    if (!Number.isSafeInteger(sats) || sats < 0) throw wrong(`${name} is no whole number of sats`)
    caps[known[1]] = BigInt(sats) * 1000n
  }
  return caps
}

/** Writes all of a file or nothing of it, for its owner alone. */
export function writeWhole(file: string, text: string): void {
  const part = `${file}.${process.pid}.part`
  try {
    writeFileSync(part, text, { mode: 0o600 })
    // The mode of a file that a killed process left behind.
    chmodSync(part, 0o600)
    renameSync(part, file)
  } catch (error) {
    rmSync(part, { force: true })
    throw new UsageError(`${file} cannot be written: ${reason(error)}.`)
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
