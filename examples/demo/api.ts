/** A caller of Stoa's HTTP API with one credential. */
export interface Api {
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  upload<T>(path: string, bytes: Uint8Array): Promise<T>
}

async function answerOf<T>(response: Response, what: string): Promise<T> {
  const text = await response.text()
  if (!response.ok) throw new Error(`${what} answered ${response.status}: ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** `token` null: nobody. */
export function makeApi(baseUrl: string, token: string | null): Api {
  const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  return {
    async call<T>(method: string, path: string, body?: unknown) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const headers = {
        ...authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }
      const response = await fetch(baseUrl + path, { method, headers, ...sent })
      return answerOf<T>(response, `${method} ${path}`)
    },
    async upload<T>(path: string, bytes: Uint8Array) {
      const headers = { ...authorization, 'content-type': 'application/zip' }
      const response = await fetch(baseUrl + path, { method: 'POST', headers, body: new Uint8Array(bytes) })
      return answerOf<T>(response, `POST ${path}`)
    },
  }
}
