/**
 * The suites of the relays room, for any driver: all plays as tests, or findings held against the driver's own list.
 * @module
 */
import { describe, expect, test } from 'vitest'
import { type Finding, NO_CRASH, playable, RELAY_PROMISES } from './relays-findings.ts'
import { type Cast, play } from './relays-stage.ts'

/** The suite for a driver that keeps every promise. */
export function relaySuite(name: string, cast: Cast): void {
  describe.concurrent(name, () => {
    for (const promise of playable(cast))
      test(`${promise.name}: ${promise.says}`, () => play(cast, stage => promise.play(stage)))
  })
}

/** Holds a driver to its own list: what is listed must break, everything else must hold. */
export function findingsSuite(name: string, breaks: Readonly<Record<string, string>>, findings: () => Finding[]): void {
  describe(name, () => {
    for (const { name: promise, says } of [...RELAY_PROMISES, NO_CRASH])
      test(`${promise in breaks ? 'breaks' : 'keeps'} ${promise}: ${says}`, () => {
        const finding = findings().find(one => one.promise === promise)
        expect(finding, 'was not played').toBeDefined()
        if (promise in breaks) expect(finding?.isKept, 'holds now: take it off the list').toBe(false)
        else expect(finding?.says).toBe('')
      })
    test('its list names only promises that there are', () => {
      const names = [...RELAY_PROMISES, NO_CRASH].map(one => one.name)
      expect(Object.keys(breaks).filter(one => !names.includes(one))).toEqual([])
    })
  })
}
