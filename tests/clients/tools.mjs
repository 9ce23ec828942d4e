// What the scripts share.

/** Reports what a client understood, for the test to judge. */
export const report = (client, behaviour, understood) =>
  console.log(JSON.stringify({ client, behaviour, understood }))

/** Clicks the element itself: a click on its position misses if the page moves it. For `$eval`. */
export const clickElement = (element) => element.click()

/** A token for the service itself, by client credentials (RFC 6749 §4.4). */
export async function token(issuer, resource, scope) {
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
  const form = { grant_type: 'client_credentials', resource, scope }
  const authorization = `Basic ${btoa('job:job-secret')}`
  const response = await fetch(metadata.token_endpoint, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) })
  return (await response.json()).access_token
}

/** Goes where a user's browser would be sent, until it is sent back to the client. */
export async function logIn(url, callback) {
  const cookies = new Map()
  let next = url.toString()
  for (let hop = 0; hop < 12 && !next.startsWith(callback); hop++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(next, { redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(';')
      const at = pair.indexOf('=')
      cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const location = response.headers.get('location')
    if (!location) throw new Error(`${response.status} from ${next}: ${await response.text()}`)
    next = new URL(location, next).href
  }
  return new URL(next)
}
