/**
 * Sealing the NIP-90 way: private tags or the bare content move into ciphertext for one reader, the rest stays public
 * so that the event finds its way.
 * @module
 */
import { isTagList, parseJson } from './json.ts'
import type { Encrypt, Template } from './kind.ts'

type Tag = readonly string[]

/** Kinds whose content is ciphertext by definition, so that no `encrypted` tag marks it (NIP-59, NIP-47). */
export const alwaysSealed: ReadonlySet<number> = new Set([21_059, 23_194, 23_195, 23_197])

/** What stays outside the ciphertext. `routing` and `quote` name public events, and bind a job to them for all to see. */
export const publicTags: ReadonlySet<string> = new Set([
  ...['p', 'e', 'relays', 'expiration', 'nonce', '-'],
  ...['routing', 'quote'],
])
const digests = new Set(['i', 'x'])
/** A digest would confirm a guess of the text, a payment hash would tell the hops of the payment what it was for. */
const underTag = 'sealed-under'

/**
 * Moves every private tag, and the content as `["content", text]`, into the ciphertext of a JSON tag list.
 * Public stay `p`, `e`, `relays`, `expiration`, `nonce`, `routing` and `quote`. For requests and feedback.
 */
export function sealTags(template: Template, encrypt: Encrypt): Template {
  const open = template.tags.filter(tag => publicTags.has(tag[0] ?? ''))
  const hidden = template.tags.filter(tag => !publicTags.has(tag[0] ?? ''))
  if (template.content !== '') hidden.push(['content', template.content])
  return { ...template, tags: [...open, ['encrypted']], content: encrypt(JSON.stringify(hidden)) }
}

/** Says that the tags of a result are in its ciphertext, before the text. */
export const hiddenTag = 'hidden'
const isHidden = (tags: readonly Tag[]): boolean => tags.some(tag => tag[0] === hiddenTag && tag.length === 1)

/**
 * Makes the content the ciphertext of the bare text and drops `i` and `x`, which would tell of it; the values of
 * `sealed-under` go before the text. With a tag `hidden` every private tag goes before the text, as one line of JSON.
 * For all other kinds.
 */
export function sealContent(template: Template, encrypt: Encrypt): Template {
  if (alwaysSealed.has(template.kind)) return { ...template, content: encrypt(template.content) }
  const kept = template.tags.filter(([name = '']) => !digests.has(name) && name !== 'encrypted' && name !== hiddenTag)
  if (isHidden(template.tags)) {
    const inside = JSON.stringify(kept.filter(([name = '']) => !publicTags.has(name)))
    const open = kept.filter(([name = '']) => publicTags.has(name))
    return {
      ...template,
      tags: [...open, [hiddenTag], ['encrypted']],
      content: encrypt(`${inside}\n${template.content}`),
    }
  }
  const under = kept.find(tag => tag[0] === underTag)
  const content = encrypt([...(under?.slice(1) ?? []), template.content].join(' '))
  const open = kept.filter(tag => tag[0] !== underTag)
  return { ...template, tags: [...open, ...(under ? [[underTag]] : []), ['encrypted']], content }
}

/** Puts back what `sealContent` took from the tags into the ciphertext. Hidden `p` and `e` never override. */
export function openContent(tags: readonly Tag[], opened: string): { tags: readonly Tag[]; content: string } {
  if (isHidden(tags)) {
    const end = opened.indexOf('\n')
    const inside = tagList(opened.slice(0, Math.max(end, 0)))
    if (inside) return { tags: [...tags, ...inside.filter(isPrivate)], content: opened.slice(end + 1) }
  }
  const hidden = /^([0-9a-f]{64}) ([0-9a-f]{64}) /.exec(opened)
  const at = tags.findIndex(tag => tag[0] === underTag && tag.length === 1)
  if (hidden === null || at < 0) return { tags, content: opened }
  const [prefix = '', hash = '', digest = ''] = hidden
  return { tags: tags.with(at, [underTag, hash, digest]), content: opened.slice(prefix.length) }
}

const isPrivate = ([name = '']: Tag): boolean => !['p', 'e', 'content', 'encrypted', hiddenTag].includes(name)

/** At most 200 string tags within 64 KiB. */
function tagList(text: string): string[][] | undefined {
  const list = parseJson(text, { chars: 65_536, depth: 2, nodes: 4_096 })
  return isTagList(list) && list.length <= 200 ? list : undefined
}

/**
 * Reads the opened content of a tag-sealed event. A text that is no JSON array is one bare text (elisym); an array that
 * is no list of at most 200 string tags within 64 KiB is `undefined`. Hidden `p` and `e` are left out: they never override.
 */
export function openTags(
  opened: string,
): { tags: readonly (readonly string[])[]; content: string } | { bare: string } | undefined {
  if (opened.length > 65_536) return undefined
  const list = parseJson(opened, { chars: 65_536, depth: 2, nodes: 4_096 })
  if (!Array.isArray(list)) return opened.trimStart().startsWith('[[') ? undefined : { bare: opened }
  if (!isTagList(list) || list.length > 200) return undefined
  return { tags: list.filter(isPrivate), content: list.find(tag => tag[0] === 'content')?.[1] ?? '' }
}

/** Which cipher a content looks like: NIP-44 version 2, NIP-04, or none of them. Says nothing about whether it opens. */
export function schemeOf(content: string): 'nip44' | 'nip04' | 'plain' {
  if (/^[A-Za-z0-9+/]+={0,2}\?iv=[A-Za-z0-9+/]{22}==$/.test(content)) return 'nip04'
  const base64 = content.length >= 132 && content.length % 4 === 0 && /^A[g-v][A-Za-z0-9+/]+={0,2}$/.test(content)
  return base64 ? 'nip44' : 'plain'
}
