/**
 * The process around a command: streams, signals and the exit status. Ends by itself when everything is closed.
 * @module
 */
import { wallClock } from '../clock.ts'
import { runCommand } from './run.ts'
import { openTalk } from './talk.ts'

const stopping = new AbortController()
let asked = 0
function stop(name: string) {
  // A second time means now.
  if (++asked > 1) process.exit(130)
  stopping.abort(new Error(`${name} received`))
}
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop(name))
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  stopping.abort(error)
})

process.exitCode = await runCommand(process.argv.slice(2), {
  out: text => void process.stdout.write(`${text}\n`),
  write: text => void process.stdout.write(text),
  err: text => void process.stderr.write(text),
  env: process.env,
  clock: wallClock(),
  signal: stopping.signal,
  terminal: process.stderr.isTTY === true,
  get columns() {
    return process.stderr.isTTY ? process.stderr.columns : undefined
  },
  get rows() {
    return process.stderr.isTTY ? process.stderr.rows : undefined
  },
  talk: () => openTalk({ input: process.stdin, output: process.stderr, onInterrupt: () => stop('SIGINT') }),
  async stdin() {
    let text = ''
    for await (const chunk of process.stdin.setEncoding('utf8')) {
      text += chunk
      if (text.length > 1_000_000)
        throw new Error('The question on standard input is longer than a million characters.')
    }
    return text
  },
})
