/**
 * For samples: a good event with one thing spoiled.
 * @module
 */
import type { Tag } from './fields.ts'
import type { BadSample } from './spec.ts'

type Spoil = (
  breaks: string,
  says: string,
  how: { drop?: string | number; add?: readonly Tag[]; content?: string },
) => BadSample

/** Spoils these tags: leaves out all of a name (or one by its place), then adds others. */
export const spoiled =
  (tags: readonly Tag[], sound = ''): Spoil =>
  (breaks, says, { drop, add = [], content = sound }) => ({
    breaks,
    says,
    tags: [...tags.filter((tag, at) => tag[0] !== drop && at !== drop), ...add],
    ...(content === '' ? {} : { content }),
  })
