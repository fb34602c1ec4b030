/** @module `gridstr sim`: what the market's rules do against cheats, over virtual time. */
import { writeFileSync } from 'node:fs'
import { policies } from '../../routing/index.ts'
import { chartOf, jobsFor, type SimOptions, type SimReport, simulate } from '../../sim/index.ts'
import { type Arguments, type Command, type Io, jsonLine, quoted, readArguments, UsageError } from '../command.ts'
import { openScreen, type Screen } from '../screen.ts'

export const simCommand: Command = {
  name: 'sim',
  says: 'Try the router’s rules against cheats, over virtual time',
  help: [
    'gridstr sim [--nodes N] [--bad SHARE] [--traitors SHARE] [--sybils SHARE] [--seed S] [--chart FILE.svg] [--json]',
    '',
    '  --nodes N         identities that want work, 10 to 1,000,000 (default 10,000)',
    '  --sybils SHARE    of them are keys of one operator with no computer behind them, which pay each other (default 0)',
    '  --bad SHARE       of the others cheat (default 0.9)',
    '  --traitors SHARE  of the cheats work honestly until they are trusted (default 0.99); the rest is lazy, lying or silent',
    '  --seed S          the same seed gives the same report (default 1)',
    '  --jobs N, --days N, --churn SHARE, --loss SHARE',
    '                    jobs of customers (default 100 a node, 400,000 to 2,000,000), virtual days (30), honest nodes that go',
    '                    away for some hours each day (0.05), words that never reach the router (0.01)',
    '  --policy NAME     how the router chooses (default "default")',
    '  --chart FILE.svg  draws the curves',
    '  --json            one line with the figures',
    '',
    'It runs the router’s own ledger, routing and audits; only nodes, customers, relays and the clock are made up.',
  ],
  async run(argv, io) {
    const text = { type: 'string' } as const
    const args = readArguments(argv, {
      ...{ nodes: text, bad: text, traitors: text, sybils: text, seed: text, jobs: text, days: text },
      ...{ churn: text, loss: text, policy: text, chart: text, json: { type: 'boolean' } },
    })
    if (args.rest.length > 0) throw new UsageError(`${quoted(args.rest.join(' '))}: "gridstr sim" takes options only.`)
    const options = optionsOf(args)
    const chart = args.text('chart')
    const screen = openScreen(io)
    const began = io.clock.now()
    const report = await run(options, io, screen)
    if (!report) return 130
    const seconds = Math.round((io.clock.now() - began) / 10) / 100
    if (chart !== undefined) save(chart, chartOf(options, report), screen)
    if (args.flag('json')) {
      const { curve: _, ...figures } = report
      io.out(jsonLine({ ...figures, seed: options.seed, nodes: options.nodes, seconds }))
    } else for (const line of wordsOf(options, report)) io.out(line)
    screen.line('done', `${grouped(report.jobs)} jobs in ${seconds} s`)
    return 0
  },
}

function optionsOf(args: Arguments): SimOptions {
  const share = (name: string, unsaid: number): number => {
    const said = args.text(name)
    if (said === undefined) return unsaid
    const value = /^[01](\.[0-9]{1,6})?$/.test(said) ? Number(said) : Number.NaN
    if (value >= 0 && value <= 1) return value
    throw new UsageError(`--${name} ${quoted(said)}: give a share from 0 to 1, for example 0.9.`)
  }
  const nodes = args.number('nodes', 10, 1_000_000) ?? 10_000
  const policy = args.text('policy') ?? 'default'
  if (!policies.has(policy))
    throw new UsageError(`--policy ${quoted(policy)}: there is ${[...policies.keys()].join(', ')}.`)
  return {
    ...{ nodes, policy, bad: share('bad', 0.9), traitors: share('traitors', 0.99), sybils: share('sybils', 0) },
    ...{ seed: args.number('seed', 0, 2 ** 48) ?? 1, churn: share('churn', 0.05), loss: share('loss', 0.01) },
    jobs: args.number('jobs', 1_000, 100_000_000) ?? jobsFor(nodes),
    days: args.number('days', 1, 365) ?? 30,
  }
}

/** Runs to the end, or until the process is asked to end. */
async function run(options: SimOptions, io: Io, screen: Screen): Promise<SimReport | undefined> {
  const simulation = simulate(options)
  for (let next = simulation.next(); ; next = simulation.next()) {
    if (next.done) return next.value
    const full = Math.round(next.value * 30)
    screen.progress('sim', `[${'#'.repeat(full)}${'.'.repeat(30 - full)}] ${Math.floor(next.value * 100)} %`)
    // Lets Ctrl-C through.
    await new Promise<void>(resolve => void io.clock.after(0, resolve))
    if (io.signal.aborted) return undefined
  }
}

function save(file: string, svg: string, screen: Screen) {
  try {
    writeFileSync(file, svg)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      `--chart ${quoted(file)}: it cannot be written (${code ?? 'unknown'}). Name a file in a folder of yours.`,
    )
  }
  screen.line('chart', file)
}

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')
const percent = (value: number): string => `${(value * 100).toFixed(2)} %`

function wordsOf(options: SimOptions, report: SimReport): string[] {
  const { nodes, bad, traitors, sybils } = options
  const row = (what: string, figure: string, says: string) => `${what.padEnd(26)}${figure.padStart(11)}   ${says}`
  return [
    `${grouped(nodes)} nodes: ${percent(sybils)} Sybils of one operator; of the others ${percent(bad)} cheat, ${percent(traitors)} of those patiently.`,
    '',
    row('bad answers', percent(report.junk), `of all answers; in the last fifth ${percent(report.junkLately)}`),
    row('computed again', percent(report.auditOverhead), 'audits, of all answers'),
    row('unanswered', percent(report.unanswered), 'requests that three nodes let down'),
    row('paid to cheats', percent(report.paidToCheats), 'of all money, for good and bad answers'),
    row(
      'caught',
      grouped(report.caught),
      `cheats; those who had been trusted gave ${report.junkPerCaught} bad answers each`,
    ),
    row('graduates', grouped(report.graduates), `of them ${grouped(report.honestGraduates)} honest`),
    row('honest graduates', percent(report.honestGraduated), 'of all honest nodes'),
    row(
      'honest caught',
      grouped(report.honestCaught),
      `wrongly; ejected for silence ${grouped(report.honestEjections)} times`,
    ),
    row(
      'Sybils in the top 100',
      String(Math.round(report.sybilsInTop100 * 100)),
      `by score; by volume of receipts ${Math.round(report.sybilsInTop100ByVolume * 100)}`,
    ),
    row('inequality', report.gini.toFixed(2), 'Gini of the work of honest graduates, 0 is equal'),
  ]
}
