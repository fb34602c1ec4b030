/**
 * The process in which `measureDriver` plays: all plays at once, and every error that nobody caught is counted.
 * @module
 */

import { openKeys } from '../src/keys.ts'
import { embeddedCast, memoryCast, ndkCast, poolCast, relaypoolCast } from './relays-casts.ts'
import { type Finding, measure, NO_CRASH, playable, RELAY_PROMISES } from './suites/relays-findings.ts'

const crashes: string[] = []
const note = (reason: unknown) => {
  const error = reason instanceof Error ? reason : (reason as { error?: unknown } | undefined)?.error
  crashes.push(error instanceof Error ? error.message : String(reason))
}
process.on('unhandledRejection', note)
process.on('uncaughtException', note)

const casts = { pool: poolCast, memory: memoryCast(), ndk: ndkCast, relaypool: relaypoolCast, embedded: embeddedCast }
const name = process.argv[2] ?? ''
const cast = casts[name as keyof typeof casts]
if (!cast) throw new Error(`no driver "${name}": it is one of ${Object.keys(casts).join(', ')}`)
if (name === 'relaypool' || name === 'ndk')
  globalThis.console = { ...console, log() {}, warn() {}, error() {}, debug() {} }

await openKeys()
const played = playable(cast)
const findings: Finding[] = await Promise.all(played.map(promise => measure(cast, promise)))
if (played.length === RELAY_PROMISES.length || crashes.length > 0) {
  const says = crashes.length === 0 ? '' : `${crashes.length} times: ${[...new Set(crashes)].join(' | ')}`
  findings.push({ promise: NO_CRASH.name, isKept: says === '', says, ms: 0 })
}
process.send?.(findings, () => process.exit(0))
