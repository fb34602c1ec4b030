/**
 * Prints the conformance table of a relay: one line per row, then how many held.
 * @module
 */
import { startRelay } from '../../relays/embedded/relay.ts'
import { wallClock } from '../../src/clock.ts'
import { openKeys } from '../../src/keys.ts'
import { rows, runRow } from '../suites/conformance.ts'

/** Runs every row against `url`, or against a fresh embedded relay, and prints it. True when all held. */
export async function printConformance(url?: string): Promise<boolean> {
  const clock = wallClock()
  const keys = await openKeys()
  const own = url === undefined ? await startRelay({ clock, verify: event => keys.verify(event) }) : undefined
  const target = url ?? own?.url ?? ''
  console.log(`conformance of ${own ? 'the embedded relay' : target}`)
  let held = 0
  for (const row of rows) {
    const { ok, says } = await runRow(target, row)
    if (ok) held++
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${row.name}${ok ? '' : ` (${says})`}`)
  }
  console.log(`${held} of ${rows.length} held`)
  await own?.close()
  return held === rows.length
}
