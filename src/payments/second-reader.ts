/**
 * What another program reads in an invoice, for showing to people beside what ours says. Never for deciding: that reader
 * checks no signature and takes invalid invoices for valid ones.
 * @module
 */

/** Amount, hash and description as light-bolt11-decoder sees them; `undefined` where it cannot read the text. */
export interface SecondReading {
  readonly msats?: bigint
  readonly hash?: string
  readonly description?: string
}

export async function secondReading(bolt11: string): Promise<SecondReading | undefined> {
  const { decode } = await import('light-bolt11-decoder')
  try {
    let reading: { msats?: bigint; hash?: string; description?: string } = {}
    for (const section of decode(bolt11).sections) {
      if (section.name === 'amount') reading = { ...reading, msats: BigInt(section.value) }
      if (section.name === 'payment_hash') reading = { ...reading, hash: section.value }
      if (section.name === 'description') reading = { ...reading, description: section.value }
    }
    return reading
  } catch {
    return undefined
  }
}
