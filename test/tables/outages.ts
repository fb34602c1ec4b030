/**
 * The table of what each relay driver does in an outage and with a lying relay, measured as it is printed.
 * @module
 */
import { NDK_BREAKS } from '../../relays/ndk.ts'
import { RELAYPOOL_BREAKS } from '../../relays/relaypool.ts'
import { type Driver, measureDriver } from '../relays-measure.ts'
import { type Finding, NO_CRASH, RELAY_PROMISES } from '../suites/relays-findings.ts'

const DRIVERS: readonly { driver: Driver; title: string; breaks: Readonly<Record<string, string>> }[] = [
  { driver: 'pool', title: 'our pool', breaks: {} },
  { driver: 'memory', title: 'memory', breaks: {} },
  { driver: 'ndk', title: 'NDK 3.0.3', breaks: NDK_BREAKS },
  { driver: 'relaypool', title: 'nostr-relaypool 0.6.30', breaks: RELAYPOOL_BREAKS },
]

/** Measures all drivers (about 10 s) and prints the table. True when every finding is the one that the driver's list says. */
export async function printOutages(print: (line: string) => void = console.log): Promise<boolean> {
  const findings = await Promise.all(DRIVERS.map(({ driver }) => measureDriver(driver)))
  const rows: string[][] = [['promise', ...DRIVERS.map(({ title }) => title)]]
  const notes: string[] = []
  let isAsListed = true
  for (const { name } of [...RELAY_PROMISES, NO_CRASH]) {
    const cells = DRIVERS.map(({ title, breaks }, column) => {
      const finding = findings[column]?.find(one => one.promise === name)
      if (!finding) return '–'
      const expected = !(name in breaks)
      if (finding.isKept !== expected) {
        isAsListed = false
        notes.push(`${title}, ${name}: ${expected ? finding.says : 'listed as broken, but holds'}`)
      }
      return cell(finding, expected)
    })
    rows.push([name, ...cells])
  }
  const widths = DRIVERS.map((_, i) => Math.max(...rows.map(row => row[i + 1]?.length ?? 0)))
  const first = Math.max(...rows.map(row => row[0]?.length ?? 0))
  for (const [head = '', ...cells] of rows)
    print([head.padEnd(first), ...cells.map((text, i) => text.padEnd(widths[i] ?? 0))].join('  ').trimEnd())
  print('')
  print('yes: kept. no: broken, as listed by the driver. –: needs a relay with a socket. ms: with start and end.')
  for (const { title, breaks } of DRIVERS)
    for (const [name, says] of Object.entries(breaks)) print(`${title}, ${name}: ${says}`)
  for (const note of notes) print(`NOT AS LISTED: ${note}`)
  return isAsListed
}

const cell = (finding: Finding, expected: boolean): string => {
  const word = finding.isKept ? `yes ${finding.ms} ms` : 'no'
  return finding.isKept === expected ? word : `${word} (!)`
}
