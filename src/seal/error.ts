/**
 * What can be wrong with a sealed text.
 * @module
 */

/**
 * `too-long`, `empty`, `not-text`: the text may not be sealed. `too-long`, `version`, `malformed`, `mac`, `padding`:
 * the payload cannot be opened. `peer`: the other's public key is none.
 */
export type SealCode = 'too-long' | 'empty' | 'not-text' | 'version' | 'malformed' | 'mac' | 'padding' | 'peer'

/** Never holds a plaintext, a payload or a key. */
export class SealError extends Error {
  readonly code: SealCode
  constructor(code: SealCode, says: string) {
    super(says)
    this.name = 'SealError'
    this.code = code
  }
}
