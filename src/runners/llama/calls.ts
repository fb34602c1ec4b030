/**
 * How a model spells calls of tools: what opens one, what parts its name from its arguments, and the grammars of both.
 * @module
 */
import type { ChatWrapper, Llama, LlamaGrammar, LlamaModel, LlamaText, Token } from 'node-llama-cpp'
import type { Callable } from '../refusals.ts'
import type { Binding } from './binding.ts'
import { grammarOf, wordGrammar } from './grammar.ts'

/** What begins a call: a special token, or a text; and the tokens that belong behind it. */
export interface Marker {
  readonly token?: Token
  readonly text?: string
  /** Tokens behind the special token, or behind so many characters of the text. */
  after(characters: number): readonly Token[]
}

export interface Calls {
  readonly names: readonly string[]
  readonly nameGrammar: LlamaGrammar
  readonly marker: Marker
  /** A call must come: the answer begins with it. */
  readonly must: boolean
  /** Calls of one answer at most. */
  readonly most: number
  /** The tokens that begin the answer where a call must come: up to the arguments where there is one tool only. */
  readonly opening: readonly Token[]
  readonly beforeArguments: readonly Token[]
  readonly between: readonly Token[]
  argumentsGrammar(name: string): LlamaGrammar | undefined
  afterArguments(name: string): readonly Token[]
}

const mostCalls = 8

/** Plans calls of these tools. Nothing where the arguments of one make too large a grammar; `tool` is its name then. */
export async function planCalls(
  { llama, model, wrapper, binding }: { llama: Llama; model: LlamaModel; wrapper: ChatWrapper; binding: Binding },
  tools: readonly Callable[],
  { must, parallel }: { must: boolean; parallel: boolean },
): Promise<Calls | { readonly tool: string }> {
  const { call, parallelism } = wrapper.settings.functions
  const tokens = (...texts: (string | LlamaText)[]) => binding.LlamaText(texts).tokenize(model.tokenizer)
  const grammars = new Map<string, LlamaGrammar>()
  for (const { name, tree } of tools) {
    const grammar = grammarOf(tree)
    if (grammar === undefined) return { tool: name }
    grammars.set(name, await llama.createGrammar({ grammar }))
  }
  const names = tools.map(({ name }) => name)
  const section = parallelism?.call.sectionPrefix ?? ''
  const only = names.length === 1 ? names[0] : undefined
  return {
    names,
    nameGrammar: await llama.createGrammar({ grammar: wordGrammar(names) }),
    marker: markerOf(model, tokens(section, call.prefix), `${call.prefix}`),
    must,
    most: must || !parallel || !parallelism ? 1 : mostCalls,
    opening: only === undefined ? tokens(section, call.prefix) : tokens(section, call.prefix, only, call.paramsPrefix),
    beforeArguments: tokens(call.paramsPrefix),
    between: tokens(parallelism?.call.betweenCalls ?? ''),
    argumentsGrammar: name => grammars.get(name),
    afterArguments: name =>
      binding
        .LlamaText(call.suffix)
        .mapValues(part => (typeof part === 'string' ? part.replaceAll('{{functionName}}', name) : part))
        .tokenize(model.tokenizer),
  }
}

function markerOf(model: LlamaModel, prefix: readonly Token[], plain: string): Marker {
  const at = prefix.findIndex(token => model.isSpecialToken(token))
  const token = prefix[at]
  if (token !== undefined) return { token, after: () => prefix.slice(at + 1) }
  const text = model.detokenize(prefix, true) || plain
  // A long first word is mark enough: what follows it models spell with blanks of their own.
  const [word = ''] = text.trim().split(/\s/)
  const begin = word.length >= 6 ? word : text.trim()
  return {
    text: begin,
    after: characters => model.tokenize(text.slice(text.indexOf(begin) + characters), false, 'trimLeadingSpace'),
  }
}
