/**
 * Results whose text is JSON: all that is said of a result beside the text is the same for every kind of work.
 * @module
 */
import { readTextResult, resultFields, type TextResult, writeTextResult } from './answers.ts'
import { defineKind } from './define.ts'
import type { Definition, GoodSample } from './spec.ts'

interface Named {
  readonly number: number
  readonly name: string
  readonly says: string
  readonly source: string
  /** What the JSON is. */
  readonly content: string
  /** Sentence and JSON of each sample. */
  readonly samples: readonly (readonly [says: string, text: string])[]
}

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const customer = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const bill = { msats: 21_000n, bolt11: 'lnbcrt210n1pj75judpp5gcag9vwctv2snc08vxa4xxegpvjyjhfn0mn9wg7sj39866vgswvs' }

/** A kind of result. Its text stays text here: whoever asked reads it strictly. */
export const defineResult = ({ samples, content, ...named }: Named): Definition<TextResult> =>
  defineKind({
    ...named,
    fields: resultFields,
    content: `${content} Or its ciphertext.`,
    rules: {},
    seal: 'content',
    read: readTextResult,
    write: writeTextResult,
    good: [
      ...samples.map(([says, text]): GoodSample<TextResult> => ({ says, value: { job, customer, text } })),
      {
        says: 'A bill beside it, and what was counted.',
        value: {
          ...{ job, customer, ...bill, text: samples[0]?.[1] ?? '', model: 'tiny', status: 'success' },
          usage: { promptTokens: 12, outputTokens: 0 },
        },
      },
      {
        says: 'Sealed, with nothing but job and customer in public.',
        value: { job, customer, text: samples[0]?.[1] ?? '', model: 'tiny', finish: 'stop', hidden: true },
      },
    ],
    bad: [
      { breaks: 'e', says: 'No job.', tags: [['p', customer]] },
      { breaks: 'p', says: 'No customer.', tags: [['e', job]] },
      {
        breaks: 's',
        says: 'A status of another protocol.',
        tags: [
          ['s', 'done'],
          ['e', job],
          ['p', customer],
        ],
      },
    ],
  })
