/**
 * The curves of a simulation as one SVG: bad answers and audits above, proven nodes below. No script, no font, no link.
 * @module
 */
import type { SimOptions, SimPoint, SimReport } from './sim.ts'

const width = 880
const plot = { left: 64, right: 150, height: 190 }
const tops = [90, 328] as const

interface Curve {
  readonly name: string
  readonly colour: string
  readonly dash?: string
  of(point: SimPoint): number
}

const shares: readonly Curve[] = [
  { name: 'audited', colour: '#0b62a4', dash: '6 4', of: point => point.audits },
  { name: 'bad answers', colour: '#b3261e', of: point => point.junk },
]
const nodes: readonly Curve[] = [
  { name: 'proven', colour: '#5f6368', dash: '6 4', of: point => point.proven },
  { name: 'of them honest', colour: '#137333', of: point => point.honestProven },
]

/** Draws a report. The text beside each curve says what it shows, so that colour alone tells nothing. */
export function chartOf(options: SimOptions, report: SimReport): string {
  const { curve, days } = report
  const percent = (value: number) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`
  const sybils = options.sybils > 0 ? `${percent(options.sybils)} Sybils, of the others ` : ''
  const title = `${grouped(options.nodes)} nodes: ${sybils}${percent(options.bad)} cheat, ${percent(options.traitors)} of them patiently`
  const under = `${grouped(report.jobs)} jobs in ${days} days · bad answers ${percent(report.junk)} · audited ${percent(report.auditOverhead)} · seed ${options.seed}`
  const most = Math.max(0.02, ...curve.flatMap(point => shares.map(one => one.of(point))))
  const many = Math.max(4, ...curve.map(point => point.proven))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="560" viewBox="0 0 ${width} 560" role="img" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${title}. ${under}</title>`,
    `<rect width="${width}" height="560" fill="#ffffff"/>`,
    `<text x="${plot.left}" y="30" font-size="17" font-weight="600" fill="#202124">${title}</text>`,
    `<text x="${plot.left}" y="52" fill="#5f6368">${under}</text>`,
    ...panel(tops[0], shares, curve, days, nice(most), percent, 'share of answers'),
    ...panel(tops[1], nodes, curve, days, nice(many), value => grouped(Math.round(value)), 'nodes'),
    `<text x="${(plot.left + width - plot.right) / 2}" y="548" text-anchor="middle" fill="#5f6368">virtual days</text>`,
    '</svg>',
    '',
  ].join('\n')
}

function panel(
  top: number,
  curves: readonly Curve[],
  points: readonly SimPoint[],
  days: number,
  most: number,
  label: (value: number) => string,
  what: string,
): string[] {
  const x = (day: number) => plot.left + (day / days) * (width - plot.left - plot.right)
  const y = (value: number) => top + plot.height - (value / most) * plot.height
  const right = width - plot.right
  const steps = [0, 0.25, 0.5, 0.75, 1]
  const lines = steps.flatMap(step => [
    `<line x1="${plot.left}" x2="${right}" y1="${round(y(step * most))}" y2="${round(y(step * most))}" stroke="#e0e0e0"/>`,
    `<text x="${plot.left - 8}" y="${round(y(step * most) + 4)}" text-anchor="end" fill="#5f6368">${label(step * most)}</text>`,
  ])
  const ticks = steps.map(
    step =>
      `<text x="${round(x(step * days))}" y="${top + plot.height + 18}" text-anchor="middle" fill="#5f6368">${round(step * days)}</text>`,
  )
  const ends = curves.map(one => y(one.of(points.at(-1) ?? nothing)))
  // Two labels that end at one height would lie on each other.
  const apart = Math.abs((ends[0] ?? 0) - (ends[1] ?? 0)) < 16
  const drawn = curves.flatMap((one, i) => {
    const path = points.map(point => `${round(x(point.day))},${round(y(one.of(point)))}`).join(' ')
    const height = (ends[i] ?? 0) + (apart ? (i === 0 ? -8 : 10) : 0) + 4
    return [
      `<polyline points="${path}" fill="none" stroke="${one.colour}" stroke-width="2"${one.dash ? ` stroke-dasharray="${one.dash}"` : ''}/>`,
      `<text x="${right + 8}" y="${round(height)}" fill="${one.colour}">${one.name}</text>`,
    ]
  })
  return [...lines, ...ticks, ...drawn, `<text x="${plot.left}" y="${top - 8}" fill="#5f6368">${what}</text>`]
}

const nothing: SimPoint = { day: 0, junk: 0, audits: 0, proven: 0, honestProven: 0 }
const round = (value: number): number => Math.round(value * 10) / 10
const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** The next 1, 2 or 4 times a power of ten: quarters of it are short numbers. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return (['1', '2', '4', '10'].map(Number).find(step => step * power >= value) ?? 10) * power
}
