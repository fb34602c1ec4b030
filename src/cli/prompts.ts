/**
 * Questions as people ask them, from a seed: trials must look like everybody else's jobs.
 * @module
 */
import type { Message } from '../../kinds/index.ts'
import { sha256Hex } from '../hash.ts'
import { openDice } from '../routing/index.ts'

export interface Prompt {
  readonly messages: readonly Message[]
  readonly maxTokens: number
}

const things = [
  ...[
    'solar panels',
    'sourdough bread',
    'black holes',
    'compound interest',
    'the water cycle',
    'public key cryptography',
  ],
  ...['chess openings', 'bicycle gears', 'the French Revolution', 'photosynthesis', 'inflation', 'house plants'],
  ...[
    'jet lag',
    'coffee roasting',
    'the moons of Jupiter',
    'unit tests',
    'migraines',
    'the Silk Road',
    'DNS',
    'volcanoes',
  ],
  ...[
    'espresso machines',
    'electric cars',
    'antibiotics',
    'the stock market',
    'tides',
    'neural networks',
    'beekeeping',
  ],
  ...[
    'noise cancelling',
    'vaccines',
    'the Roman senate',
    'fermentation',
    'GPS',
    'mortgages',
    'kites',
    'glaciers',
    'jazz',
  ],
]
const people = [
  'a ten year old',
  'a beginner',
  'my grandmother',
  'an engineer',
  'somebody in a hurry',
  'a student',
  'me',
]
const places = ['Lisbon', 'Kyoto', 'Montreal', 'Cape Town', 'Oslo', 'Mexico City', 'Vienna', 'Seoul', 'Nairobi', 'Lima']
const forms = [
  'a haiku',
  'a short poem',
  'a limerick',
  'a product description',
  'a tweet',
  'a two line joke',
  'a headline',
]
const events = [
  'a birthday',
  'a rainy sunday',
  'a team offsite',
  'a first date',
  'a garden party',
  'a school trip',
  'new year',
]
const names = [
  'Maria',
  'Tom',
  'Aisha',
  'Jonas',
  'Mei',
  'Pavel',
  'Sofia',
  'Omar',
  'Ines',
  'Ken',
  'Lucia',
  'Dan',
  'Priya',
]
const tongues = ['French', 'German', 'Spanish', 'Italian', 'Portuguese', 'Dutch', 'Polish', 'Swedish']
const codes = ['Python', 'TypeScript', 'Go', 'Rust', 'bash', 'SQL', 'Java']
const chores = [
  ...['reverses a list', 'counts the words in a file', 'checks whether a year is a leap year', 'sums the even numbers'],
  ...['finds duplicates', 'parses a date', 'sorts people by age', 'removes empty lines', 'computes a moving average'],
]
const deeds = [
  ...['forgot the keys at home', 'missed the last train', 'is coming for dinner on friday', 'sold the old car'],
  ...[
    'wants to move in spring',
    'has not answered my mail',
    'found a kitten in the garage',
    'starts a new job on monday',
  ],
]
const reasons = [
  ...[
    'because the meeting took too long',
    'and nobody is surprised',
    'so we should change the plan',
    'as far as I know',
  ],
  ...['although the weather was fine', 'and asked me for advice', 'which is a pity', 'again'],
]
const systems = [
  ...['You are a helpful assistant.', 'Answer briefly.', 'You are a friendly teacher.', 'Reply in plain English.'],
  ...['You are an expert editor.', 'Be concise and accurate.'],
]
const lengths = [32, 48, 64, 64, 80, 100, 100, 128, 128, 150, 200, 256]

/** The question of a seed, 64 hex digits: the same one each time. */
export function promptOf(seed: string): Prompt {
  const dice = openDice(seed, sha256Hex('prompt'))
  const upTo = (most: number): number => Math.floor(dice.next() * most)
  const one = (list: readonly string[]): string => list[upTo(list.length)] ?? ''
  const sentence = () => `${one(names)} ${one(deeds)} ${one(reasons)}.`
  const story = () => Array.from({ length: 1 + upTo(4) }, sentence).join(' ')
  const count = () => 2 + upTo(9)
  const kinds: readonly (() => string)[] = [
    () => `Explain ${one(things)} to ${one(people)}.`,
    () => `What is the difference between ${one(things)} and ${one(things)}?`,
    () => `How do ${one(things)} work?`,
    () => `Write ${one(forms)} about ${one(things)}.`,
    () => `Give me ${count()} ideas for ${one(events)} in ${one(places)}.`,
    () => `What should I see in ${one(places)} in ${count()} days?`,
    () => `Translate to ${one(tongues)}: ${sentence()}`,
    () => `Summarize in one sentence: ${story()}`,
    () => `Correct the grammar of this text: ${story().toLowerCase()}`,
    () => `Write a ${one(codes)} function that ${one(chores)}.`,
    () => `What is ${11 + upTo(980)} times ${3 + upTo(96)}?`,
    () => `Write a short mail to ${one(names)}, who ${one(deeds)}.`,
    () => `List ${count()} facts about ${one(things)}.`,
    () => `Is it true that ${one(things)} are less important than ${one(things)}? Why?`,
    () => `Continue the story: ${story()}`,
  ]
  /** Some write without capitals or full stops, some are polite. */
  const typed = (text: string): string => {
    const habit = upTo(6)
    if (habit === 0) return text.toLowerCase().replace(/[.?]$/, '')
    if (habit === 1) return `${one(['Hi! ', 'Please help: ', 'Hello, ', 'Quick question: '])}${text}`
    return habit === 2 ? `${text} ${one(['Thanks!', 'Keep it short.', 'Use simple words.', 'No lists please.'])}` : text
  }
  const question = () => typed((kinds[upTo(kinds.length)] ?? sentence)())
  const messages: Message[] = []
  if (upTo(4) === 0) messages.push({ role: 'system', content: one(systems) })
  if (upTo(5) === 0)
    messages.push({ role: 'user', content: question() }, { role: 'assistant', content: `${sentence()} ${sentence()}` })
  messages.push({ role: 'user', content: question() })
  return { messages, maxTokens: lengths[upTo(lengths.length)] ?? 64 }
}
