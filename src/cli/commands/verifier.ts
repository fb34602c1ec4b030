/** @module `gridstr verifier`: decides for whom money in escrow is, and holds none of it. */
import { messagesOf, present, type TextRequest, textRequest } from '../../../kinds/index.ts'
import type { Clock } from '../../clock.ts'
import { customerSays, type Judge, matches, openVerifier, type VerifierEvent } from '../../escrow/index.ts'
import { npub, openKeys, pubkeyFromText } from '../../keys.ts'
import type { Runner } from '../../runners/runner.ts'
import { type Arguments, type Command, type Io, jsonLine, readArguments, UsageError, untilStopped } from '../command.ts'
import { homeOf } from '../home.ts'
import { journalOf, journalOption } from '../keeping.ts'
import { money, openScreen, type Screen, short } from '../screen.ts'
import { pool, relayOption, relayUrls, secretOf } from '../wiring.ts'
import { runnerOf, runnerOptions } from './node.ts'

export const verifierCommand: Command = {
  name: 'verifier',
  says: 'Decide over money in escrow, by doing the work again or by the customer’s word',
  help: [
    'gridstr verifier --relay URL… [--judge rerun|customer] [--runner llama|echo] [--model GGUF] [--wait SECONDS] [--json]',
    '',
    '  --relay URL      relay to hear on; repeat for more. Customers and nodes must be on one of them',
    '  --judge rerun    do the work again and compare letter for letter (default): only for work that is deterministic,',
    '                   with the same model file, at temperature 0 or with a seed',
    '  --runner NAME, --model WHAT, --threads N   what does the work again, as for "gridstr node" (default: llama, nano)',
    '  --judge customer the customer’s word decides; silence releases the money',
    '  --wait SECONDS   customer only: how long silence is waited for after the claim (default 120)',
    '  --allow NPUB     open cases for this node only; repeat for more (default: for everybody)',
    '  --key FILE       the key that customers name in --terms escrow:NPUB (default: one in the home folder)',
    '  --journal FILE   cases, their preimages and verdicts (default: in the home folder)',
    '  --json           {"ready":true,"npub":…,"pubkey":…} when it hears, then a line per case and per verdict',
    '',
    'A verifier has no wallet. It makes the secret that a hold invoice needs to become money, and gives it to the node for',
    'work that was done, or to nobody: then the money goes back to the customer by itself.',
    'Whoever reads the journal can release what is open: keep it and the key private.',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...relayOption,
      ...runnerOptions,
      ...journalOption,
      judge: { type: 'string' },
      wait: { type: 'string' },
      allow: { type: 'string', multiple: true },
      key: { type: 'string' },
      json: { type: 'boolean' },
    })
    const urls = relayUrls(args)
    const how = judgeWord(args)
    const waitSeconds = args.number('wait', 1, 86_400) ?? 120
    const allowed = new Set(args.texts('allow').map(nodeKeyOf))
    const screen = openScreen(io)
    const keys = await openKeys()
    const secret = secretOf(args, keys, screen, () => homeOf(io).keyFile('escrow'))
    const journal = journalOf(args, io, screen, 'escrow', keys.publicKey(secret))
    const runner = how === 'rerun' ? await runnerOf(args, io, screen).catch(closing(journal)) : undefined
    const relays = pool(urls, keys, io.clock, secret)
    try {
      const verifier = openVerifier({
        ...{ relays, keys, secret, clock: io.clock, journal },
        judge: judgeOf(runner, io.clock, waitSeconds),
        ...(allowed.size > 0 ? { allow: (node: string) => allowed.has(node) } : {}),
        tell: event => report(event, io, screen, args.flag('json')),
      })
      const open = () => verifier.cases().filter(({ state }) => state === 'open' || state === 'judging').length
      await Promise.race([verifier.ready, untilStopped(io.signal)])
      if (!io.signal.aborted) {
        const { pubkey } = verifier
        if (args.flag('json')) io.out(jsonLine({ ready: true, npub: npub(pubkey), pubkey, judge: how }))
        screen.line('verifier', `${npub(pubkey)} · judges by ${judges[how]} · ${open()} cases open`)
        screen.more(`Customers name it: gridstr ask --terms escrow:${npub(pubkey)} …`)
        await untilStopped(io.signal)
      }
      const left = open()
      verifier.close()
      screen.line('verifier', left === 0 ? 'ended; no case is open' : `ended with ${left} open cases: start it again`)
      return 0
    } finally {
      await runner?.close()
      await relays.close()
      journal.close()
    }
  },
}

const judges = { rerun: 'doing the work again', customer: 'the customer’s word' } as const

function judgeWord(args: Arguments): keyof typeof judges {
  const said = args.text('judge') ?? 'rerun'
  if (said !== 'rerun' && said !== 'customer') throw new UsageError('--judge is unknown: write rerun or customer.')
  const foreign = said === 'rerun' ? ['wait'] : ['runner', 'model', 'threads', 'delay-ms', 'piece-ms']
  for (const name of foreign)
    if (args.text(name) !== undefined)
      throw new UsageError(`--${name} has no meaning for --judge ${said}: leave it away.`)
  return said
}

const judgeOf = (runner: Runner | undefined, clock: Clock, waitSeconds: number): Judge =>
  runner ? matches((request, signal) => again(runner, request, signal)) : customerSays({ clock, waitSeconds })

/** The work of a request, done by us. Rejects for work that this runner does not take: then nothing is decided. */
async function again(runner: Runner, request: TextRequest, signal: AbortSignal): Promise<string> {
  const messages = messagesOf(request)
  if (!messages.ok) throw new Error(messages.says)
  const { model, maxTokens, temperature, topP, topK, seed } = request
  const given = present({ model, maxTokens, temperature, topP, topK, seed })
  const work = { id: 'rerun', kind: textRequest.number, messages: messages.value, ...given }
  const estimate = await runner.check(work, signal)
  if (!estimate.ok) throw new Error(`this runner does not take the work: ${estimate.says}`)
  return (await runner.run(work, () => {}, signal)).text
}

function report(event: VerifierEvent, io: Io, screen: Screen, json: boolean) {
  if (json) io.out(jsonLine(event))
  if (event.event === 'trouble') return screen.line('trouble', `job ${short(event.job)} · ${event.says}`)
  const { job, node, msats, state, says } = event
  return screen.line(event.event, `job ${short(job)} · node ${short(node)} · ${money(msats)} · ${state} ${says}`)
}

function nodeKeyOf(text: string): string {
  try {
    return pubkeyFromText(text)
  } catch {
    throw new UsageError('--allow: needs the key of a node: --allow npub1…')
  }
}

/** Lets go of the journal when what follows cannot be opened. */
const closing = (journal: { close(): void }) => (error: unknown) => {
  journal.close()
  throw error
}
