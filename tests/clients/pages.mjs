// Swagger UI beside a session cookie, and WebSockets, in headless Chromium.
// Usage: node pages.mjs BASE TOKEN EXPIRED CHROMIUM
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { clickElement, report } from './tools.mjs'

const [base, token, expired, chromium] = process.argv.slice(2)
const profile = mkdtempSync(join(tmpdir(), 'browser-'))
const browser = await puppeteer.launch({
  executablePath: chromium,
  userDataDir: profile,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

const page = await browser.newPage()

const open = async () => {
  await page.goto(`${base}/docs`)
  await page.waitForSelector('.opblock')
}

const click = (selector) => page.$eval(selector, clickElement)

// Enters a token as the user of the page does.
async function authorize(value) {
  await click('.auth-wrapper .authorize')
  const field = '.auth-container input[type=text], .auth-container input[type=password]'
  await page.waitForSelector(field)
  const containers = await page.$$('.auth-container')
  for (const container of containers) {
    const title = await container.evaluate((element) => element.textContent)
    if (!title.includes('Bearer')) continue
    await (await container.$('input')).type(value)
    await container.$eval('button.authorize', clickElement)
  }
  await click('.modal-ux .btn-done, .modal-ux .close-modal')
  await page.waitForSelector('.modal-ux', { hidden: true })
}

// Executes an operation, and returns what the server responded.
async function execute(path) {
  const block = await page.evaluateHandle((path) =>
    [...document.querySelectorAll('.opblock')].find((block) => block.querySelector('.opblock-summary-path')?.dataset.path === path), path)
  if (!(await block.$('.execute'))) {
    await block.$eval('.opblock-summary-control', clickElement)
    await page.waitForFunction((block) => block.querySelector('.execute'), {}, block)
  }
  const [response] = await Promise.all([
    page.waitForResponse((response) => response.url() === `${base}${path}`),
    block.$eval('.execute', clickElement),
  ])
  const status = response.status()
  return status === 200 ? { status, ...(await response.json()) } : { status, challenge: response.headers()['www-authenticate'].split('\n')[0] }
}

const connect = (value) => page.evaluate((url, value) => new Promise((resolve) => {
  const socket = new WebSocket(url, ['bearer', value])
  let opened = false
  socket.onopen = () => { opened = true }
  socket.onmessage = ({ data }) => resolve({ protocol: socket.protocol, message: data })
  socket.onerror = () => resolve({ error: true, opened })
}), `${base.replace('http', 'ws')}/chat`, value)

try {
  const client = 'Swagger UI'
  await open()
  report(client, 'sends the cookie of the session before its user authorizes', [await execute('/who'), await execute('/admin')])
  await authorize(token)
  report(client, 'is the caller of its token, with a cookie of another beside it', [await execute('/who'), await execute('/admin')])
  await open()
  await authorize(expired)
  report(client, 'learns that its token expired, in spite of the cookie', [await execute('/who')])
  await page.deleteCookie({ name: 'session', url: base })
  report('Chromium', 'opens a WebSocket with a token among its subprotocols', await connect(token))
  report('Chromium', 'opens no WebSocket with an expired token', await connect(expired))
} finally {
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}
