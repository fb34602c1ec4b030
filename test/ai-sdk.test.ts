/** The AI SDK in its present and its previous specification drives our provider; the session behind it is scripted. */
import type { EmbeddingModelV4, LanguageModelV4, ProviderV4 } from '@ai-sdk/provider'
import { generateText, streamText } from 'ai'
import { embed as embed6, generateText as generateText6, streamText as streamText6 } from 'ai6'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GridstrFailure } from '../src/ai-sdk/index.ts'
import type { Moment } from '../src/session/session.ts'
import { provide, text, vectorsOf } from './ai-sdk-world.ts'
import { answered, node, request, result, says, unanswered } from './session-scripted.ts'

describe('types', () => {
  test('the provider is one in the words of the SDK', () => {
    const { v4 } = provide(() => text('x'))
    const model: LanguageModelV4 = v4('nano')
    const vectors: EmbeddingModelV4 = v4.embeddingModel('nano')
    const provider: ProviderV4 = v4
    expect([model.specificationVersion, vectors.specificationVersion, provider.specificationVersion]).toEqual([
      'v4',
      'v4',
      'v4',
    ])
  })
})

describe('text', () => {
  test('generateText brings text, finish, usage and what proves it', async () => {
    const { v4, session } = provide(() => text('Relays ', 'carry it.'))
    const answer = await generateText({
      model: v4('nano'),
      instructions: 'Be brief.',
      prompt: 'What carries it?',
      maxOutputTokens: 9,
      temperature: 0,
      topP: 0.5,
      topK: 4,
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      stopSequences: ['\n'],
    })
    expect(answer.text).toBe('Relays carry it.')
    expect(answer.finishReason).toBe('stop')
    expect(answer.usage).toMatchObject({ inputTokens: 7, outputTokens: 3 })
    expect(answer.finalStep.providerMetadata?.['nostr']).toMatchObject({
      request,
      result,
      node,
      msats: '2000',
      privacyLevel: 1,
    })
    expect(session.questions).toEqual([
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'What carries it?' },
        ],
        ...{ model: 'nano', maxTokens: 9, temperature: 0, topP: 0.5, topK: 4, seed: 7 },
        ...{ presencePenalty: 0.1, frequencyPenalty: 0.2, stop: ['\n'], stream: false },
      },
    ])
  })

  test('streamText streams the same, piece by piece', async () => {
    const { v4 } = provide(() => text('Relays ', 'carry ', 'it.'))
    const stream = streamText({ model: v4('nano'), prompt: 'What carries it?' })
    const pieces: string[] = []
    for await (const piece of stream.textStream) pieces.push(piece)
    expect(pieces).toEqual(['Relays ', 'carry ', 'it.'])
    expect(await stream.finishReason).toBe('stop')
    expect((await stream.finalStep).providerMetadata?.['nostr']?.['request']).toBe(request)
  })

  test('the specification before does the same', async () => {
    const { v3 } = provide(() => text('Relays ', 'carry it.'))
    const answer = await generateText6({ model: v3('nano'), prompt: 'What carries it?' })
    expect([answer.text, answer.finishReason, answer.usage.outputTokens]).toEqual(['Relays carry it.', 'stop', 3])
    const stream = streamText6({ model: v3('nano'), prompt: 'What carries it?' })
    let whole = ''
    for await (const piece of stream.textStream) whole += piece
    expect(whole).toBe('Relays carry it.')
    const { embedding } = await embed6({
      model: provide(() => ({ outcome: answered({ text: vectorsOf([1, 0]) }) })).v3.embeddingModel('nano'),
      value: 'one',
    })
    expect(embedding).toEqual([1, 0])
  })

  test('however an answer is cut, the stream says the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 }), async pieces => {
        const { v4 } = provide(() => text(...pieces))
        const stream = streamText({ model: v4('nano'), prompt: 'x' })
        let whole = ''
        for await (const piece of stream.textStream) whole += piece
        expect(whole).toBe(pieces.join(''))
      }),
      { numRuns: 100 },
    )
  })

  test('settings of gridstr ride along with the call, bad ones are refused before anybody is asked', async () => {
    const { v4, session } = provide(() => text('x'))
    const of = (gridstr: Record<string, number | string>) =>
      generateText({ model: v4(''), prompt: 'x', providerOptions: { gridstr }, maxRetries: 0 })
    await of({ maxSats: 3, node, privacy: 2, key: 'k' })
    expect(session.questions[0]).toMatchObject({ capMsats: 3_000n, node, privacy: 2, key: 'k' })
    expect(session.questions[0]?.model).toBeUndefined()
    await expect(of({ maxSats: -1 })).rejects.toThrow('whole number of sats')
    await expect(of({ privacy: 4 })).rejects.toThrow('0, 1, 2 or 3')
    expect(session.questions).toHaveLength(1)
  })
})

