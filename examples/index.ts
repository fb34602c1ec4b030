/**
 * `npm run example`: every story in turn; `npm run example -- NAME`: one of them. Ends with 1 at the first that fails.
 * @module
 */
const examples: Readonly<Record<string, () => Promise<unknown>>> = {
  'free-node': () => import('./free-node.ts'),
  'paid-job': () => import('./paid-job.ts'),
  'held-answer': () => import('./held-answer.ts'),
  'ask-with-nwc': () => import('./ask-with-nwc.ts'),
  'routed-job': () => import('./routed-job.ts'),
  'openai-app': () => import('./openai-app.ts'),
  'ai-sdk-app': () => import('./ai-sdk-app.ts'),
  'mcp-host': () => import('./mcp-host.ts'),
}

const say = (line: string) => process.stderr.write(`${line}\n`)
const [name, ...more] = process.argv.slice(2)
const chosen = Object.entries(examples).filter(([one]) => name === undefined || one === name)
if (chosen.length === 0 || more.length > 0) {
  say(`There is no example "${process.argv.slice(2).join(' ')}". There are: ${Object.keys(examples).join(', ')}.`)
  process.exit(1)
}
for (const [one, run] of chosen) {
  say(`— ${one}`)
  const began = performance.now()
  try {
    await run()
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    say(`— ${one} failed`)
    process.exit(1)
  }
  say(`— ${one} held · ${((performance.now() - began) / 1000).toFixed(1)} s`)
}
