/**
 * `node bench/index.ts [NAME] [--json] [--quick] [--readme]`: measures, and prints the README's Speed table.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Bench, Figures } from './bench.ts'
import { crypto } from './crypto.ts'
import { echo } from './echo.ts'
import { paid } from './paid.ts'
import { router } from './router.ts'
import { tokens } from './tokens.ts'

const benches: readonly Bench[] = [echo, paid, router, tokens, crypto]
const usage = `usage: node bench/index.ts [${benches.map(bench => bench.name).join(' | ')}] [--json] [--quick] [--readme]`

const say = (line: string) => process.stderr.write(`${line}\n`)

function parsed() {
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({ allowPositionals: true, options: { json: flag, quick: flag, readme: flag } })
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
  }
}

function fail(says: string): never {
  say(says)
  process.exit(1)
}

const markdown = (measured: readonly { bench: Bench; figures: Figures }[]): string =>
  [
    '| What | Here | Against |',
    '|---|---|---|',
    ...measured.flatMap(({ bench, figures }) =>
      bench.rows(figures).map(({ what, figure, against }) => `| ${what} | ${figure} | ${against} |`),
    ),
  ].join('\n')

const readmeFile = new URL('../README.md', import.meta.url)
const block = /(<!-- speed -->)[\s\S]*(<!-- \/speed -->)/

function readme(): string {
  let text = ''
  try {
    text = readFileSync(readmeFile, 'utf8')
  } catch {
    fail('There is no README.md to write to.')
  }
  return block.test(text)
    ? text
    : fail('README.md has no block between <!-- speed --> and <!-- /speed -->: add both lines.')
}

const { values, positionals } = parsed()
const [name] = positionals
const chosen = name === undefined ? benches : benches.filter(bench => bench.name === name)
if (chosen.length === 0 || positionals.length > 1) fail(`There is no bench "${positionals.join(' ')}".\n${usage}`)
if (values.readme) {
  if (values.quick) fail('--readme wants figures that mean something: leave out --quick.')
  if (name !== undefined) fail(`--readme writes the whole table: leave out "${name}".`)
  readme()
}
const measured: { bench: Bench; figures: Figures }[] = []
for (const bench of chosen) {
  say(`${bench.name}: ${bench.says}`)
  measured.push({ bench, figures: await bench.run({ quick: values.quick, progress: say }) })
}
const table = markdown(measured)
if (values.readme)
  writeFileSync(
    readmeFile,
    readme().replace(block, (_, open, close) => `${open}\n${table}\n${close}`),
  )
if (name === undefined) process.stdout.write(`${table}\n`)
else say(table)
if (values.json)
  process.stdout.write(
    `${JSON.stringify(name === undefined ? Object.fromEntries(measured.map(({ bench, figures }) => [bench.name, figures])) : measured[0]?.figures)}\n`,
  )
