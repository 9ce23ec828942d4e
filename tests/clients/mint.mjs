// Tokens of every kind that the authorization server issues, as JSON.
// Usage: node mint.mjs ISSUER RESOURCE KEY     where KEY is a private JWK that a token is bound to
import { createHash, randomUUID } from 'node:crypto'
import { SignJWT, importJWK } from 'jose'
import { logIn } from './tools.mjs'

const [issuer, resource, key] = process.argv.slice(2)
const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
const callback = 'http://127.0.0.1:9/callback'

async function post(url, client, form, headers = {}) {
  const authorization = `Basic ${btoa(`${client}:${client}-secret`)}`
  const response = await fetch(url, { method: 'POST', headers: { authorization, ...headers }, body: new URLSearchParams(form) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`)
  return text && JSON.parse(text)
}

/** By client credentials (RFC 6749 §4.4). */
async function ofJob(path = '', headers = {}) {
  const form = { grant_type: 'client_credentials', resource: resource + path, scope: 'orders:read' }
  return (await post(metadata.token_endpoint, 'job', form, headers)).access_token
}

/** By a user's login (RFC 6749 §4.1). */
async function ofUser(login) {
  const verifier = randomUUID() + randomUUID()
  const form = {
    client_id: 'web', response_type: 'code', redirect_uri: callback, scope: 'openid orders:read', resource,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...login,
  }
  const returned = await logIn(`${metadata.authorization_endpoint}?${new URLSearchParams(form)}`, callback)
  const code = returned.searchParams.get('code')
  const grant = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier, resource }
  return (await post(metadata.token_endpoint, 'web', grant)).access_token
}

async function proof() {
  const { d: _, ...jwk } = JSON.parse(key)
  return new SignJWT({ jti: randomUUID(), htm: 'POST', htu: metadata.token_endpoint })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
    .setIssuedAt()
    .sign(await importJWK(JSON.parse(key), 'ES256'))
}

const revoked = await ofJob('/opaque')
await post(metadata.revocation_endpoint, 'job', { token: revoked })
console.log(JSON.stringify({
  jwt: await ofJob(),
  rsa: await ofJob('/rsa'),
  opaque: await ofJob('/opaque'),
  revoked,
  bound: await ofJob('', { dpop: await proof() }),
  bound_opaque: await ofJob('/opaque', { dpop: await proof() }),
  password_now: await ofUser({}),
  password_long_ago: await ofUser({ login_hint: 'long-ago' }),
  two_factors_now: await ofUser({ acr_values: 'urn:example:two-factors' }),
}))
