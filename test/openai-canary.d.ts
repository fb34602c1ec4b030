/** What the tests use of a package that says nothing of its types. */
declare module 'compatcanary' {
  export function scanEndpoint(options: {
    readonly baseUrl: string
    readonly model: string
    readonly profile?: string
    readonly apiKey?: string
    readonly timeoutMs?: number
  }): Promise<{
    readonly score: number
    readonly compatible: boolean
    readonly results: readonly {
      readonly id: string
      readonly status: 'pass' | 'warn' | 'fail'
      readonly summary: string
    }[]
  }>
}
