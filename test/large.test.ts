/** Ten megabytes there and ten back, paid, over a relay that is killed in the middle of both directions. */
import { expect, test } from 'vitest'
import { playLarge } from './large/scene.ts'

test.each([1, 2] as const)(
  '10 MB each way on level %i arrive whole, are paid once, and the relay was killed twice',
  async privacy => {
    const bytes = 10 * 1024 * 1024
    const { outcome, sha256, expected, kills, paid, earned } = await playLarge({ bytes, privacy, kills: true })
    expect([outcome.code, outcome.says]).toEqual([undefined, undefined])
    expect(outcome.text?.length).toBe(bytes)
    expect(sha256.got).toBe(sha256.expected)
    expect(outcome.text === expected).toBe(true)
    expect({ kills, paid, earned }).toEqual({ kills: 2, paid: 2_000n, earned: 2_000n })
    expect(outcome.privacy).toMatchObject({
      level: privacy,
      identity: { kind: 'one-job' },
      transport: { answers: privacy === 1 ? 'sealed' : 'wrapped' },
    })
    // Relays were asked to forget the chunks.
    expect(outcome.privacy.retention.relaysUntil === undefined).toBe(privacy === 1)
  },
  60_000,
)
