/**
 * What a run on lnd came to, as a table for people and a value for machines.
 * @module
 */
import type { TestModule } from 'vitest/node'

export interface Table {
  readonly text: string
  readonly json: {
    readonly passed: number
    readonly failed: number
    readonly skipped: number
    readonly suites: readonly SuiteRow[]
    /** State of each NIP-47 method and notification. */
    readonly methods: Readonly<Record<string, string>>
    readonly figures: Readonly<Record<string, string>>
  }
}

interface SuiteRow {
  readonly suite: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Counts tests by their outermost suite; `errors` belong to no test; figures come from the tests and from `more`. */
export function tableOf(
  modules: readonly TestModule[],
  errors: readonly unknown[],
  more: Readonly<Record<string, string>>,
): Table {
  const suites = new Map<string, { passed: number; failed: number; skipped: number }>()
  const figures: Record<string, string> = { ...more }
  const methods: Record<string, string> = {}
  let broken = errors.length
  for (const module of modules) {
    const tests = [...module.children.allTests()]
    // A file that cannot be loaded, or a suite that cannot begin, has no failed test to count.
    if (!module.ok() && !tests.some(test => test.result().state === 'failed')) broken++
    for (const test of tests) {
      const [name = ''] = test.fullName.split(' > ')
      const row = suites.get(name) ?? { passed: 0, failed: 0, skipped: 0 }
      suites.set(name, row)
      const { state } = test.result()
      if (name.startsWith('methods: ')) methods[test.name] = state
      // A test that was cut off has shown nothing.
      row[state === 'pending' ? 'failed' : state]++
      Object.assign(figures, test.meta().figures)
    }
  }
  const rows = [...suites].map(([suite, counts]) => ({ suite, ...counts }))
  const sum = (of: 'passed' | 'failed' | 'skipped') => rows.reduce((all, row) => all + row[of], 0)
  const json = {
    ...{ passed: sum('passed'), failed: sum('failed') + broken, skipped: sum('skipped') },
    ...{ suites: rows, methods, figures },
  }
  const cells = [
    ['suite', 'passed', 'failed', 'skipped'],
    ...rows.map(row => [row.suite, String(row.passed), String(row.failed), String(row.skipped)]),
  ]
  const blocks = [
    columns(cells),
    columns(Object.entries(methods)),
    columns(Object.entries(figures)),
    `lnd: ${json.passed} passed, ${json.failed} failed, ${json.skipped} skipped`,
  ]
  return { text: `\n${blocks.filter(block => block !== '').join('\n\n')}`, json }
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => {
    row.forEach((cell, at) => {
      all[at] = Math.max(all[at] ?? 0, cell.length)
    })
    return all
  }, [])
  return rows
    .map(row =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
