// What oauth4webapi makes of the challenges. Usage: node oauth4webapi.mjs BASE ISSUER RESOURCE_SERVER
import * as oauth from 'oauth4webapi'
import { report, token } from './tools.mjs'

const [base, issuer, orders] = process.argv.slice(2)
const insecure = { [oauth.allowInsecureRequests]: true }
const client = 'oauth4webapi (npm)'

async function call(token, method = 'GET') {
  try {
    const url = new URL(`${base}/api/files`)
    const response = await oauth.protectedResourceRequest(token, method, url, undefined, undefined, insecure)
    return { status: response.status }
  } catch (error) {
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error
    return { status: error.status, challenges: error.cause.map(({ scheme, parameters }) => ({ scheme, ...parameters })) }
  }
}

report(client, 'reads why a token is refused', await call('nonsense'))
const reader = await token(issuer, `${base}/api`, 'files:read')
report(client, 'is let in with a good token', await call(reader))
report(client, 'reads which scopes are missing', await call(reader, 'POST'))
const server = await oauth.processResourceDiscoveryResponse(
  new URL(`${base}/api`),
  await oauth.resourceDiscoveryRequest(new URL(`${base}/api`), insecure),
)
report(client, 'finds the resource metadata', { scopes: server.scopes_supported, servers: server.authorization_servers.length })

// Tokens that are bound to a key (RFC 9449), from the request to the authorization server on.
const keys = await oauth.generateKeyPair('ES256')
const authorizationServer = await oauth.processDiscoveryResponse(
  new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure),
)
const job = { client_id: 'job' }
const binding = oauth.DPoP(job, keys)
const granted = await oauth.processClientCredentialsResponse(authorizationServer, job, await oauth.clientCredentialsGrantRequest(
  authorizationServer, job, oauth.ClientSecretBasic('job-secret'), { resource: orders, scope: 'orders:write' },
  { DPoP: binding, ...insecure },
))

async function buy(token, DPoP) {
  try {
    const response = await oauth.protectedResourceRequest(token, 'POST', new URL(`${orders}/buy`), undefined, undefined, { DPoP, ...insecure })
    return { status: response.status }
  } catch (error) {
    const [{ scheme, parameters }] = error.cause
    return { status: error.status, scheme, error: parameters.error, wants_nonce: oauth.isDPoPNonceError(error) }
  }
}

report(client, 'is asked for a nonce in its proof (DPoP)', await buy(granted.access_token, binding))
report(client, 'is let in with the nonce', await buy(granted.access_token, binding))
const thief = oauth.DPoP(job, await oauth.generateKeyPair('ES256'))
await buy(granted.access_token, thief)
report(client, 'is refused with the token of another key', await buy(granted.access_token, thief))
report(client, 'is refused with a bound token and no proof', await buy(granted.access_token))
