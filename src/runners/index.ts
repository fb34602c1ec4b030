/**
 * The runners that exist. One more runner is one file and one line here; native code is loaded by the members that
 * need it, when they first work.
 * @module
 */
import { type EchoOptions, echoRunner } from './echo.ts'
import { type LlamaOptions, llamaRunner } from './llama.ts'
import { type OnnxOptions, onnxRunner } from './onnx.ts'
import type { Runner } from './runner.ts'

/** What any member may be told; each takes what concerns it. */
export type RunnerOptions = EchoOptions & LlamaOptions & OnnxOptions

/** Name and opener of each runner. */
export const runners: ReadonlyMap<string, (options: RunnerOptions) => Runner> = new Map([
  ['echo', echoRunner],
  ['llama', llamaRunner],
  ['onnx', onnxRunner],
])

/** Opens a runner by name. Throws a `RangeError` that names those that exist. */
export function openRunner(name: string, options: RunnerOptions): Runner {
  const open = runners.get(name)
  if (!open) throw new RangeError(`there is no runner ${name}; there are ${[...runners.keys()].join(', ')}`)
  return open(options)
}
