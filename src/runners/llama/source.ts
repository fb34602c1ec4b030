/**
 * Where weights come from: the model that ships with the package, a file, a Hugging Face URI or a URL. Only the
 * operator names a source; a job never does.
 * @module
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RunnerError } from '../runner.ts'

/** sha256 of the shipped weights; a package with other bytes in it does not start. */
export const nanoSha256 = '1f79db6663cd76debf6e30c59b225e7ef0d6d4c540fe9cb01b808d149aa839da'

/** The shipped weights; the build copies the folder, so the path holds in sources and in `dist`. */
export const nanoPath = fileURLToPath(new URL('../nano/nano-q8_0.gguf', import.meta.url))

/** One sentence for whoever sees answers of the shipped model. */
export const nanoAbout =
  'nano knows one page of questions by heart and answers the rest with "I do not know"; a bigger model is one flag away (--model).'

export type Source =
  | { readonly from: 'nano'; readonly path: string }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'net'; readonly uri: string; readonly directory: string; readonly fileName?: string }

/** Reads what the operator wrote. Throws `RunnerError` for a scheme that is not served or is not safe. */
export function readSource(model: string, cacheDir: string): Source {
  if (model === 'nano') return { from: 'nano', path: nanoPath }
  if (/^(hf|huggingface):/.test(model)) return { from: 'net', uri: model, directory: cacheDir }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(model)?.[1]?.toLowerCase()
  if (scheme === undefined) return { from: 'file', path: resolve(model) }
  if (scheme === 'file') return { from: 'file', path: fileURLToPath(model) }
  if (scheme !== 'https' && scheme !== 'http') {
    throw new RunnerError(`cannot fetch a model by ${scheme}://; give a path, hf:user/repo:quant or an https URL`)
  }
  if (!URL.canParse(model))
    throw new RunnerError(`${model} is not a URL; give a path, hf:user/repo:quant or an https URL`)
  const url = new URL(model)
  if (scheme === 'http' && !['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) {
    throw new RunnerError('weights are not fetched over plain http; use https, or fetch the file and give its path')
  }
  // A folder per URL, because files of different publishers often share a name.
  const directory = join(cacheDir, createHash('sha256').update(url.href).digest('hex').slice(0, 16))
  const name = basename(decodeURIComponent(url.pathname))
  return { from: 'net', uri: url.href, directory, fileName: /^[\w.-]+\.gguf$/i.test(name) ? name : 'model.gguf' }
}

/** Folder for downloaded weights: `$XDG_CACHE_HOME/gridstr/models`, or below `~/.cache`. */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>>): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'gridstr', 'models')
}

/** Throws `RunnerError` unless the file is there and begins like a GGUF. */
export async function requireGguf(path: string): Promise<void> {
  const file = await open(path, 'r').catch(error => {
    throw new RunnerError(`no model file at ${path}: correct the path, or name hf:user/repo:quant`, { cause: error })
  })
  try {
    const { bytesRead, buffer } = await file.read(new Uint8Array(4), 0, 4, 0)
    if (bytesRead === 4 && new TextDecoder().decode(buffer) === 'GGUF') return
  } catch (error) {
    throw new RunnerError(`${path} cannot be read as a file: give the path of a .gguf file`, { cause: error })
  } finally {
    await file.close()
  }
  throw new RunnerError(`${path} is not a GGUF file: convert the model with llama.cpp, or take one that ends in .gguf`)
}
