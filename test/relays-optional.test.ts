/** The optional drivers are held to their own lists of what they do not keep. */
import { beforeAll, describe, expect, test } from 'vitest'
import { NDK_BREAKS } from '../relays/ndk.ts'
import { importDriver } from '../relays/optional.ts'
import { RELAYPOOL_BREAKS } from '../relays/relaypool.ts'
import { measureDriver } from './relays-measure.ts'
import { findingsSuite } from './suites/relays.ts'
import type { Finding } from './suites/relays-findings.ts'

const found: Record<'ndk' | 'relaypool', Finding[]> = { ndk: [], relaypool: [] }

beforeAll(async () => {
  ;[found.ndk, found.relaypool] = await Promise.all([measureDriver('ndk'), measureDriver('relaypool')])
}, 60_000)

findingsSuite('ndk', NDK_BREAKS, () => found.ndk)
findingsSuite('relaypool', RELAYPOOL_BREAKS, () => found.relaypool)

describe('a package that is missing', () => {
  test('the error says how to install it', async () => {
    const missing = importDriver('some-pool', '1.2.3', () => Promise.reject(new Error('ERR_MODULE_NOT_FOUND')))
    await expect(missing).rejects.toThrow('npm install some-pool@1.2.3')
  })
})
