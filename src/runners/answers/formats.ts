/**
 * Forms of strings that a JSON schema may ask for: how each is written as a grammar and known again.
 * @module
 */

/** One form: its body in GBNF, the pattern of the same strings, and the plainest of them. */
export interface Format {
  readonly grammar: string
  readonly pattern: RegExp
  readonly sample: string
}

const day = '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])'
const dayPattern = '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\\d|2[0-8])'
const hour = '("0" [0-9] | "1" [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,3})?'
const hourPattern = '([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,3})?'
const byte = '("25" [0-5] | "2" [0-4] [0-9] | "1" [0-9] [0-9] | [1-9]? [0-9])'
const bytePattern = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'

/** The forms that can be kept. Days end at the 28th, so that every one of them exists. */
export const formats: ReadonlyMap<string, Format> = new Map([
  ['date', { grammar: day, pattern: new RegExp(`^${dayPattern}$`), sample: '2000-01-01' }],
  ['time', { grammar: `${hour} "Z"`, pattern: new RegExp(`^${hourPattern}Z$`), sample: '00:00:00Z' }],
  [
    'date-time',
    {
      grammar: `${day} "T" ${hour} "Z"`,
      pattern: new RegExp(`^${dayPattern}T${hourPattern}Z$`),
      sample: '2000-01-01T00:00:00Z',
    },
  ],
  [
    'uuid',
    {
      grammar: '[0-9a-f]{8} "-" [0-9a-f]{4} "-" "4" [0-9a-f]{3} "-" [89ab] [0-9a-f]{3} "-" [0-9a-f]{12}',
      pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      sample: '00000000-0000-4000-8000-000000000000',
    },
  ],
  [
    'email',
    {
      grammar: '[a-z0-9] [a-z0-9_]{0,30} ("." [a-z0-9_]{1,30}){0,2} "@" [a-z0-9]{1,30} ("." [a-z0-9]{2,12}){1,3}',
      pattern: /^[a-z0-9][a-z0-9_]{0,30}(\.[a-z0-9_]{1,30}){0,2}@[a-z0-9]{1,30}(\.[a-z0-9]{2,12}){1,3}$/,
      sample: 'a@a.aa',
    },
  ],
  [
    'ipv4',
    {
      grammar: `${byte} ("." ${byte}){3}`,
      pattern: new RegExp(`^${bytePattern}(\\.${bytePattern}){3}$`),
      sample: '0.0.0.0',
    },
  ],
])
