/** @module `gridstr verify`: recomputes from relay data alone what somebody published. */
import { seconds, timeLimit } from '../../clock.ts'
import { eventFromText, openKeys } from '../../keys.ts'
import type { Network } from '../../payments/payment.ts'
import { type Arguments, type Command, clean, type Io, jsonLine, readArguments, UsageError } from '../command.ts'
import type { Report } from '../verifying/check.ts'
import { verifyId } from '../verifying/verify.ts'
import { pool, reason, relayOption, relayUrls } from '../wiring.ts'

const MOST_HINTS = 4
const networks: readonly Network[] = ['mainnet', 'testnet', 'signet', 'regtest', 'simnet']

export const verifyCommand: Command = {
  name: 'verify',
  says: 'Recompute a routing event, a score, an attestation or a fault from relay data alone',
  help: [
    'gridstr verify <event id | note1… | nevent1…> --relay URL… [--timeout SECONDS] [--network NAME] [--json]',
    '',
    '  --relay URL        relay to read; repeat for more (default: those that an nevent names). Only what these relays have counts',
    '  --timeout SECONDS  for all questions to relays (default 60)',
    '  --network NAME     the coins that payments must be in (default: those of the invoice; play money is named)',
    '  --json             one line: {"ok":…,"kind":…,"what":…,"checks":[{"name":…,"ok":true|false|null,"says":…}]}',
    '',
    'Verifies routing events, scores, attestations, evidence of faults, verdicts, zap receipts and usage receipts, with the',
    'functions that made them. ✓ holds, ✗ does not, ? could not be checked: it says what was missing.',
    'Exit status: 0 all holds, 1 something does not (or there is no such event), 2 wrongly called, 3 nothing failed but',
    'something could not be checked ("ok" is null).',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...relayOption,
      timeout: { type: 'string' },
      network: { type: 'string' },
      json: { type: 'boolean' },
    })
    const { id, urls } = wanted(args)
    const limitSeconds = args.number('timeout', 1, 3_600) ?? 60
    const network = networks.find(name => name === args.text('network'))
    if (args.text('network') !== undefined && network === undefined)
      throw new UsageError(`--network is unknown: write ${networks.join(', ')}.`)
    const keys = await openKeys()
    const relays = pool(urls, keys, io.clock)
    const limit = timeLimit(io.clock, limitSeconds * 1_000, io.signal)
    try {
      const report = await verifyId(id, {
        ...{ relays, verify: keys.verify, now: seconds(io.clock), signal: limit.signal },
        ...(network === undefined ? {} : { network }),
      })
      if (report) return shown(report, args.flag('json'), io)
      const answered = relays.state().some(({ state }) => state === 'open')
      return missing(
        answered
          ? `No relay has this event: ${urls.join(', ')}. Add the relay that it is on with --relay.`
          : `No relay answered: ${urls.join(', ')}. Check the addresses, or add another one with --relay.`,
        args.flag('json'),
        io,
      )
    } finally {
      limit.stop()
      await relays.close()
    }
  },
}

function wanted(args: Arguments): { readonly id: string; readonly urls: readonly string[] } {
  const [text, ...more] = args.rest
  if (text === undefined || more.length > 0)
    throw new UsageError('verify takes one event: gridstr verify <event id | nevent1…> --relay ws://…')
  let event: ReturnType<typeof eventFromText>
  try {
    event = eventFromText(text)
  } catch (error) {
    throw new UsageError(reason(error))
  }
  const hints = event.relays.slice(0, MOST_HINTS).filter(url => URL.canParse(url) && /^wss?:/.test(url))
  return { id: event.id, urls: args.texts('relay').length === 0 && hints.length > 0 ? hints : relayUrls(args) }
}

function shown({ ok, kind, what, checks }: Report, json: boolean, io: Io): number {
  const told = checks.map(check => ({ ...check, says: clean(check.says).replace(/\s+/g, ' ') }))
  if (json) io.out(jsonLine({ ok, kind, what, checks: told }))
  else {
    const width = Math.max(...told.map(({ name }) => name.length))
    for (const check of told) io.out(`${mark(check.ok)} ${check.name.padEnd(width)}  ${check.says}`)
    const of = (value: boolean | null) => told.filter(check => check.ok === value).length
    const words = {
      true: 'everything holds',
      false: 'something does not hold',
      null: 'not everything could be checked',
    }
    io.out(`${mark(ok)} ${what} (kind ${kind}): ${words[`${ok}`]} · ${of(true)} ✓ ${of(false)} ✗ ${of(null)} ?`)
  }
  return ok === true ? 0 : ok === false ? 1 : 3
}

function missing(says: string, json: boolean, io: Io): number {
  if (json) io.out(jsonLine({ ok: false, kind: null, what: null, checks: [{ name: 'event', ok: false, says }] }))
  else io.err(`gridstr: ${clean(says)}\n`)
  return 1
}

const mark = (ok: boolean | null): string => (ok === true ? '✓' : ok === false ? '✗' : '?')
