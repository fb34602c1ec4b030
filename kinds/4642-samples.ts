/**
 * Samples of kind 4642.
 * @module
 */
import type { FaultVerdict } from './4642-fault-verdict.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'
import { spoiled } from './spoiled.ts'

const evidence = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const accused = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'

export const good: readonly GoodSample<FaultVerdict>[] = [
  {
    says: 'Nothing in it.',
    value: {
      evidence,
      accused,
      rule: 'E3',
      proven: false,
      penalty: 0n,
      says: 'The invoice is the one that was quoted.',
    },
  },
  { says: 'Proven.', value: { evidence, accused, rule: 'E1', proven: true, penalty: 500n, says: '' } },
]

const tags = [
  ['e', evidence],
  ['p', accused],
  ['rule', 'E1'],
  ['verdict', 'proven'],
  ['penalty', '0'],
]

export const dialects: readonly Dialect<FaultVerdict>[] = [
  {
    says: 'A rule that we do not know, and a long reason, which is cut.',
    tags: [...tags.slice(0, 2), ['rule', 'X-7'], ...tags.slice(3)],
    content: 'for '.repeat(300),
    value: { evidence, accused, rule: 'X-7', proven: true, penalty: 0n, says: 'for '.repeat(300).slice(0, 1_024) },
  },
]

const spoil = spoiled(tags)

export const bad: readonly BadSample[] = [
  spoil('e', 'On nothing.', { drop: 'e' }),
  spoil('p', 'Against nobody.', { drop: 'p' }),
  spoil('rule', 'By no rule.', { drop: 'rule' }),
  spoil('verdict', 'Perhaps.', { drop: 'verdict', add: [['verdict', 'likely']] }),
  spoil('verdict', 'Both.', { add: [['verdict', 'unproven']] }),
  spoil('penalty', 'Everything.', { drop: 'penalty', add: [['penalty', 'all']] }),
  {
    breaks: 'unproven',
    says: 'Taken for nothing.',
    tags: [...tags.slice(0, 3), ['verdict', 'unproven'], ['penalty', '5']],
  },
]
