/** @module `gridstr trust`: whom you trust to choose and to score for you. */
import type { TrustedProviders } from '../../../kinds/index.ts'
import { readTrusted, serviceKeys, writeTrusted } from '../../client/trusted.ts'
import { npub, openKeys, pubkeyFromText } from '../../keys.ts'
import { type Command, jsonLine, readArguments, UsageError } from '../command.ts'
import { openScreen } from '../screen.ts'
import { pool, reason, relayOption, relayUrls, secretOf } from '../wiring.ts'

export const trustCommand: Command = {
  name: 'trust',
  says: 'Name the routers whose word counts for you',
  help: [
    'gridstr trust [NPUB…] --key FILE --relay URL… [--remove] [--list] [--public] [--json]',
    '',
    '  NPUB…            routers to add to your list; "gridstr ask --key FILE" then asks them without --router',
    '  --key FILE       your Nostr key: the list is signed with it, and asking with it finds the list',
    '  --relay URL      relay to keep the list on; repeat for more',
    '  --remove         take these routers off the list instead',
    '  --list           only show the list',
    '  --public         let everybody read the list (default: sealed, for you alone)',
    '  --json           one line with "ok", "routers" and "assertions"',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...relayOption,
      key: { type: 'string' },
      remove: { type: 'boolean' },
      list: { type: 'boolean' },
      public: { type: 'boolean' },
      json: { type: 'boolean' },
    })
    const urls = relayUrls(args)
    if (args.text('key') === undefined)
      throw new UsageError('No key given: add --key FILE, because the list is signed with your key.')
    const routers = [...new Set(args.rest.map(keyOf))]
    const only = args.flag('list')
    if (routers.length === 0 && !only)
      throw new UsageError('No router given: name one or more by npub, or add --list to see your list.')
    const json = args.flag('json')
    const screen = openScreen(io)
    const keys = await openKeys()
    const secret = secretOf(args, keys, screen)
    const relays = pool(urls, keys, io.clock, secret)
    const about = { relays, keys, clock: io.clock, secret }
    const refuse = (code: string, error: string): number => {
      if (json) io.out(jsonLine({ ok: false, code, error }))
      screen.line('failed', error)
      return 1
    }
    const show = ({ routers: trusted, assertions }: TrustedProviders, id?: string): number => {
      if (json) io.out(jsonLine({ ok: true, id, routers: trusted, assertions }))
      else for (const { key, relay } of trusted) io.out(`${npub(key)}${relay === '' ? '' : ` ${relay}`}`)
      if (trusted.length === 0) screen.line('trust', 'your list names no router')
      return 0
    }
    try {
      const { value, at, unreadable } = await readTrusted(about, io.signal)
      if (unreadable)
        return refuse('unreadable', 'There is a list of yours that this key cannot read: nothing was changed.')
      if (only) return show(value)
      const services = await serviceKeys(relays, routers, io.signal)
      const next = args.flag('remove')
        ? without(value, routers, services)
        : withAll(value, routers, services, urls[0] ?? '')
      if (next.routers.length > 64)
        return refuse('full', 'A list names at most 64 routers: take one off with --remove.')
      const { event, published } = await writeTrusted(about, next, { after: at, open: args.flag('public') })
      if (published.accepted === 0)
        return refuse(
          'relay',
          `No relay took the list (${published.acks.map(ack => `${ack.relay}: ${ack.says || 'no answer'}`).join('; ')}).`,
        )
      screen.line('trust', `${next.routers.length} ${next.routers.length === 1 ? 'router' : 'routers'} on your list`)
      return show(next, event.id)
    } catch (error) {
      return refuse('trouble', reason(error))
    } finally {
      await relays.close()
    }
  },
}

const rank = '30382:rank'

function withAll(
  { routers, assertions }: TrustedProviders,
  added: readonly string[],
  services: ReadonlyMap<string, string>,
  relay: string,
): TrustedProviders {
  const fresh = added.filter(key => !routers.some(one => one.key === key))
  const scores = added.flatMap(key => services.get(key) ?? [])
  return {
    routers: [...routers, ...fresh.map(key => ({ key, relay }))],
    assertions: [
      ...assertions,
      ...scores
        .filter(key => !assertions.some(one => one.what === rank && one.key === key))
        .map(key => ({ what: rank, key, relay })),
    ],
  }
}

function without(
  { routers, assertions }: TrustedProviders,
  removed: readonly string[],
  services: ReadonlyMap<string, string>,
): TrustedProviders {
  const scores = new Set(removed.map(key => services.get(key)))
  return {
    routers: routers.filter(({ key }) => !removed.includes(key)),
    assertions: assertions.filter(({ key }) => !scores.has(key)),
  }
}

function keyOf(text: string): string {
  try {
    return pubkeyFromText(text)
  } catch (error) {
    // Never the text itself: it may be a secret key, pasted by mistake.
    throw new UsageError(`A router is named by its npub: ${reason(error)}`)
  }
}
