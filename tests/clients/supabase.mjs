// supabase-js against a service of its own: the key of the application beside the token of the user.
// Usage: node supabase.mjs BASE KEY SECRET_KEY
import { createClient } from '@supabase/supabase-js'
import { report } from './tools.mjs'

const [base, key, secretKey] = process.argv.slice(2)
const client = 'supabase-js'
// Older versions of Node.js have no WebSocket, which is not used here.
const realtime = { transport: class {} }
const options = { auth: { persistSession: false, autoRefreshToken: false }, realtime }
const connect = (key, more = {}) => createClient(base, key, { ...options, ...more })

/** The outcome of a query: its data, or the status and the title of the problem. */
async function outcome(query) {
  const { data, error, status } = await query
  return error ? { status, title: error.title } : { status, data }
}

const read = (supabase) => outcome(supabase.from('notes').select('*'))
const write = (supabase) => outcome(supabase.from('notes').insert({ text: 'new' }).select())

const visitor = connect(key)
report(client, 'reads as a visitor', await read(visitor))
report(client, 'is asked to log in as a visitor', await write(visitor))

const user = connect(key)
const login = await user.auth.signInWithPassword({ email: 'ann@shop.example', password: 'secret' })
report(client, 'logs in with a password', { user: login.data.user?.id, error: login.error?.message })
report(client, 'reads as a user', await read(user))
report(client, 'writes as a user', await write(user))
const { access_token, refresh_token } = login.data.session

const restored = connect(key)
const session = await restored.auth.setSession({ access_token, refresh_token })
report(client, 'restores a session (setSession)', { user: session.data.user?.id, error: session.error?.message })
report(client, 'reads with a restored session', await read(restored))
await restored.auth.signOut({ scope: 'local' })
report(client, 'reads as a visitor after the logout', await read(restored))

report(client, 'reads with the token of another issuer (accessToken)', await read(connect(key, { accessToken: async () => access_token })))
report(client, 'is told that its token is invalid', await read(connect(key, { accessToken: async () => 'nonsense' })))
report(client, 'is told that its key is invalid', await write(connect('sb_publishable_0000000000000000', { accessToken: async () => access_token })))

report(client, 'reads as a program, with a secret key', await read(connect(secretKey)))
report(client, 'has the rights of a secret key', await outcome(connect(secretKey).from('accounts').select('*')))
report(client, 'has no such rights as a user', await outcome(user.from('accounts').select('*')))
