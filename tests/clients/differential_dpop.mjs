// The proofs of oauth4webapi, and what it makes of others. Usage: node differential_dpop.mjs FILE
import { readFileSync } from 'node:fs'
import * as jose from 'jose'
import * as oauth from 'oauth4webapi'

const { issuer, audience, jwks, requests, algorithms, wanted } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const server = { issuer, jwks_uri: `${issuer}/keys` }
const fetched = async () => new Response(JSON.stringify(jwks), { headers: { 'content-type': 'application/json' } })

// As a resource server, it judges the proofs of others.
const judged = []
for (const { url, method, token, proof } of requests) {
  try {
    const request = new Request(url, { method, headers: { authorization: `DPoP ${token}`, dpop: proof } })
    const claims = await oauth.validateJwtAccessToken(server, request, audience, { [oauth.customFetch]: fetched })
    judged.push({ subject: claims.sub })
  } catch (error) {
    judged.push({ error: `${error} ${error.cause?.claim ?? ''}` })
  }
}

// Keys of clients. The service binds tokens to them before they are used.
const keys = []
for (const algorithm of algorithms) {
  const pair = await oauth.generateKeyPair(algorithm, { extractable: true })
  const [publicKey, privateKey] = await Promise.all([jose.exportJWK(pair.publicKey), jose.exportJWK(pair.privateKey)])
  keys.push({ algorithm, publicKey, privateKey, thumbprint: await jose.calculateJwkThumbprint(publicKey) })
}

// As a client, it makes proofs.
const made = []
for (const { url, method, key, token } of wanted) {
  const pair = {
    publicKey: await jose.importJWK(key.publicKey, key.algorithm, { extractable: true }),
    privateKey: await jose.importJWK(key.privateKey, key.algorithm),
  }
  const send = async (sent, options) => {
    made.push({ url: String(sent), method: options.method, proof: new Headers(options.headers).get('dpop') })
    return new Response('')
  }
  const options = { DPoP: oauth.DPoP({ client_id: 'lab' }, pair), [oauth.customFetch]: send }
  await oauth.protectedResourceRequest(token, method, new URL(url), undefined, undefined, options)
}
console.log(JSON.stringify({ judged, keys, made }))
