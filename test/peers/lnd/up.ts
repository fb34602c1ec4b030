/**
 * Brings up btcd on a chain of its own and two lnd with a funded channel, all on loopback and in a folder that goes
 * with them.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Built } from './build.ts'
import { type Chain, type ChainPlace, openChain } from './chain.ts'
import { type Kept, openKept } from './kept.ts'
import { isFields, listOf, openRest, type Rest, textOf, toBase64 } from './rest.ts'

/** What tests need to reach it. Plain data. */
export interface LndPlace {
  /** REST addresses. The payer opened the channel. */
  readonly payer: string
  readonly payee: string
  readonly chain: ChainPlace
}

export interface Up {
  readonly place: LndPlace
  readonly seconds: number
  memoryBytes(): number
  close(): Promise<void>
}

/** A key that nobody has: for the first chain, which btcd throws away. */
const NOBODY = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
/** Segwit is active on btcd's regtest after three windows of 144 blocks; coins may be spent after 100. */
const BLOCKS = 450
/** Below lnd's largest single payment (4,294,967 sats), so that "more than the balance" can be asked for. */
const CHANNEL = { sats: 5_000_000, pushed: 1_000_000 }
const PATIENCE_MS = 180_000
const POLL_MS = 100

/** Takes some ten seconds. Rejects with the last words of the daemon that failed; nothing is left then. */
export async function bringUp({ lnd, btcd }: Built, say: (line: string) => void, signal?: AbortSignal): Promise<Up> {
  const began = Date.now()
  const kept = openKept()
  const stop = () => void kept.close()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const [chainPeer, chainRpc, ...ports] = await freePorts(8)
    const password = randomBytes(16).toString('hex')
    const start = (to: string) =>
      kept.start('btcd', btcd, [
        ...['--regtest', '--nodnsseed', '--txindex', '--rpcuser=gridstr', `--rpcpass=${password}`],
        ...[`--listen=127.0.0.1:${chainPeer}`, `--rpclisten=127.0.0.1:${chainRpc}`, `--miningaddr=${to}`],
        ...['--datadir=btcd', '--logdir=btcd-log', '--rpccert=rpc.cert', '--rpckey=rpc.key', '--configfile=btcd.conf'],
      ])
    const chainUp = async (): Promise<Chain & { place: ChainPlace }> => {
      const certificate = await until(kept, 'the certificate of btcd', async () => {
        const file = join(kept.folder, 'rpc.cert')
        return existsSync(file) ? readFileSync(file, 'utf8') : undefined
      })
      const place = { port: chainRpc ?? 0, password, certificate }
      const chain = openChain(place)
      await until(kept, 'btcd', () => chain.height().then(() => true))
      return { ...chain, place }
    }

    await start(NOBODY)
    await chainUp()
    const node = async (name: string, [peer, rpc, rest]: readonly number[]) => {
      await kept.start(name, lnd, [
        ...['--bitcoin.regtest', '--bitcoin.node=btcd', '--bitcoin.defaultchanconfs=1', '--debuglevel=info'],
        ...[`--btcd.rpchost=127.0.0.1:${chainRpc}`, '--btcd.rpcuser=gridstr', `--btcd.rpcpass=${password}`],
        ...['--btcd.rpccert=rpc.cert', `--lnddir=${join(kept.folder, name)}`, `--alias=${name}`],
        ...['--noseedbackup', '--nobootstrap', '--no-macaroons', '--no-rest-tls', '--trickledelay=50'],
        ...[`--listen=127.0.0.1:${peer}`, `--rpclisten=127.0.0.1:${rpc}`, `--restlisten=127.0.0.1:${rest}`],
      ])
      const url = `http://127.0.0.1:${rest}`
      return { name, url, peer, rest: openRest(url) }
    }
    const payer = await node('payer', ports.slice(0, 3))
    const payee = await node('payee', ports.slice(3, 6))
    // A wallet gives addresses before it is in step with the chain, which it cannot be on a bare first block.
    const address = await until(
      kept,
      'an address of lnd',
      async () => textOf(await payer.rest.ask('GET', '/v1/newaddress'), 'address') || undefined,
    )
    say(`lnd answers after ${since(began)} s`)

    // btcd forgets a regtest chain at every start: only now, with an address to mine to, does the real one begin.
    await kept.stop('btcd')
    await start(address)
    const chain = await chainUp()
    await chain.mine(BLOCKS)
    for (const { name, rest } of [payer, payee]) await until(kept, `${name} in step with the chain`, () => inStep(rest))
    say(`both are in step with the chain after ${since(began)} s`)
    await openChannel(kept, chain, payer, payee)
    const seconds = since(began)
    say(`a channel is open after ${seconds} s`)
    return {
      place: { payer: payer.url, payee: payee.url, chain: chain.place },
      seconds,
      memoryBytes: kept.memoryBytes,
      async close() {
        signal?.removeEventListener('abort', stop)
        await kept.close()
      },
    }
  } catch (error) {
    await kept.close()
    throw error
  }
}