describe('what cannot be', () => {
  test('no answer is an error that is not asked again by itself', async () => {
    const { v4, session } = provide(() => ({ outcome: unanswered('budget', 'The budget is used up.') }))
    const failed = generateText({ model: v4('nano'), prompt: 'x' })
    await expect(failed).rejects.toMatchObject({
      name: 'GridstrFailure',
      code: 'budget',
      message: 'The budget is used up.',
    })
    expect(session.questions).toHaveLength(1)
  })

  test('a stream without an answer ends with the error and a finish', async () => {
    const { v4 } = provide(() => ({ moments: says('half'), outcome: unanswered('node', 'The node died.', 1_000n) }))
    const errors: unknown[] = []
    const stream = streamText({ model: v4('nano'), prompt: 'x', onError: ({ error }) => void errors.push(error) })
    let whole = ''
    for await (const piece of stream.textStream) whole += piece
    expect(whole).toBe('half')
    expect(errors).toHaveLength(1)
    expect(errors[0]).toBeInstanceOf(GridstrFailure)
    expect(await stream.finishReason).toBe('error')
  })

  test('what was taken back cannot be unsaid: the stream ends with an error', async () => {
    const moments: Moment[] = [...says('wrong'), { moment: 'replaced', delta: { text: 'right' } }]
    const { v4 } = provide(() => ({ moments, outcome: answered({ text: 'right' }) }))
    const errors: unknown[] = []
    const stream = streamText({ model: v4('nano'), prompt: 'x', onError: ({ error }) => void errors.push(error) })
    for await (const _ of stream.textStream);
    expect(errors).toMatchObject([{ code: 'replaced' }])
  })

  test('an image is refused in words, before anybody is asked', async () => {
    const { v4, session } = provide(() => text('x'))
    const image = { type: 'file' as const, data: new Uint8Array([1, 2, 3]), mediaType: 'image/png' }
    const asked = generateText({ model: v4('nano'), messages: [{ role: 'user', content: [image] }], maxRetries: 0 })
    await expect(asked).rejects.toThrow('read text')
    expect(session.questions).toEqual([])
    expect(() => v4.imageModel('x')).toThrow('images')
  })

  test('reasoning and tools that are no functions are warned of', async () => {
    const { v4 } = provide(() => text('x'))
    const answer = await v4('nano').doGenerate({
      prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }],
      reasoning: 'high',
      tools: [{ type: 'provider', name: 'search' }],
    })
    expect(answer.warnings.map(({ feature }) => feature)).toEqual(['tool search', 'reasoning'])
  })

  test('an abort withdraws the question and is the caller’s own error', async () => {
    const { v4, session } = provide(() => ({ moments: says('a'), outcome: answered(), hangs: true }))
    const stop = new AbortController()
    const asked = generateText({ model: v4('nano'), prompt: 'x', abortSignal: stop.signal })
    const told = expect(asked).rejects.toMatchObject({ name: 'AbortError' })
    stop.abort()
    await told
    expect(session.aborted).toHaveLength(1)
  })

  test('who stops reading withdraws the question', async () => {
    const { v4, session } = provide(() => ({ moments: says('a', 'b'), outcome: answered(), hangs: true }))
    const { stream } = await v4('nano').doStream({
      prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }],
    })
    const reader = stream.getReader()
    await reader.read()
    await reader.cancel()
    expect(session.aborted).toHaveLength(1)
  })
})

describe('the session behind', () => {
  test('one that was handed in stays open', async () => {
    const { v4, session } = provide(() => text('x'))
    expect(await v4.session()).toBe(session)
    await v4.close()
    expect(session.closed).toBe(0)
  })
})
