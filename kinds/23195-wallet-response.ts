/**
 * Kind 23195: a wallet answers a request.
 * @module
 */
import { defineKind, ok } from './define.ts'
import { one } from './fields.ts'
import { isRecord } from './json.ts'
import { hex } from './values.ts'
import { readBody, recordOr } from './wallets.ts'

/** A wallet response (NIP-47), opened. Exactly one of `error` and `result` is not null. */
export interface WalletResponse {
  readonly client: string
  /** Id of the request event. */
  readonly request: string
  readonly body: {
    readonly result_type: string
    readonly error: { readonly code: string; readonly message: string } | null
    readonly result: Readonly<Record<string, unknown>> | null
  }
}

const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const request = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const answer = (opened: string) => ({
  tags: [
    ['p', key],
    ['e', request],
  ],
  content: 'ciphertext',
  opened,
})

const faultOf = (error: unknown): WalletResponse['body']['error'] => {
  if (error === null || error === undefined) return null
  // Whatever stands there, it is not the word of a wallet that succeeded.
  if (!isRecord(error)) return { code: 'OTHER', message: typeof error === 'string' ? error : '' }
  const { code, message } = error
  return { code: typeof code === 'string' ? code : 'OTHER', message: typeof message === 'string' ? message : '' }
}

/** Wallet response (NIP-47 kind 23195, ephemeral, always ciphertext). */
export const walletResponse = defineKind({
  number: 23_195,
  name: 'wallet response',
  says: 'What became of a wallet request. Silence is no answer: ask again with a lookup, never pay again.',
  source: 'NIP-47',
  fields: {
    client: one('p', hex('<client pubkey>'), 'Who asked.', 'Exactly one client is named by 64 lower-case hex digits.'),
    request: one(
      'e',
      hex('<request id>'),
      'What was asked.',
      'Exactly one request is named by 64 lower-case hex digits.',
    ),
  },
  content: 'The ciphertext of JSON `{result_type, error, result}`; states in capitals are read in small letters.',
  rules: {
    body: 'The opened content is a JSON object with a `result_type` and either an object `error` or an object `result`.',
  },
  seal: 'content',
  read({ client, request: asked }, { content, refuse }) {
    const body = readBody(content)
    const type = body?.['result_type']
    const error = faultOf(body?.['error'])
    const result = error ? {} : recordOr(body?.['result'])
    if (!body || typeof type !== 'string' || !result) return refuse('body')
    if (!error && !isRecord(body['result'])) return refuse('body')
    return ok({ client, request: asked, body: { result_type: type, error, result: error ? null : result } })
  },
  write: ({ client, request: asked, body }: WalletResponse) => ({
    fields: { client, request: asked },
    content: JSON.stringify(body),
  }),
  good: [
    {
      says: 'Paid.',
      value: {
        client: key,
        request,
        body: { result_type: 'pay_invoice', error: null, result: { preimage: request, fees_paid: 1 } },
      },
    },
    {
      says: 'Refused.',
      value: {
        client: key,
        request,
        body: {
          result_type: 'pay_invoice',
          error: { code: 'QUOTA_EXCEEDED', message: 'Enough for today.' },
          result: null,
        },
      },
    },
  ],
  dialects: [
    {
      says: 'Alby Hub: no null members, a state in capitals.',
      ...answer('{"result_type":"lookup_invoice","result":{"state":"SETTLED","amount":5000}}'),
      value: {
        client: key,
        request,
        body: { result_type: 'lookup_invoice', error: null, result: { state: 'settled', amount: 5_000 } },
      },
    },
  ],
  bad: [
    {
      breaks: 'p',
      says: 'For nobody.',
      tags: [['e', request]],
      content: 'ciphertext',
      opened: '{"result_type":"x","result":{}}',
    },
    {
      breaks: 'e',
      says: 'To nothing.',
      tags: [['p', key]],
      content: 'ciphertext',
      opened: '{"result_type":"x","result":{}}',
    },
    { breaks: 'body', says: 'Neither error nor result.', ...answer('{"result_type":"pay_invoice"}') },
    { breaks: 'body', says: 'No type.', ...answer('{"result":{}}') },
  ],
})