interface Peer {
  readonly name: string
  readonly peer: number | undefined
  readonly rest: Rest
}

async function openChannel(kept: Kept, chain: Chain, payer: Peer, payee: Peer): Promise<void> {
  await until(kept, 'coins', async () => {
    return textOf(await payer.rest.ask('GET', '/v1/balance/blockchain'), 'confirmed_balance') !== '0' || undefined
  })
  const pubkey = textOf(await payee.rest.ask('GET', '/v1/getinfo'), 'identity_pubkey')
  const host = `127.0.0.1:${payee.peer}`
  await until(kept, 'a connection', () => connect(payer.rest, pubkey, host))
  const sizes = { local_funding_amount: String(CHANNEL.sats), push_sat: String(CHANNEL.pushed) }
  await until(kept, 'a channel', async () => {
    await payer.rest.ask('POST', '/v1/channels', { node_pubkey: toBase64(pubkey), ...sizes })
    return true
  })
  await until(kept, 'the funding in the pool', async () => {
    const pool = await chain.ask('getrawmempool')
    return (Array.isArray(pool) && pool.length > 0) || undefined
  })
  // Six deep, so that both tell the network of it and a route can be found.
  await chain.mine(6)
  // An active channel is no route yet: until both sides' terms are in a node's map, it pays nobody and says that it has
  // no balance.
  for (const { name, rest } of [payer, payee])
    await until(kept, `a route of ${name}`, async () => {
      const [channel] = listOf(await rest.ask('GET', '/v1/channels?active_only=true'), 'channels')
      if (!channel) return undefined
      const edge = await rest.ask('GET', `/v1/graph/edge/${textOf(channel, 'chan_id')}`)
      return (isFields(edge['node1_policy']) && isFields(edge['node2_policy'])) || undefined
    })
}

async function connect(rest: Rest, pubkey: string, host: string): Promise<true | undefined> {
  const peers = listOf(await rest.ask('GET', '/v1/peers'), 'peers')
  if (peers.some(peer => textOf(peer, 'pub_key') === pubkey)) return true
  await rest.ask('POST', '/v1/peers', { addr: { pubkey, host }, perm: true })
  return undefined
}

async function inStep(rest: Rest): Promise<true | undefined> {
  const info = await rest.ask('GET', '/v1/getinfo')
  return (info['synced_to_chain'] === true && Number(info['block_height']) >= BLOCKS) || undefined
}

/** Asks again until there is an answer; a refusal is no answer yet. Rejects early when a daemon ended. */
async function until<T>(kept: Kept, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + PATIENCE_MS
  let said = ''
  for (;;) {
    const found = await ask().catch((error: unknown) => {
      said = error instanceof Error ? error.message : ''
      return undefined
    })
    if (found !== undefined) return found
    for (const name of ['btcd', 'payer', 'payee'])
      if (kept.over(name) !== undefined)
        throw new Error(`${name} ended (${kept.over(name)}) before there was ${what}:\n${kept.says(name)}`)
    if (Date.now() > end) throw new Error(`No ${what} within ${PATIENCE_MS / 1000} s${said && `: ${said}`}`)
    await pause(POLL_MS)
  }
}

const since = (began: number): number => Math.round((Date.now() - began) / 100) / 10

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      server =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const at: unknown = server.address()
            resolve(isFields(at) ? Number(at['port']) : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
