/**
 * Faults that were judged, each once, kept over a restart: which keys are guilty, and what is still to be said of it.
 * @module
 */
import type { Journal, Plain } from '../journal/journal.ts'

export interface Offence {
  readonly rule: string
  readonly accused: string
  /** The case: what the offender's statements are about. */
  readonly name: string
  readonly proven: boolean
  readonly says: string
  /** The signed verdict as JSON. */
  readonly verdict: string
  /** What its label names; absent where nothing was proven. */
  readonly label?: { readonly job: string; readonly kind: number; readonly evidence: readonly string[] }
  /** A relay took the verdict. */
  readonly sent: boolean
  readonly labelled: boolean
}

export interface Offences {
  /** False where this case came to the same before. */
  keep(offence: Offence): boolean
  /** Proven cases of a rule. */
  count(rule: string, accused: string): number
  offends(pubkey: string): boolean
  of(pubkey: string): Offence[]
  all(): Offence[]
  sent(offence: Offence): void
  /** Call inside the write that keeps the label. False where there is one. */
  label(offence: Offence): boolean
}

const keyOf = ({ rule, accused, name, proven }: Offence): string =>
  `${accused} ${rule} ${name} ${proven ? 'proven' : 'open'}`

/** At most `most` are kept; the oldest one makes room. */
export function openOffences(journal: Journal, most: number): Offences {
  const shelf = journal.shelf('router-faults')
  const known = new Map<string, Offence>()
  const guilty = new Map<string, Set<string>>()

  function remember(offence: Offence) {
    const key = keyOf(offence)
    known.set(key, offence)
    const keys = guilty.get(offence.accused) ?? new Set()
    keys.add(key)
    guilty.set(offence.accused, keys)
  }

  function forget(key: string) {
    const offence = known.get(key)
    known.delete(key)
    shelf.delete(key, 'plain')
    const keys = offence && guilty.get(offence.accused)
    keys?.delete(key)
    if (offence && keys?.size === 0) guilty.delete(offence.accused)
  }

  const of = (pubkey: string): Offence[] => [...(guilty.get(pubkey) ?? [])].flatMap(key => known.get(key) ?? [])

  function change(offence: Offence, news: Partial<Offence>, weight: 'money' | 'plain') {
    const key = keyOf(offence)
    const old = known.get(key)
    if (!old) return
    const next = { ...old, ...news }
    known.set(key, next)
    shelf.set(key, plainOf(next), weight)
  }

  for (const [, value] of shelf.entries()) {
    const offence = readOffence(value)
    if (offence) remember(offence)
  }

  return {
    keep(offence) {
      const key = keyOf(offence)
      if (known.has(key)) return false
      const [oldest] = known.keys()
      if (known.size >= most && oldest !== undefined) forget(oldest)
      shelf.set(key, plainOf(offence), 'money')
      remember(offence)
      return true
    },
    count: (rule, accused) => of(accused).filter(one => one.proven && one.rule === rule).length,
    offends: pubkey => of(pubkey).some(({ proven }) => proven),
    of,
    all: () => [...known.values()],
    sent: offence => change(offence, { sent: true }, 'plain'),
    label(offence) {
      if (known.get(keyOf(offence))?.labelled !== false) return false
      change(offence, { labelled: true }, 'money')
      return true
    },
  }
}

const plainOf = (offence: Offence): Plain => JSON.stringify(offence)

function readOffence(value: Plain): Offence | undefined {
  try {
    return typeof value === 'string' ? (JSON.parse(value) as Offence) : undefined
  } catch {
    return undefined
  }
}
