/** @module `gridstr bond`: puts abstract units at stake under the key of a node or router. */
import { existsSync } from 'node:fs'
import type { Bond } from '../../../kinds/index.ts'
import { npub, openKeys } from '../../keys.ts'
import { type BondRefusal, type OwnBond, openBonds, type Written } from '../bonding.ts'
import { type Arguments, type Command, jsonLine, quoted, readArguments, UsageError } from '../command.ts'
import { journalOf, journalOption } from '../keeping.ts'
import { openScreen } from '../screen.ts'
import { pool, reason, relayOption, relayUrls, secretOf } from '../wiring.ts'

export const bondCommand: Command = {
  name: 'bond',
  says: 'Put abstract units at stake, which proven faults take away',
  help: [
    'gridstr bond --units N --days D --role node|router --key FILE --relay URL… [--json]',
    'gridstr bond --topup N | --unlock | --list --key FILE --relay URL… [--role node|router] [--json]',
    '',
    '  --units N        lock so many units; a few thousand is usual, and more than others have is worth nothing more',
    '  --days D         for so long, at most 90: it counts less every day, and nothing at its end',
    '  --role ROLE      as a node, or as a router (default for the other forms: node)',
    '  --topup N        add to the bond in force',
    '  --unlock         take back what is locked: it counts nothing from then on',
    '  --list           only show your bonds, and verdicts about this key',
    '  --key FILE       the key of the node or router: a bond counts for the key that signed it',
    '  --relay URL      relay to keep the bond and its log on; repeat for more',
    '  --journal FILE   the log of your bonds (default: in the home folder). One key, one journal: two entries with one',
    '                   number are a fault that anybody can prove',
    '  --json           one line with "ok", "bonds" and "verdicts"',
    '',
    'Units are not money. Nobody holds anything for you, nothing is paid in or out, and nothing can force you to keep a bond:',
    'it says how much of your name you stake. Routers that count it raise the score of a node by a tenth at most, and take',
    'it for a fault that was proven by judges whom they trust. A node needs no bond; a router without one is shown as',
    'unbonded.',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...relayOption,
      ...journalOption,
      units: { type: 'string' },
      days: { type: 'string' },
      role: { type: 'string' },
      topup: { type: 'string' },
      unlock: { type: 'boolean' },
      list: { type: 'boolean' },
      key: { type: 'string' },
      json: { type: 'boolean' },
    })
    const urls = relayUrls(args)
    const act = actOf(args)
    const file = args.text('key')
    if (file === undefined)
      throw new UsageError('No key given: add --key FILE, the key of the node or router that the bond is for.')
    if (!existsSync(file)) throw new UsageError(`The key file ${file} does not exist: a bond counts for a key in use.`)
    const json = args.flag('json')
    const screen = openScreen(io)
    const keys = await openKeys()
    const secret = secretOf(args, keys, screen)
    const journal = journalOf(args, io, screen, 'bond', keys.publicKey(secret))
    const relays = pool(urls, keys, io.clock, secret)
    const failed = ({ code, says }: BondRefusal): number => {
      if (json) io.out(jsonLine({ ok: false, code, error: says }))
      screen.line('failed', says)
      return 1
    }
    try {
      const bonds = await openBonds({ relays, keys, secret, clock: io.clock, journal }, io.signal)
      if (!bonds.ok) return failed(bonds)
      let done: Written | BondRefusal | undefined
      if (act.what === 'lock') done = await bonds.lock(act.role, act.units, act.days)
      else if (act.what === 'topup') done = await bonds.topup(act.role, act.units)
      else if (act.what === 'unlock') done = await bonds.unlock(act.role)
      if (done?.ok === false) return failed(done)
      const { verdicts } = bonds
      if (json) io.out(jsonLine({ ok: true, ids: done?.ids, bonds: bonds.bonds, verdicts }))
      else for (const one of bonds.bonds) io.out(wordsOf(one))
      if (done?.ok) screen.line('bond', `${wordsOf(done.bond)} · on ${done.accepted} of ${urls.length} relays`)
      else if (bonds.bonds.length === 0) screen.line('bond', 'this key has no bond')
      for (const { judge, rule, proven, penalty } of verdicts)
        screen.line('verdict', `${npub(judge)}: ${rule} ${proven ? `proven, takes ${penalty} units` : 'not proven'}`)
      return 0
    } catch (error) {
      return failed({ ok: false, code: 'trouble', says: reason(error) })
    } finally {
      await relays.close()
      journal.close()
    }
  },
}

type Act =
  | { readonly what: 'lock'; readonly role: Bond['role']; readonly units: bigint; readonly days: number }
  | { readonly what: 'topup'; readonly role: Bond['role']; readonly units: bigint }
  | { readonly what: 'unlock' | 'list'; readonly role: Bond['role'] }

function actOf(args: Arguments): Act {
  const said = args.text('role')
  if (said !== undefined && said !== 'node' && said !== 'router')
    throw new UsageError(`--role ${quoted(said)} is unknown: write node or router.`)
  const units = args.number('units', 1, most)
  const days = args.number('days', 1, 90)
  const topup = args.number('topup', 1, most)
  const [unlock, list] = [args.flag('unlock'), args.flag('list')]
  if ([units !== undefined, topup !== undefined, unlock, list].filter(Boolean).length !== 1)
    throw new UsageError('Say one thing: --units N --days D --role ROLE, or --topup N, or --unlock, or --list.')
  if (days !== undefined && units === undefined)
    throw new UsageError('--days belongs to --units N: a bond keeps its end.')
  const role = said ?? 'node'
  if (unlock || list) return { what: unlock ? 'unlock' : 'list', role }
  if (topup !== undefined) return { what: 'topup', role, units: BigInt(topup) }
  if (days === undefined || said === undefined)
    throw new UsageError('A bond needs --units N, --days D (at most 90) and --role node|router.')
  return { what: 'lock', role, units: BigInt(units ?? 0), days }
}

const most = 1_000_000_000_000

function wordsOf({ id, role, units, held, expiresAt, worth }: OwnBond): string {
  const until = new Date(expiresAt * 1_000).toISOString().slice(0, 10)
  const now = worth.reason === undefined ? `counts ${worth.units} now` : `counts nothing (${worth.reason})`
  return `${id} · ${role} · ${held < units ? held : units} units until ${until} · ${now}`
}
