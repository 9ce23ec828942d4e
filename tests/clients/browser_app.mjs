// What headless Chromium does with an application that keeps its logins in sessions.
// Usage: node browser_app.mjs BASE SIBLING CHROMIUM
// SIBLING is another origin of the same site, so that the browser sends the cookie along.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { clickElement, report } from './tools.mjs'

const [base, sibling, chromium] = process.argv.slice(2)
const profile = mkdtempSync(join(tmpdir(), 'browser-'))
const browser = await puppeteer.launch({
  executablePath: chromium,
  userDataDir: profile,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

const visitor = async () => (await browser.createBrowserContext()).newPage()
const place = (page) => page.url().replace(base, '')

// Fills the form of the page that is shown.
async function logIn(page, name) {
  await page.type('[name=name]', name)
  await page.type('[name=password]', 'secret')
  await Promise.all([page.waitForNavigation(), page.$eval('button', clickElement)])
}

const cookies = (page) => page.browserContext().cookies()
const session = async (page) => (await cookies(page)).find(({ name }) => name === '__Host-session')

// By somebody who knows a cookie's value, and has no browser.
const status = async ({ name, value }) =>
  (await fetch(`${base}/api/notes`, { headers: { cookie: `${name}=${value}` } })).status

try {
  const client = 'Chromium'
  const ann = await visitor()
  {
    let prompts = 0
    const devtools = await ann.createCDPSession()
    await devtools.send('Fetch.enable', { handleAuthRequests: true })
    devtools.on('Fetch.requestPaused', ({ requestId }) => devtools.send('Fetch.continueRequest', { requestId }).catch(() => {}))
    devtools.on('Fetch.authRequired', ({ requestId }) => {
      prompts += 1
      devtools.send('Fetch.continueWithAuth', { requestId, authChallengeResponse: { response: 'CancelAuth' } }).catch(() => {})
    })
    await ann.goto(`${base}/`)
    const sent = place(ann)
    const { status, challenge, redirected } = await ann.evaluate(async () => {
      const { status, headers, redirected } = await fetch('/api/notes')
      return { status, challenge: headers.get('www-authenticate'), redirected }
    })
    report(client, 'tells a script that nobody is logged in', { status, challenge, redirected })
    await logIn(ann, 'ann')
    report(client, 'is sent to log in where a page asks for it, and back', { sent, prompts, back: place(ann) })
    await devtools.detach()
  }
  {
    const { name, httpOnly, secure, sameSite } = await session(ann)
    report(client, "keeps the session's cookie to itself and to this site", { name, httpOnly, secure, sameSite })
  }
  {
    await ann.type('#note', '<b>milk</b>')
    await Promise.all([ann.waitForSelector('#notes li'), ann.$eval('#add button', clickElement)])
    const notes = await ann.$$eval('#notes li', (items) => items.map((item) => item.textContent))
    report(client, 'lets the script of a logged-in user in', notes)
  }
  {
    const outage = (request) => (request.method() === 'POST' ? request.respond({ status: 503, body: '{}' }) : request.continue())
    await ann.setRequestInterception(true)
    ann.on('request', outage)
    await ann.type('#note', 'bread')
    await Promise.all([ann.waitForResponse((response) => response.status() === 503), ann.$eval('#add button', clickElement)])
    // The script has had its turn when a later response is there.
    await ann.evaluate(async () => (await fetch('/api/notes')).text())
    const kept = await ann.$eval('#note', (input) => input.value)
    ann.off('request', outage)
    await ann.setRequestInterception(false)
    report(client, 'keeps the text of a note that was not added', kept)
  }
  {
    const before = await session(ann)
    await ann.goto(`${base}/login?next=%2F`)
    await logIn(ann, 'ann')
    const after = await session(ann)
    report(client, "gets another session's id with each login", { changed: before.value !== after.value, old: await status(before) })
  }
  {
    const hidden = await ann.goto(`${base}/admin`)
    const ada = await visitor()
    await ada.goto(`${base}/login?next=%2Fadmin`)
    await logIn(ada, 'ada')
    const shown = await ada.reload()
    report(client, 'shows a hidden page to those only who may see it', { ann: hidden.status(), ada: shown.status() })
  }
  {
    const devtools = await ann.createCDPSession()
    await devtools.send('Network.enable')
    let form
    devtools.on('Network.requestWillBeSentExtraInfo', ({ headers }) => {
      const fields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
      if (fields.origin === sibling) form = fields
    })
    await ann.goto(sibling)
    const [response] = await Promise.all([
      ann.waitForNavigation(),
      ann.evaluate((action) => {
        const form = Object.assign(document.createElement('form'), { method: 'post', action })
        document.body.append(form)
        form.submit()
      }, `${base}/logout`),
    ])
    const still = await ann.goto(`${base}/`)
    report(client, "sends the cookie along for a sibling site's form, in vain", {
      cookie: form.cookie.includes('__Host-session='),
      site: form['sec-fetch-site'],
      status: response.status(),
      still: still.status(),
    })
  }
  {
    const before = await session(ann)
    await Promise.all([ann.waitForNavigation(), ann.$eval('#logout', clickElement)])
    const old = await status(before)
    await ann.goto(`${base}/`)
    report(client, 'forgets the session after the logout', { old, sent: place(ann), cookies: (await cookies(ann)).length })
  }
} finally {
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}
