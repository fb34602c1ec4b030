/**
 * Named facts of other rooms in a journal's file.
 * @module
 */
import type { SQLInputValue } from 'node:sqlite'
import { decode, encode } from './codec.ts'
import type { Plain, Shelf } from './journal.ts'
import { type Pages, table } from './pages.ts'
import { checkKeys } from './rules.ts'

const PAGE = 200
const LAST_CHARACTER = 0x10ffff

/** The first text after all that begin with `prefix`, as UTF-8 counts, or `undefined` when there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const letters = [...prefix]
  while (letters.length > 0) {
    const code = letters.pop()?.codePointAt(0) ?? LAST_CHARACTER
    if (code === LAST_CHARACTER) continue
    // Surrogates are no characters.
    return letters.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1)
  }
  return undefined
}

/** The shelves of the open file. */
export function shelvesOf(pages: Pages): (name: string) => Shelf {
  const rows = table(pages, 'shelves', ['shelf', 'key', 'body'])
  const sizes = new Map<string, number>()
  pages.onUndone(() => sizes.clear())
  const count = (shelf: string) =>
    Number(pages.prepare('SELECT count(*) AS v FROM shelves WHERE shelf = ?').get(shelf)?.['v'])

  return shelf => {
    checkKeys(shelf)
    const find = (key: string) => rows.row('shelf = ? AND key = ?', shelf, key)
    const grow = (by: number) => {
      const size = sizes.get(shelf)
      if (size !== undefined) sizes.set(shelf, size + by)
    }
    const add = (key: string, body: string) => {
      rows.insert({ shelf, key, body })
      grow(1)
    }
    const page = (prefix: string, after: number) => {
      const end = afterPrefix(prefix)
      const bounds: [string, SQLInputValue][] = []
      if (prefix !== '') bounds.push(['AND key >= ?', prefix])
      if (prefix !== '' && end !== undefined) bounds.push(['AND key < ?', end])
      const where = `shelf = ? AND n > ? ${bounds.map(([text]) => text).join(' ')} ORDER BY n LIMIT ${PAGE}`
      return pages.read(() => rows.rows(where, shelf, after, ...bounds.map(([, value]) => value)))
    }
    return {
      get: key =>
        pages.read(() => {
          const row = find(key)
          return row && decode(String(row.body))
        }),
      set(key, value, weight = 'money') {
        checkKeys(key)
        const body = encode(value)
        pages.write(weight, () => {
          const row = find(key)
          if (row) rows.update(row.n, { shelf, key, body })
          else add(key, body)
        })
      },
      claim(key, value, weight = 'money') {
        checkKeys(key)
        const body = encode(value)
        return pages.write(weight, () => {
          if (find(key)) return false
          add(key, body)
          return true
        })
      },
      delete(key, weight = 'money') {
        pages.write(weight, () => {
          const row = find(key)
          if (!row) return
          rows.remove(row.n)
          grow(-1)
        })
      },
      *entries(prefix = '') {
        for (let after = 0; ; ) {
          const some = page(prefix, after)
          for (const row of some) yield [String(row.key), decode(String(row.body)) as Plain] as const
          const last = some.at(-1)
          if (!last || some.length < PAGE) return
          after = last.n
        }
      },
      get size() {
        return pages.read(() => {
          const known = pages.readOnly ? undefined : sizes.get(shelf)
          const size = known ?? count(shelf)
          sizes.set(shelf, size)
          return size
        })
      },
    }
  }
}
