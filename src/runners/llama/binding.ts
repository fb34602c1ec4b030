/**
 * The way to node-llama-cpp: the only file that loads it, when it is first needed. Nothing is ever compiled.
 * @module
 */
import type { Llama } from 'node-llama-cpp'
import { RunnerError } from '../runner.ts'

/** Loads the binding. Throws `RunnerError` where the package is not installed. */
export async function loadBinding() {
  try {
    return await import('node-llama-cpp')
  } catch (error) {
    throw new RunnerError('the package node-llama-cpp is not installed: run npm install', { cause: error })
  }
}

export type Binding = Awaited<ReturnType<typeof loadBinding>>

/** The last words of llama.cpp; its log is one per process. */
export const complaints: string[] = []

/** One llama.cpp per kind of device and process: a second one would take the first one's log and start time. */
const started = new Map<'auto' | false, Promise<Llama>>()

/** Starts llama.cpp. Throws `RunnerError` where no binary runs here. */
export function startLlama(gpu: 'auto' | false): Promise<Llama> {
  const known = started.get(gpu)
  if (known) return known
  const starting = bootLlama(gpu)
  started.set(gpu, starting)
  starting.catch(() => started.delete(gpu))
  return starting
}

async function bootLlama(gpu: 'auto' | false): Promise<Llama> {
  const { getLlama, LlamaLogLevel } = await loadBinding()
  try {
    return await getLlama({
      gpu,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      logger: (_level, message) => {
        complaints.push(message.trim())
        if (complaints.length > 3) complaints.shift()
      },
    })
  } catch (error) {
    const platform = `${process.platform}-${process.arch}`
    throw new RunnerError(
      `no llama.cpp binary runs on ${platform}: run npm install without --omit=optional, or serve another runner`,
      { cause: error },
    )
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
