/**
 * The list of this room: one line per kind.
 * @module
 */
import { textRequest } from './5050-text-generation.ts'
import { textResult } from './6050-text-generation.ts'
import { feedback } from './7000-feedback.ts'
import type { Definition } from './define.ts'

export { messagesOf, type TextRequest, textRequest } from './5050-text-generation.ts'
export { textResult } from './6050-text-generation.ts'
export { type Feedback, type FeedbackStatus, feedback } from './7000-feedback.ts'
export { jobIdOf, type TextResult } from './answers.ts'
export type { Definition, Rule } from './define.ts'
export {
  about,
  addressedTo,
  addressees,
  authTemplate,
  committedPow,
  expirationOf,
  identifierOf,
  kindClass,
  offering,
  ofKinds,
  type Question,
  referencesOf,
  relaysOf,
  resultKind,
} from './envelope.ts'
export { type Input, type Message, messagesInput, textInput } from './inputs.ts'
export { parseEvent } from './json.ts'
export { type Encrypt, type Event, isSealed, type Kind, type Read, type Refusal, type Template } from './kind.ts'
export { schemeOf, sealContent, sealTags } from './seal.ts'
export { relayUrl } from './values.ts'

/** Every kind of the house. */
export const kinds: readonly Definition<unknown>[] = [textRequest, textResult, feedback]
