// What headless Chromium does: when it asks its user for a password, and what its scripts can read.
// Usage: node browser.mjs BASE ISSUER CHROMIUM
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { report, token } from './tools.mjs'

const [base, issuer, chromium] = process.argv.slice(2)
const elsewhere = base.replace('127.0.0.1', 'localhost')
const profile = mkdtempSync(join(tmpdir(), 'browser-'))
const browser = await puppeteer.launch({
  executablePath: chromium,
  userDataDir: profile,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

// A page whose user answers the password prompt once, and gives up if it comes again.
async function page(user) {
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  const session = await page.createCDPSession()
  const prompts = []
  await session.send('Fetch.enable', { handleAuthRequests: true })
  session.on('Fetch.requestPaused', ({ requestId }) => session.send('Fetch.continueRequest', { requestId }).catch(() => {}))
  session.on('Fetch.authRequired', ({ requestId, authChallenge: { scheme, realm } }) => {
    prompts.push({ scheme, realm })
    const answer = user && prompts.length === 1 ? { response: 'ProvideCredentials', username: user, password: 'secret' } : { response: 'CancelAuth' }
    session.send('Fetch.continueWithAuth', { requestId, authChallengeResponse: answer }).catch(() => {})
  })
  return { page, prompts }
}

const scripted = (page, url, init) => page.evaluate(async (url, init) => {
  try {
    const response = await fetch(url, init)
    return { status: response.status, challenge: response.headers.get('www-authenticate') }
  } catch (error) {
    return { error: error.message }
  }
}, url, init)

try {
  const client = 'Chromium'
  {
    const { page: ann, prompts } = await page('ann')
    const response = await ann.goto(`${base}/profile`)
    report(client, 'asks for a password on a page', { prompts, status: response.status(), text: await response.text() })
  }
  {
    const { page: bob, prompts } = await page('bob')
    const response = await bob.goto(`${base}/git/secret.git/HEAD`)
    report(client, 'is told that a hidden page is not there', { prompts: prompts.length, status: response.status() })
  }
  {
    const { page: reader, prompts } = await page()
    await reader.goto(base)
    report(client, 'does not ask when a script calls', { ...(await scripted(reader, '/profile')), prompts })
  }
  {
    const { page: reader, prompts } = await page()
    await reader.goto(elsewhere)
    const refused = await scripted(reader, `${base}/api/files`)
    report(client, "lets another origin's script read the challenge", { ...refused, prompts })
    const authorization = `Bearer ${await token(issuer, `${base}/api`, 'files:read')}`
    const granted = await scripted(reader, `${base}/api/files`, { headers: { authorization } })
    report(client, "lets another origin's script in after a preflight", granted)
    const document = await reader.evaluate(async (url) => {
      const response = await fetch(url, { headers: { 'mcp-protocol-version': '2025-11-25' } })
      return (await response.json()).scopes_supported
    }, `${base}/.well-known/oauth-protected-resource/api`)
    report(client, "lets another origin's script read the resource metadata", document)
  }
} finally {
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}
