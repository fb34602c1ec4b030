/**
 * `npm run -s large [-- BYTES]`: ten megabytes there and ten back, paid, sealed and in wraps, with the relay killed in the middle of both
 * directions. Progress goes to stderr, the result is the last line of stdout; the exit status is 1 when anything was wrong.
 * @module
 */
import { playLarge } from './scene.ts'

const [said = String(10 * 1024 * 1024)] = process.argv.slice(2).filter(word => word !== '--json')
const bytes = Number(said)
if (!Number.isSafeInteger(bytes) || bytes < 1) {
  process.stderr.write(`"${said}" is no number of bytes: npm run -s large -- 10485760\n`)
  process.exit(2)
}
const rounds = []
let isGood = true
for (const privacy of [1, 2] as const)
  for (const kills of [false, true]) {
    const scene = await playLarge({ bytes, privacy, kills })
    const { outcome, sha256, ms, paid, earned } = scene
    const good = outcome.ok && sha256.got === sha256.expected && paid === earned && scene.kills === (kills ? 2 : 0)
    isGood &&= good
    const seconds = Object.fromEntries(Object.entries(ms).map(([name, value]) => [name, Math.round(value / 10) / 100]))
    rounds.push({ privacy, kept: outcome.privacy.level, kills: scene.kills, good, msats: Number(paid), seconds })
    const says = outcome.ok ? `sha256 ${sha256.got}` : `${outcome.code}: ${outcome.says}`
    process.stderr.write(
      `level ${privacy}, ${scene.kills} kills: ${good ? 'whole' : 'WRONG'} in ${seconds['whole']} s (sent ${seconds['sent']}, running ${seconds['running']}, answered ${seconds['delivered']}) ${says}\n`,
    )
  }
process.stdout.write(`${JSON.stringify({ ok: isGood, bytes, rounds })}\n`)
process.exitCode = isGood ? 0 : 1
