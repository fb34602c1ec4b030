/** What may go wrong in one search. Each is small enough to be searched whole; together they cover every kind of fault. */
import type { Budget, Setting } from './world.ts'

export const calm: Budget = {
  drop: 0,
  twice: 0,
  clientCrash: 0,
  nodeCrash: 0,
  walletFails: 0,
  walletSilent: 0,
  runnerDies: 0,
  cancel: 0,
  heldBack: 0,
  hostile: 0,
}

const troubles: Record<string, Partial<Budget>> = {
  'a relay that drops and repeats': { drop: 1, twice: 1 },
  'a client crash': { clientCrash: 1 },
  'a node crash': { nodeCrash: 1 },
  'a wallet that refuses and falls silent': { walletFails: 1, walletSilent: 1 },
  'a runner that dies and a user who cancels': { runnerDies: 1, cancel: 1 },
  'hostile answers': { hostile: 1 },
}

export const settings: Setting[] = (['free', 'before', 'after', 'parts', 'hold', 'credit'] as const).flatMap(when =>
  Object.entries(
    when === 'hold' ? { ...troubles, 'a network that gives held money back': { heldBack: 1 } } : troubles,
  ).map(([trouble, budget]) => ({
    name: `paid ${when}, ${trouble}`.replace('paid free', 'free'),
    when,
    open: false,
    budget: { ...calm, ...budget },
  })),
)
settings.push(
  ...Object.entries(troubles).map(([trouble, budget]) => ({
    name: `paid in the last two parts of three, ${trouble}`,
    when: 'parts' as const,
    from: 1,
    open: false,
    budget: { ...calm, ...budget },
  })),
)
settings.push(
  ...(['before', 'after', 'parts', 'hold', 'credit'] as const).flatMap(when =>
    Object.entries(troubles).map(([trouble, budget]) => ({
      name: `paid ${when} by the token, ${trouble}`,
      ...{ when, metered: true, open: false, budget: { ...calm, ...budget } },
    })),
  ),
)
settings.push({
  name: 'paid before, open to all, hostile answers',
  when: 'before',
  open: true,
  budget: { ...calm, hostile: 1 },
})
