// What oauth4webapi makes of the challenges. Usage: node oauth4webapi.mjs BASE ISSUER
import * as oauth from 'oauth4webapi'
import { report, token } from './tools.mjs'

const [base, issuer] = process.argv.slice(2)
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
