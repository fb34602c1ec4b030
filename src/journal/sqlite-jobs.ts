/**
 * Jobs, their facts and their words in a journal's file.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { decode, encode } from './codec.ts'
import type { JobLog, JobRow, Outbox, Plain, Said, Side } from './journal.ts'
import { type Pages, type Row, table } from './pages.ts'
import { asPlain, bareEvent, checkJob, checkKeys, checkSaid, checkSeconds } from './rules.ts'
import { damaged } from './trouble.ts'

type JobCells = Row<'side' | 'id' | 'at' | 'ended_at' | 'body'>
type WordCells = Row<'job' | 'slot' | 'event_id' | 'until' | 'taken' | 'body'>

const PRUNED_AT_ONCE = 500

/** Jobs and words of the open file, and what `Journal.prune` does. */
export function jobsOf(pages: Pages): { jobs: JobLog; outbox: Outbox; prune(before: number): number } {
  const jobs = table(pages, 'jobs', ['side', 'id', 'at', 'ended_at', 'body'])
  const facts = table(pages, 'facts', ['job', 'seq', 'body'])
  const words = table(pages, 'words', ['job', 'slot', 'event_id', 'until', 'taken', 'body'])

  const find = (side: Side, id: string) => jobs.row('side = ? AND id = ?', side, id)
  const factsOf = (job: number): Plain[] =>
    facts.rows('job = ? ORDER BY seq', job).map((fact, place) => {
      if (fact.seq !== place) throw damaged(pages.path, `fact ${place} of job ${job} is missing`)
      return decode(String(fact.body))
    })
  const rowOf = (job: JobCells): JobRow & { facts: readonly Plain[] } => ({
    side: job.side as Side,
    id: String(job.id),
    at: Number(job.at),
    opening: decode(String(job.body)),
    facts: factsOf(job.n),
  })
  const wordOf = (word: WordCells): Said => ({
    job: String(word.job),
    slot: String(word.slot),
    event: decode(String(word.body)) as object as Event,
    until: Number(word.until),
  })

  return {
    jobs: {
      open(row, weight = 'money') {
        checkJob(row)
        const body = encode(row.opening)
        return pages.write(weight, () => {
          if (find(row.side, row.id)) return false
          jobs.insert({ side: row.side, id: row.id, at: row.at, ended_at: null, body })
          return true
        })
      },
      fact(side, id, fact, weight) {
        const body = encode(fact)
        pages.write(weight, () => {
          const job = find(side, id)
          if (!job) throw new Error(`${side} job ${id} was never opened in this journal`)
          const newest = facts.row('job = ? ORDER BY seq DESC LIMIT 1', job.n)
          facts.insert({ job: job.n, seq: newest ? Number(newest.seq) + 1 : 0, body })
        })
      },
      end(side, id, at) {
        checkSeconds(at)
        pages.write('plain', () => {
          const job = find(side, id)
          if (job && job.ended_at === null) jobs.update(job.n, { ...job, ended_at: at })
        })
      },
      unfinished: side => pages.read(() => jobs.rows('side = ? AND ended_at IS NULL ORDER BY at, n', side).map(rowOf)),
      ended: (side, limit) =>
        pages.read(() =>
          jobs
            .rows('side = ? AND ended_at IS NOT NULL ORDER BY ended_at DESC, n DESC LIMIT ?', side, limit)
            .map(job => ({ ...rowOf(job), endedAt: Number(job.ended_at) })),
        ),
      find: (side, id) =>
        pages.read(() => {
          const job = find(side, id)
          return job && { ...rowOf(job), ...(job.ended_at === null ? {} : { endedAt: Number(job.ended_at) }) }
        }),
    },

    outbox: {
      keep(said, weight) {
        checkSaid(said)
        const { job, slot, until } = said
        const event = bareEvent(said.event)
        const body = encode(asPlain(event))
        return pages.write(weight, () => {
          const there = words.row('job = ? AND slot = ?', job, slot)
          if (there) return wordOf(there).event
          words.insert({ job, slot, event_id: event.id, until, taken: 0, body })
          return event
        })
      },
      of: job => pages.read(() => words.rows('job = ? ORDER BY n', job).map(wordOf)),
      // The plus keeps SQLite from walking the whole table because it lies in this order already.
      pending: now => pages.read(() => words.rows('taken = 0 AND until > ? ORDER BY +n', now).map(wordOf)),
      taken(eventId) {
        checkKeys(eventId)
        pages.write('plain', () => {
          for (const word of words.rows('event_id = ? AND taken = 0', eventId))
            words.update(word.n, { ...word, taken: 1 })
        })
      },
    },

    prune(before) {
      checkSeconds(before)
      let gone = 0
      const some = () => {
        const ended = jobs.rows(`ended_at < ? ORDER BY ended_at LIMIT ${PRUNED_AT_ONCE}`, before)
        for (const job of ended) {
          pages.prepare('DELETE FROM facts WHERE job = ?').run(job.n)
          jobs.remove(job.n)
          // The same id may still be open on the other side.
          if (!jobs.row('id = ?', job.id)) pages.prepare('DELETE FROM words WHERE job = ?').run(job.id)
        }
        return ended.length
      }
      for (;;) {
        const count = pages.write('plain', some)
        gone += count
        if (count < PRUNED_AT_ONCE) return gone
      }
    },
  }
}
