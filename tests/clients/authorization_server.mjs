// A real authorization server on loopback: npm oidc-provider. Prints its issuer.
// Usage: node authorization_server.mjs [--port N] [--keys FILE] [--introspector JWK]
//
// It issues access tokens for whatever resource is asked for: JWTs (RFC 9068) signed ES256, or RS256
// for a resource whose path ends in /rsa, and opaque ones for one that ends in /opaque. It binds them
// to a key on demand (RFC 9449), registers clients that ask for it (RFC 7591), and logs everybody in
// as alice, who consents to everything; by the context class that was asked for, and an hour ago with
// the login hint `long-ago`.
//
// With --keys, its keys are kept in that file, so that it can be started again. With --introspector,
// the client `signing-api` may introspect with that public key. It does what it is told by standard
// input: `rotate` signs with new keys from now on, `retire` withdraws all but the newest. It ends when
// that is closed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import readline from 'node:readline'
import { parseArgs } from 'node:util'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider } from 'oidc-provider'

const { values: options } = parseArgs({ options: {
  port: { type: 'string', default: '0' }, keys: { type: 'string' }, introspector: { type: 'string' },
} })
const scopes = ['files:read', 'files:write', 'orders:read', 'orders:write']
const server = http.createServer()
await new Promise((ready) => server.listen(Number(options.port), '127.0.0.1', ready))
const issuer = `http://127.0.0.1:${server.address().port}`

let rotations = 0
async function makeKeys() {
  rotations += 1
  return Promise.all(['ES256', 'RS256'].map(async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true })
    return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg.toLowerCase()}-${Date.now()}-${rotations}` }
  }))
}
const isKept = options.keys && existsSync(options.keys)
let keys = isKept ? JSON.parse(readFileSync(options.keys, 'utf8')) : await makeKeys()

const service = (client_id, more) => ({
  client_id, grant_types: ['client_credentials'], redirect_uris: [], response_types: [], ...more,
})
const clients = [
  service('job', { client_secret: 'job-secret', scope: scopes.join(' ') }),
  service('api', { client_secret: 'api-secret', grant_types: [] }),
  {
    client_id: 'web', client_secret: 'web-secret', grant_types: ['authorization_code'], response_types: ['code'],
    redirect_uris: ['http://127.0.0.1:9/callback'], scope: ['openid', ...scopes].join(' '),
  },
]
if (options.introspector) {
  clients.push(service('signing-api', {
    grant_types: [], token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [JSON.parse(options.introspector)] },
  }))
}
const preset = new Set(clients.map((client) => client.client_id))

function resourceServer(resource) {
  const isOpaque = resource.endsWith('/opaque')
  const alg = resource.endsWith('/rsa') ? 'RS256' : 'ES256'
  return {
    audience: resource,
    scope: scopes.join(' '),
    accessTokenFormat: isOpaque ? 'opaque' : 'jwt',
    ...(isOpaque ? {} : { jwt: { sign: { alg } } }),
  }
}

const makeProvider = () => new Provider(issuer, {
  jwks: { keys },
  cookies: { keys: ['for tests only'] },
  scopes: ['openid', ...scopes],
  acrValues: ['urn:example:password', 'urn:example:two-factors'],
  clients,
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  extraTokenClaims(context) {
    const login = context.oidc.entities.AuthorizationCode
    return login && { acr: login.acr, amr: login.amr, auth_time: login.authTime }
  },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  clientBasedCORS: () => true,
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  // MCP clients register with the scope of the challenge at hand, which is no reason to keep them
  // from asking for more later.
  extraClientMetadata: {
    properties: ['scope_of_registration'],
    validator: (_context, _name, _value, metadata) => { if (!preset.has(metadata.client_id)) delete metadata.scope },
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => resourceServer(resource),
    },
  },
})

let provider, answer
function use(newKeys) {
  keys = newKeys
  if (options.keys) writeFileSync(options.keys, JSON.stringify(keys))
  provider = makeProvider()
  answer = provider.callback()
}
use(keys)

server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response)
  try {
    const { prompt, params, session } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login') {
      const now = Math.floor(Date.now() / 1000)
      const login = {
        accountId: 'alice',
        acr: params.acr_values?.split(' ')[0] ?? 'urn:example:password',
        amr: ['pwd'],
        ts: params.login_hint === 'long-ago' ? now - 3600 : now,
      }
      return await provider.interactionFinished(request, response, { login })
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
    grant.addOIDCScope(params.scope)
    for (const resource of [params.resource].flat()) grant.addResourceScope(resource, params.scope)
    const consent = { grantId: await grant.save() }
    await provider.interactionFinished(request, response, { consent })
  } catch (error) {
    response.statusCode = 500
    response.end(String(error.stack))
  }
})

const orders = {
  // Old tokens stay good for as long as their keys are published.
  rotate: async () => use([...(await makeKeys()), ...keys]),
  retire: async () => use(keys.slice(0, 2)),
}
readline.createInterface({ input: process.stdin })
  .on('line', async (order) => { await orders[order]?.(); console.log(order) })
  .on('close', () => process.exit())
console.log(issuer)
