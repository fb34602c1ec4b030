/**
 * Packages that only some drivers need.
 * @module
 */

/** Imports when first used; rejects with the way to install what is missing. */
export async function importDriver<M>(name: string, version: string, load: () => Promise<M>): Promise<M> {
  try {
    return await load()
  } catch (cause) {
    throw new Error(`this relay driver needs the package ${name}: npm install ${name}@${version}`, { cause })
  }
}
