/**
 * What `gridstr run` loads into a Node program before it begins: calls to OpenAI's interface go to the market, all others
 * where they went before. It loads nothing more until the first such call, and nothing listens.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { isMarketCall, marks } from './marks.ts'

const said = process.env[marks.settings]
if (said !== undefined) {
  const real = globalThis.fetch
  const bases = (process.env[marks.bases] ?? '').split(' ').filter(base => base !== '')
  let opening: Promise<typeof fetch> | undefined
  const market = () => {
    opening ??= import('./market-fetch.ts').then(({ openMarketFetch }) => openMarketFetch(JSON.parse(said)))
    return opening
  }
  globalThis.fetch = Object.assign(
    async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const url = input instanceof Request ? input.url : String(input)
      return isMarketCall(url, bases) ? (await market())(input, init) : real(input, init)
    },
    { gridstr: true },
  )
  const file = process.env[marks.reached]
  try {
    if (file) writeFileSync(file, '')
  } catch {
    // Whoever started us has gone: it only wanted to know whether we are a Node program.
  }
}
