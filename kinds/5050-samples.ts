/**
 * Samples of kind 5050: our spelling, other people's, and one breach of each rule.
 * @module
 */
import type { TextRequest } from './5050-text-generation.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const blank = { relays: [], providers: [], stream: false, receipt: false }
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const other = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'

export const good: readonly GoodSample<TextRequest>[] = [
  { says: 'The smallest job.', value: { ...blank, inputs: [{ data: 'Why is the sky blue?', type: 'text' }] } },
  {
    says: 'All there is to say, to one provider.',
    value: {
      inputs: [
        {
          data: '[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]',
          type: 'text',
          marker: 'messages',
        },
        { data: key, type: 'job', relay: 'wss://relay.example', marker: 'background' },
        { data: 'https://example.com/a', type: 'url' },
      ],
      model: 'nano',
      maxTokens: 64,
      temperature: 0.7,
      topP: 0.9,
      topK: 40,
      frequencyPenalty: -0.5,
      seed: 7,
      output: 'text/plain',
      bidMsats: 21_000n,
      relays: ['wss://relay.example', 'ws://127.0.0.1:7777'],
      providers: [key],
      expiresAt: 1_800_000_600,
      stream: true,
      receipt: true,
      alt: 'A question',
      terms: { word: 'parts', parts: 4 },
      routing: key,
      quote: other,
    },
  },
  {
    says: 'The rest of an answer whose first part another provider was paid for.',
    value: {
      ...blank,
      inputs: [
        {
          data: '[{"role":"user","content":"Count to four."},{"role":"assistant","content":"one"}]',
          type: 'text',
          marker: 'messages',
        },
      ],
      terms: { word: 'parts', parts: 4, from: 1 },
    },
  },
  {
    says: 'A conversation with a tool, and how the answer is to come.',
    value: {
      ...blank,
      inputs: [
        {
          data: '[{"role":"user","content":"Is it raining in Oslo?"},{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\\"city\\":\\"Oslo\\"}"}}]},{"role":"tool","content":"Rain.","tool_call_id":"c1"}]',
          type: 'text',
          marker: 'messages',
        },
      ],
      stop: ['\n\n', 'User:'],
      presencePenalty: 0.5,
      tools: [
        {
          name: 'weather',
          description: 'The weather in a city.',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
        { name: 'time' },
      ],
      toolChoice: { name: 'weather' },
      parallelToolCalls: false,
      responseFormat: { type: 'json_schema', schema: { type: 'object' } },
      logprobs: 3,
      output: 'application/x-ndjson',
      partial: true,
      privacy: 1,
    },
  },
  {
    says: 'Any JSON object, tools only if the model likes, probabilities of the chosen tokens alone.',
    value: {
      ...{ ...blank, inputs: [{ data: 'Hi', type: 'text' }], privacy: 0 },
      ...{ responseFormat: { type: 'json_object' }, tools: [{ name: 'a.b-c_1' }], toolChoice: 'auto', logprobs: 0 },
    },
  },
  {
    says: 'A wish for escrow.',
    value: { ...blank, inputs: [{ data: 'Hi', type: 'text' }], terms: { word: 'escrow', verifier: key } },
  },
]

export const dialects: readonly Dialect<TextRequest>[] = [
  {
    says: 'Amethyst: type `prompt`, parameters with a dash.',
    tags: [
      ['i', 'Hi', 'prompt'],
      ['param', 'top-k', '5'],
      ['param', 'max-tokens', '9'],
      ['param', 'top-p', '0.5'],
    ],
    value: { ...blank, inputs: [{ data: 'Hi', type: 'text' }], topK: 5, maxTokens: 9, topP: 0.5 },
  },
  {
    says: 'An input of two elements is text; a public content, a tag named by a url, a client, a second bid and blank parameters and an unknown receipt are ignored.',
    tags: [
      ['i', 'Hi'],
      ['wss://a.example', 'wss://b.example'],
      ['bid', '57000', '10000'],
      ['client', 'x'],
      ['param', 'range', '1', '2'],
      ['param', 'model'],
      ['receipt', 'paper'],
      ['param', 'seed', ''],
    ],
    content: 'NIP 90 Text Generation Request',
    value: { ...blank, inputs: [{ data: 'Hi', type: 'text' }], bidMsats: 57_000n },
  },
  {
    says: 'Terms that nobody knows, or that lack their number or verifier, or leave no part to buy, are no wish; the first that is one counts.',
    tags: [
      ['i', 'Hi', 'text'],
      ['terms', 'barter'],
      ['terms', 'parts', '65'],
      ['terms', 'parts', '4', '4'],
      ['terms', 'escrow', 'somebody'],
      ['terms', 'hold', 'on'],
      ['terms', 'after'],
    ],
    value: { ...blank, inputs: [{ data: 'Hi', type: 'text' }], terms: { word: 'hold' } },
  },
  {
    says: 'A marker in the place of the relay.',
    tags: [['i', key, 'job', 'background']],
    value: { ...blank, inputs: [{ data: key, type: 'job', marker: 'background' }] },
  },
  {
    says: 'A level that there is not, a wish in words and a blank list of tools are not said.',
    tags: [
      ['i', 'Hi', 'text'],
      ['param', 'privacy', '4'],
      ['param', 'partial', 'please'],
      ['param', 'parallel_tool_calls', 'maybe'],
      ['param', 'tools', ''],
    ],
    value: { ...blank, inputs: [{ data: 'Hi', type: 'text' }] },
  },
  {
    says: 'A schema with names that reach a prototype loses them; the same tools twice are said once.',
    tags: [
      ['i', 'Hi', 'text'],
      ['param', 'response_format', 'json_schema', '{"type":"object","__proto__":{"x":1},"constructor":7}'],
      ['param', 'tools', '[{"name":"a","strict":true}]'],
      ['param', 'tools', '[{"name":"a"}]'],
    ],
    value: {
      ...{ ...blank, inputs: [{ data: 'Hi', type: 'text' }], tools: [{ name: 'a' }] },
      responseFormat: { type: 'json_schema', schema: { type: 'object' } },
    },
  },
  {
    says: 'nostr-dvm and NDK: everything but the provider is sealed; hidden `p` and `e` count for nothing.',
    tags: [['p', key], ['encrypted']],
    content: 'ciphertext',
    opened: `[["i","Hi","text"],["param","temperature","0"],["relays","wss://relay.example/"],["bid","1000"],["p","${'0'.repeat(64)}"]]`,
    value: {
      ...blank,
      inputs: [{ data: 'Hi', type: 'text' }],
      temperature: 0,
      relays: ['wss://relay.example'],
      bidMsats: 1_000n,
      providers: [key],
    },
  },
  {
    says: 'elisym: bare text in the ciphertext, a placeholder in public.',
    tags: [
      ['i', 'encrypted', 'text'],
      ['p', key],
      ['encrypted', 'nip44'],
    ],
    content: 'ciphertext',
    opened: 'Hi there',
    value: { ...blank, inputs: [{ data: 'Hi there', type: 'text' }], providers: [key] },
  },
]

const hi = ['i', 'Hi', 'text']
/** One bad tag beside a good input. */
const beside = (breaks: string, says: string, ...tag: string[]): BadSample => ({ breaks, says, tags: [hi, tag] })
const param = (breaks: string, says: string, ...values: string[]): BadSample =>
  beside(breaks, says, 'param', breaks, ...values)

export const bad: readonly BadSample[] = [
  { breaks: 'input', says: 'Nothing to work on.', tags: [['param', 'model', 'nano']] },
  { breaks: 'i', says: 'An unknown type of input.', tags: [['i', 'Hi', 'smell']] },
  { breaks: 'i', says: 'A url of another scheme.', tags: [['i', 'file:///etc/passwd', 'url']] },
  { breaks: 'i', says: 'A job that is no id.', tags: [['i', 'the last one', 'job']] },
  {
    breaks: 'messages',
    says: 'A conversation that is none.',
    tags: [['i', '{"role":"user"}', 'text', '', 'messages']],
  },
  {
    breaks: 'i',
    says: 'Sixty-five inputs.',
    tags: Array.from({ length: 65 }, () => ['i', 'Hi', 'text']),
  },
  {
    breaks: 'messages',
    says: 'Two conversations.',
    tags: [
      ['i', '[{"role":"user","content":"Hi"}]', 'text', '', 'messages'],
      ['i', '[{"role":"user","content":"Ho"}]', 'text', '', 'messages'],
    ],
  },
  {
    breaks: 'messages',
    says: 'The answer of a tool that does not say which call it answers.',
    tags: [['i', '[{"role":"tool","content":"Rain."}]', 'text', '', 'messages']],
  },
  {
    breaks: 'messages',
    says: 'An unknown role.',
    tags: [['i', '[{"role":"root","content":"Hi"}]', 'text', '', 'messages']],
  },
  {
    breaks: 'model',
    says: 'Two models.',
    tags: [
      ['i', 'Hi', 'text'],
      ['param', 'model', 'a'],
      ['param', 'model', 'b'],
    ],
  },
  param('max_tokens', 'No tokens.', '0'),
  param('temperature', 'Too hot.', '99'),
  param('temperature', 'Not a number.', 'NaN'),
  param('top_p', 'More than all.', '1.5'),
  beside('top_k', 'Below none.', 'param', 'top-k', '-1'),
  param('frequency_penalty', 'Out of range.', '3'),
  param('seed', 'A fraction.', '1.5'),
  param('stop', 'Nothing to stop at.', 'END', ''),
  param('stop', 'Seventeen texts to stop at.', ...Array.from({ length: 17 }, (_, at) => `${at}`)),
  param('presence_penalty', 'Out of range.', '-2.5'),
  param('tools', 'A tool without a name.', '[{"description":"x"}]'),
  param('tools', 'Two tools of one name.', '[{"name":"a"},{"name":"a"}]'),
  param('tools', 'A name with a blank.', '[{"name":"a b"}]'),
  param('tools', 'No tool.', '[]'),
  param('tool_choice', 'A word that is none.', 'maybe'),
  param('tool_choice', 'A function without a name.', 'function'),
  param('response_format', 'A form that is none.', 'xml'),
  param('response_format', 'A schema that is a list.', 'json_schema', '[]'),
  param('logprobs', 'Too many.', '21'),
  beside('bid', 'Money with an underscore.', 'bid', '100_000'),
  beside('p', 'An npub in a tag.', 'p', 'npub1xyz'),
  beside('expiration', 'A date in words.', 'expiration', 'tomorrow'),
  {
    breaks: 'opened',
    says: 'Tags that are no strings.',
    tags: [['p', key], ['encrypted']],
    content: 'ciphertext',
    opened: '[["i",1]]',
  },
]
