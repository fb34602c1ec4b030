/**
 * Kind 6050: the generated text that a 5050 asked for.
 * @module
 */
import { readTextResult, resultFields, writeTextResult } from './answers.ts'
import { defineKind } from './define.ts'

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const bolt11 = 'lnbcrt210n1pj75judpp5gcag9vwctv2snc08vxa4xxegpvjyjhfn0mn9wg7sj39866vgswvs'

/** Text generation result (NIP-90 kind 6050). */
export const textResult = defineKind({
  number: 6050,
  name: 'text generation result',
  says: 'The whole text. It ends the job; with an amount it is a bill too (pay after).',
  source: 'NIP-90; data-vending-machines kind 5050',
  fields: resultFields,
  content: 'The text, or its ciphertext.',
  rules: {},
  seal: 'content',
  read: readTextResult,
  write: writeTextResult,
  good: [
    { says: 'Free or paid before.', value: { job, customer: key, text: 'Rayleigh scattering.' } },
    {
      says: 'All there is to say, and a bill.',
      value: {
        job,
        customer: key,
        request: `{"id":"${job}"}`,
        text: 'Rayleigh scattering.',
        msats: 21_000n,
        bolt11,
        model: 'nano',
        usage: { promptTokens: 6, outputTokens: 4 },
        digest: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
        status: 'success',
      },
    },
    { says: 'An empty answer is an answer.', value: { job, customer: key, text: '' } },
    {
      says: 'Sealed under the preimage of a held payment.',
      value: {
        job,
        customer: key,
        text: 'AAECAwQFBgcICQoL3q2+796tvu/erb7v3q2+796tvu8=',
        sealedUnder: {
          hash: '463a82b1d85b1509e1e761bb531b280b24495d337ee65723d094a7d69888390e',
          digest: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
        },
      },
    },
    {
      says: 'Metered: the answer reached the limit, and what was paid beyond it is kept for the customer.',
      value: {
        ...{ job, customer: key, text: 'one two', model: 'nano', usage: { promptTokens: 6, outputTokens: 2 } },
        ...{ finish: 'length', creditMsats: 1_250n },
      },
    },
    {
      says: 'Tools are to be called; sealed, nothing but job and customer is public.',
      value: {
        ...{
          job,
          customer: key,
          text: '{"toolCall":{"index":0,"id":"c1","name":"time","arguments":"{}"}}\n',
          msats: 7n,
        },
        ...{ bolt11, model: 'nano', finish: 'tool-calls', status: 'success', hidden: true },
      },
    },
    { says: 'Too large for an event.', value: { job, customer: key, text: '', finish: 'stop', chunked: key } },
  ],
  dialects: [
    {
      says: 'nostr-dvm: the customer twice, relays and inputs repeated, a request in Python spelling, no amount.',
      tags: [
        ['request', `{'id': '${job}'}`],
        ['e', job],
        ['p', key],
        ['status', 'success'],
        ['relays', 'wss://a.example'],
        ['i', 'Hi', 'text'],
        ['p', key],
      ],
      content: 'Hello',
      value: { job, customer: key, text: 'Hello', status: 'success' },
    },
    {
      says: 'rust-nostr: amount "0" is no bill.',
      tags: [
        ['i', 'Hi', 'text'],
        ['e', job],
        ['p', key],
        ['amount', '0'],
      ],
      content: 'Hello',
      value: { job, customer: key, text: 'Hello' },
    },
    {
      says: 'NDK: five fields in `e`, the provider named before the customer.',
      tags: [
        ['e', job, 'wss://a.example', 'job', key],
        ['p', '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'],
        ['p', key],
      ],
      content: 'Hello',
      value: { job, customer: key, text: 'Hello' },
    },
    {
      says: 'Sealed: the bare text is in the ciphertext.',
      tags: [['encrypted'], ['p', key], ['e', job]],
      content: 'ciphertext',
      opened: 'Hello',
      value: { job, customer: key, text: 'Hello' },
    },
    {
      says: 'Sealed under a preimage and to the customer, with hash and digest in public.',
      tags: [['encrypted'], ['p', key], ['e', job], ['sealed-under', job, key]],
      content: 'ciphertext',
      opened: 'AAAA',
      value: { job, customer: key, text: 'AAAA', sealedUnder: { hash: job, digest: key } },
    },
    {
      says: 'A mark of sealing under a preimage without hash and digest says nothing.',
      tags: [['encrypted'], ['p', key], ['e', job], ['sealed-under']],
      content: 'ciphertext',
      opened: `${job} Hello`,
      value: { job, customer: key, text: `${job} Hello` },
    },
    {
      says: 'Hidden tags: a text of more lines, a customer and a job in the ciphertext count for nothing.',
      tags: [['encrypted'], ['hidden'], ['p', key], ['e', job]],
      content: 'ciphertext',
      opened: `[["model","nano"],["usage","1","2"],["p","${job}"],["e","${key}"],["credit","9"],["hidden"]]\nHello\n\nyou`,
      value: {
        ...{ job, customer: key, text: 'Hello\n\nyou', model: 'nano', usage: { promptTokens: 1, outputTokens: 2 } },
        ...{ creditMsats: 9n, hidden: true },
      },
    },
    {
      says: 'A mark of hidden tags without any, an unknown end, a credit in words and a manifest that is no id say nothing.',
      tags: [
        ...[['encrypted'], ['hidden'], ['p', key], ['e', job]],
        ...[
          ['finish', 'tired'],
          ['credit', 'some'],
          ['chunked', 'yes'],
        ],
      ],
      content: 'ciphertext',
      opened: '[1]\nHello',
      value: { job, customer: key, text: '[1]\nHello', hidden: true },
    },
    {
      says: 'Money with an underscore and a lightning address is unknown money.',
      tags: [
        ['e', job],
        ['p', key],
        ['amount', '100_000', 'botlab@zeuspay.com'],
      ],
      content: 'Hello',
      value: { job, customer: key, text: 'Hello' },
    },
  ],
  bad: [
    { breaks: 'e', says: 'No job.', tags: [['p', key]] },
    {
      breaks: 'e',
      says: 'A job that is no id.',
      tags: [
        ['e', ''],
        ['p', key],
      ],
    },
    { breaks: 'p', says: 'No customer.', tags: [['e', job]] },
    {
      breaks: 's',
      says: 'A status on a result kind.',
      tags: [
        ['s', 'payment-required', 'Failed'],
        ['e', job],
        ['p', key],
      ],
    },
  ],
})
