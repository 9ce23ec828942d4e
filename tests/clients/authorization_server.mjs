// A real authorization server on loopback: npm oidc-provider. Prints its issuer.
//
// It issues JWT access tokens (RFC 9068) for whatever resource is asked for, registers clients that
// ask for it (RFC 7591), and logs everybody in as alice, who consents to everything.
import http from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider } from 'oidc-provider'

const scopes = ['files:read', 'files:write']
const server = http.createServer()
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
const issuer = `http://127.0.0.1:${server.address().port}`
const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const key = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'es256' }

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ['for tests only'] },
  scopes,
  clients: [
    { client_id: 'job', client_secret: 'job-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: scopes.join(' ') },
  ],
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  clientBasedCORS: () => true,
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  // MCP clients register with the scope of the challenge at hand, which is no reason to keep them
  // from asking for more later.
  extraClientMetadata: {
    properties: ['scope_of_registration'],
    validator: (_context, _name, _value, metadata) => { if (metadata.client_id !== 'job') delete metadata.scope },
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        audience: resource,
        scope: scopes.join(' '),
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
})

const answer = provider.callback()
server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response)
  try {
    const { prompt, params, session } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login') {
      return await provider.interactionFinished(request, response, { login: { accountId: 'alice' } })
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
console.log(issuer)
