/**
 * Lines from whoever sits at the terminal, or from a pipe: typed lines are kept until somebody asks for one.
 * @module
 */
import { createInterface } from 'node:readline'
import type { Talk } from './command.ts'

export interface TalkStreams {
  readonly input: NodeJS.ReadStream
  /** Where the prompt and what is typed are shown. */
  readonly output: NodeJS.WriteStream
  /** Ctrl-C that nobody here takes. */
  onInterrupt(): void
}

/** Opens it; `close` lets the process end. At most 10,000 lines wait. */
export function openTalk({ input, output, onInterrupt }: TalkStreams): Talk {
  const terminal = input.isTTY === true && output.isTTY === true
  const lines = createInterface({ input, ...(terminal ? { output } : {}), terminal })
  const waiting: string[] = []
  const listeners: (() => void)[] = []
  let asked: ((line: string | undefined) => void) | undefined
  let ended = false
  lines.on('line', line => {
    if (asked) {
      const answer = asked
      asked = undefined
      answer(line)
    } else if (waiting.push(line) >= 10_000) lines.pause()
  })
  lines.on('close', () => {
    ended = true
    if (terminal && asked) output.write('\n')
    asked?.(undefined)
  })
  lines.on('SIGINT', () => {
    if (asked) output.write('\n')
    const listener = listeners.at(-1)
    if (listener) listener()
    else onInterrupt()
    if (asked) lines.prompt()
  })
  return {
    ask(prompt) {
      const line = waiting.shift()
      if (line !== undefined) return Promise.resolve(line)
      if (ended) return Promise.resolve(undefined)
      if (terminal) {
        lines.setPrompt(prompt)
        lines.prompt()
      }
      lines.resume()
      return new Promise(resolve => {
        asked = resolve
      })
    },
    onInterrupt(listener) {
      listeners.push(listener)
      return () => {
        const at = listeners.lastIndexOf(listener)
        if (at >= 0) listeners.splice(at, 1)
      }
    },
    close: () => lines.close(),
  }
}
