/**
 * Who could read a question, in one line: a report in words that a person understands at a glance.
 * @module
 */
import type { PrivacyReport } from '../client/client.ts'
import { npub } from '../keys.ts'
import { short } from './screen.ts'

const ways = { open: 'in the open', sealed: 'sealed', wrapped: 'wrapped', none: 'nothing came back' } as const
const levels = ['public', 'sealed to the node', 'wrapped, sealed to the node', 'own hardware only'] as const

/** `read by you and npub1…; sealed both ways; key of this job only; level 1 (sealed to the node)`. */
export function privacyWords({ level, wanted, readers, identity, transport, retention }: PrivacyReport): string {
  const names = [...new Set(readers.map(({ who, pubkey }) => (who === 'node' && pubkey ? short(npub(pubkey)) : who)))]
  const last = names.pop() ?? 'nobody'
  const read = names.length > 0 ? `${names.join(', ')} and ${last}` : last
  const { request, answers } = transport
  const way = request === answers ? `${ways[request]} both ways` : `asked ${ways[request]}, answered ${ways[answers]}`
  const who = identity.kind === 'one-job' ? 'a key of this job only' : 'your own key'
  const kept = level < wanted ? `level ${level}, not ${wanted} as you wanted` : `level ${level} (${levels[level]})`
  return `read by ${read} · ${way} · ${who} · ${kept} · ${retention.says}`
}
