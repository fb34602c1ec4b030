/**
 * `/models`: what is served on the market now.
 * @module
 */
import type { ServedModel } from '../session/session.ts'
import type { Call } from './door.ts'
import { missing } from './errors.ts'

/** Nobody knows when a model came on the market. */
const modelJson = (id: string) => ({ id, object: 'model', created: 0, owned_by: 'gridstr' })

async function servedIn({ door, session, signal }: Call): Promise<readonly string[]> {
  const served: readonly ServedModel[] = await (await session()).models(signal)
  const names = new Set(served.map(({ name }) => name))
  const aliased = Object.entries(door.aliases).flatMap(([name, meant]) => (names.has(meant) ? [name] : []))
  return [...names, ...aliased.filter(name => !names.has(name))]
}

/** Lists models, and the names that stand for one. */
export async function models(call: Call): Promise<Response> {
  return Response.json({ object: 'list', data: (await servedIn(call)).map(modelJson) })
}

/** One model. */
export async function model(call: Call): Promise<Response> {
  if (!(await servedIn(call)).includes(call.name))
    throw missing(`The model '${call.name}' is not served by anybody now.`, 'model_not_found', 'model')
  return Response.json(modelJson(call.name))
}
