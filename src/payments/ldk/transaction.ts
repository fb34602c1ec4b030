/**
 * The little of Bitcoin's transaction format that a made-up chain needs: write a funding transaction, read an id and
 * what is spent (BIP 144 serialisation).
 * @module
 */
import { createHash } from 'node:crypto'

/** Double SHA-256 in Bitcoin's internal byte order. */
export function hash256(bytes: Uint8Array): Uint8Array {
  const once = createHash('sha256').update(bytes).digest()
  return Uint8Array.from(createHash('sha256').update(once).digest())
}

/**
 * A segwit transaction with one output of `sats` to `script`. It spends `coin` (32 bytes id and index), which need not
 * exist: the chain of this folder checks double spends and nothing else. The witness is one dummy byte, because LDK
 * refuses a funding transaction that could be malleated.
 */
export function fundingTransaction(script: Uint8Array, sats: bigint, coin: Uint8Array): Uint8Array {
  const value = Buffer.alloc(8)
  value.writeBigUInt64LE(sats)
  return Uint8Array.from(
    Buffer.concat([
      Uint8Array.of(2, 0, 0, 0, 0, 1), // version 2, segwit marker and flag
      Uint8Array.of(1),
      coin,
      Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff), // no script, final sequence
      Uint8Array.of(1),
      value,
      compact(script.length),
      script,
      Uint8Array.of(1, 1, 0xff),
      Uint8Array.of(0, 0, 0, 0),
    ]),
  )
}

/** Id (hex, internal order) and spent outpoints (hex of id and index) of a serialised transaction. */
export function readTransaction(bytes: Uint8Array): { readonly id: string; readonly spends: readonly string[] } {
  const all = Buffer.from(bytes)
  const segwit = all[4] === 0
  const start = segwit ? 6 : 4
  let at = start
  const count = (): number => {
    const first = all.readUInt8(at)
    const wide = first < 0xfd ? 0 : first === 0xfd ? 2 : 4
    const value = wide === 0 ? first : all.readUIntLE(at + 1, wide)
    at += 1 + wide
    return value
  }
  const spends: string[] = []
  for (let inputs = count(); inputs > 0; inputs--) {
    spends.push(all.toString('hex', at, at + 36))
    at += 36
    const script = count()
    at += script + 4
  }
  for (let outputs = count(); outputs > 0; outputs--) {
    at += 8
    const script = count()
    at += script
  }
  const bare = segwit ? Buffer.concat([all.subarray(0, 4), all.subarray(start, at), all.subarray(-4)]) : all
  return { id: Buffer.from(hash256(bare)).toString('hex'), spends }
}

function compact(length: number): Uint8Array {
  if (length >= 0xfd) throw new RangeError(`a script of ${length} bytes is longer than this writer knows`)
  return Uint8Array.of(length)
}
