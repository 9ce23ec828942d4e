// Whole flows of the npm MCP clients: refused, logged in, refused again for a scope, stepped up.
// Usage: node mcp.mjs BASE
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client'
import { logIn, report } from './tools.mjs'

const [base] = process.argv.slice(2)
const callback = 'http://127.0.0.1:9/callback'
const me = { name: 'test', version: '1' }

// A user agent that keeps what it is given and remembers what it was asked to ask for.
function user() {
  let tokens, registration, verifier
  const asked = []
  return {
    asked,
    returned: undefined,
    get redirectUrl() { return callback },
    get clientMetadata() {
      return { client_name: 'test', redirect_uris: [callback], grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'none' }
    },
    clientInformation: () => registration,
    saveClientInformation: (information) => { registration = information },
    tokens: () => tokens,
    saveTokens: (granted) => { tokens = granted },
    codeVerifier: () => verifier,
    saveCodeVerifier: (secret) => { verifier = secret },
    async redirectToAuthorization(url) {
      asked.push({ scope: url.searchParams.get('scope'), resource: url.searchParams.get('resource')?.replace(base, '') })
      this.returned = await logIn(url, callback)
    },
  }
}

async function tools(Client, Transport, finish, path, provider) {
  for (let attempt = 0; attempt < 3; attempt++) {
    const client = new Client(me)
    const transport = new Transport(new URL(base + path), { authProvider: provider })
    try {
      await client.connect(transport)
      const { tools } = await client.listTools()
      await client.close()
      return tools.map((tool) => tool.name)
    } catch (error) {
      if (!provider.returned) throw error
      await finish(transport, provider.returned.searchParams)
      provider.returned = undefined
    }
  }
  throw new Error('still not let in')
}

for (const [name, Client, Transport, finish] of [
  ['MCP SDK 1 (npm)', Client1, Transport1, (transport, parameters) => transport.finishAuth(parameters.get('code'))],
  ['MCP client 2 (npm)', Client2, Transport2, (transport, parameters) => transport.finishAuth(parameters)],
]) {
  const provider = user()
  const reading = await tools(Client, Transport, finish, '/api/mcp', provider)
  report(name, 'finds metadata and scope from a 401', { asked: provider.asked.splice(0), tools: reading })
  const writing = await tools(Client, Transport, finish, '/api/mcp/write', provider)
  report(name, 'steps up on a 403', { asked: provider.asked.splice(0), tools: writing })
}
process.exit(0)
