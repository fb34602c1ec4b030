/**
 * The arithmetic that scores are made of, in one place, so that whoever folds the same log gets the same digits on every
 * engine: decay uses only operations that IEEE 754 fixes exactly.
 * @module
 */

/** Rounds to six decimals, as every published factor is. */
export const sixDecimals = (value: number): number => Math.round(value * 1e6) / 1e6

const steps = 1024

/** 2^(-k/1024) for k of 0 to 1023, from square roots and products alone. */
const halves: Float64Array = (() => {
  const table = new Float64Array(steps).fill(1)
  let root = 0.5
  for (let bit = steps / 2; bit >= 1; bit /= 2) {
    root = Math.sqrt(root)
    for (let k = 0; k < steps; k++) if (k & bit) table[k] = (table[k] ?? 1) * root
  }
  return table
})()

/** What is left of 1 after `seconds` with a half-life: 2^(-seconds/halfLife). Never more than 1, whatever the clock says. */
export function decay(seconds: number, halfLife: number): number {
  if (!(seconds > 0)) return 1
  const x = seconds / halfLife
  let whole = Math.floor(x)
  if (whole >= 1000) return 0
  const scaled = (x - whole) * steps
  const step = Math.floor(scaled)
  const rest = ((scaled - step) * Math.LN2) / steps
  let left = (halves[step] ?? 0) * (1 - rest * (1 - (rest / 2) * (1 - rest / 3)))
  for (; whole >= 30; whole -= 30) left /= 2 ** 30
  return left / (1 << whole)
}

/** ln(1+n)/ln(1+most), rounded to nine decimals, because engines may differ in the last digit of a logarithm. */
export const logShare = (n: number, most: number): number =>
  Math.round((Math.log(1 + n) / Math.log(1 + most)) * 1e9) / 1e9
