/**
 * The GET of Node: every address behind a name is looked at when the connection is made, so that no name leads inside,
 * not even one that answers differently the second time.
 * @module
 */
import { lookup as ask } from 'node:dns'
import { Agent as PlainAgent, get as plainGet } from 'node:http'
import { Agent, get } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { type HttpGet, isLoopback, notPublic, redirected, tooLarge } from './get.ts'

export interface Address {
  readonly address: string
  readonly family: number
}

/** All addresses of a name, as the system knows them. */
export type Resolve = (host: string) => Promise<readonly Address[]>

const inside4 =
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4'
/** Teredo, documentation and 6to4: public ones that carry other addresses or none. */
const inside6 = '2001::/32 2001:db8::/32 2002::/16'
const inside = new BlockList()
for (const [nets, family] of [[inside4, 'ipv4'] as const, [inside6, 'ipv6'] as const])
  for (const net of nets.split(' ')) {
    const [address = '', bits] = net.split('/')
    inside.addSubnet(address, Number(bits), family)
  }
/** What is given out on the public internet (RFC 4291); mapped, translated, local and link addresses lie outside of it. */
const global6 = new BlockList()
global6.addSubnet('2000::', 3, 'ipv6')

/** True for an address that anybody on the internet can reach. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !inside.check(address, 'ipv4')
  return family === 6 && global6.check(address, 'ipv6') && !inside.check(address, 'ipv6')
}

const system: Resolve = host =>
  new Promise((resolve, reject) =>
    ask(host, { all: true, order: 'verbatim' }, (error, found) => (error ? reject(error) : resolve(found))),
  )

/** Connections of their own, kept by nobody, through no proxy. */
export function publicGet(resolve: Resolve = system): HttpGet {
  const lookup: LookupFunction = (host, options, done) => {
    resolve(host).then(
      found => {
        const [first] = found
        const bad = found.find(({ address }) => !isPublicAddress(address))
        if (bad || !first) done(notPublic(host), '', 0)
        else if (options.all) done(null, [...found])
        else done(null, first.address, first.family)
      },
      (error: Error) => done(error, '', 0),
    )
  }
  return (url, { maxBytes, loopback }, signal) =>
    new Promise((resolve, reject) => {
      const own = loopback && isLoopback(url)
      const host = url.hostname.replace(/^\[|\]$/g, '')
      // A number is connected to without a look-up.
      if (!own && isIP(host) !== 0 && !isPublicAddress(host)) return reject(notPublic(host))
      const plain = own && url.protocol === 'http:'
      const agent = plain ? new PlainAgent() : new Agent()
      const headers = { accept: 'application/json', 'accept-encoding': 'identity' }
      const options = { headers, signal, agent, ...(own ? {} : { lookup }) }
      const request = (plain ? plainGet : get)(url, options, answer => {
        const { statusCode: status = 0 } = answer
        const refuse = (error: Error) => {
          reject(error)
          request.destroy()
        }
        if (status >= 300 && status < 400) return refuse(redirected())
        const parts: Uint8Array[] = []
        let bytes = 0
        answer.on('data', (part: Uint8Array) => {
          bytes += part.length
          if (bytes > maxBytes) refuse(tooLarge(maxBytes))
          else parts.push(part)
        })
        answer.on('error', reject)
        answer.on('end', () => resolve({ status, text: Buffer.concat(parts).toString('utf8') }))
      })
      request.on('error', reject)
    })
}
