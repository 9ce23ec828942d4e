// What headless Chromium makes of the page of an access report, as somebody with a keyboard, with a phone,
// or without scripts sees it.
// Usage: node access_report.mjs PAGE CHROMIUM
// PAGE is a file; every sight is told as a line of JSON.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import puppeteer from 'puppeteer-core'

const [file, chromium] = process.argv.slice(2)
const address = pathToFileURL(file).href
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const profile = mkdtempSync(join(tmpdir(), 'browser-'))
const browser = await puppeteer.launch({
  executablePath: chromium,
  userDataDir: profile,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
const tell = (sight, seen) => console.log(JSON.stringify({ sight, seen }))

const complaints = []
const requests = []

async function open({ fragment = '', width = 1280, height = 900, scripts = true, scheme = 'light' } = {}) {
  const page = await browser.newPage()
  await page.setViewport({ width, height, isMobile: width < 600, hasTouch: width < 600 })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
  await page.setJavaScriptEnabled(scripts)
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    dialog.dismiss()
  })
  page.on('request', (request) => requests.push(request.url().replace(address, 'PAGE').replace(/#.*/, '')))
  await page.goto(address + fragment)
  return page
}

// The paths of the rows that can be seen, and what is said of them.
const sight = (page) =>
  page.evaluate(() => {
    const isSeen = (element) => element.checkVisibility()
    const rows = [...document.querySelectorAll('#routes tbody tr')].filter(isSeen)
    return {
      rows: rows.map((row) => `${row.cells[0].textContent} ${row.cells[1].textContent}`),
      count: document.getElementById('count').textContent,
      hash: decodeURIComponent(location.hash),
    }
  })

const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.type || document.activeElement.tagName)

async function violations(page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => axe.run())
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 80)).join(', ')}`)
}

try {
  {
    const page = await open()
    tell('everything at first', await sight(page))
    const order = []
    for (let step = 0; step < 7; step += 1) {
      await page.keyboard.press('Tab')
      order.push(await focused(page))
    }
    tell('every filter by Tab, in order', order)
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
    tell('where the focus is', outline)
    await page.evaluate(() => document.activeElement.blur())
    await page.keyboard.press('/')
    tell('the search by a slash', await focused(page))
    await page.keyboard.type('Repos/{ID')
    tell('a part of a path, in whatever case', await sight(page))
    await page.keyboard.press('/')
    tell('a slash that is typed', await page.$eval('#text', (input) => input.value))
    await page.keyboard.press('Backspace')
    await page.keyboard.press('Tab')
    await page.keyboard.type('PUT')
    tell('a method besides', await sight(page))
    await page.reload()
    tell('the same after a reload', await sight(page))
    await page.focus('#filters button')
    await page.keyboard.press('Enter')
    tell('everything after a reset', await sight(page))
    await page.close()
  }
  for (const [name, fragment] of [
    ['a scope', '#asks=scope+%3D+%22repo%3Aread%22'],
    ['what is public', '#access=public'],
    ['what is hidden', '#access=hidden'],
    ['what is unguarded', '#access=unguarded'],
    ['where a reader is let in', '#persona=reader&response=in'],
    ['where anybody is let in', '#response=in'],
    ['what nobody asks for any more', '#asks=scope+%3D+%22gone%22&persona=gone&else=1'],
  ]) {
    const page = await open({ fragment })
    tell(name, (await sight(page)).rows)
    if (name === 'what nobody asks for any more') {
      tell('what is chosen then', await page.$$eval('select', (selects) => selects.map(({ selectedIndex }) => selectedIndex)))
    }
    if (name === 'where a reader is let in') {
      const shown = await page.$$eval('.responses li', (items) => items.filter((item) => item.checkVisibility()).map((item) => item.textContent))
      tell('what the reader is answered', shown)
      await page.evaluate(() => { location.hash = '#persona=anonymous&response=hidden' })
      await page.waitForFunction(() => document.getElementById('persona').value === 'anonymous')
      tell('another address on the same page', (await sight(page)).rows)
      await page.click('button[type=reset]')
      tell('whose responses are hidden after a reset', await page.$$eval('.responses li', (items) => items.filter((item) => !item.checkVisibility()).length))
    }
    await page.close()
  }
  {
    const page = await open()
    const made = await page.evaluate(() => ({
      images: document.images.length,
      scripts: document.scripts.length,
      title: document.title,
      texts: [...document.querySelectorAll('#routes code')].filter(({ textContent }) => textContent.includes('<')).length,
    }))
    tell('hostile texts are texts', made)
    tell('the count is told to those who do not see it', await page.$eval('#count', (element) => element.getAttribute('role')))
    const policy = await page.evaluate(async () => {
      const script = document.createElement('script')
      script.textContent = 'window.ran = true'
      document.body.append(script)
      return { ran: Boolean(window.ran), fetched: await fetch('https://example.invalid/').then(() => true, () => false) }
    })
    tell('nothing else may run or be fetched', policy)
    // That was to be complained about.
    const said = complaints.splice(0)
    tell('what the policy says to that', said.length > 1 && said.every((text) => /Content Security Policy/.test(text)))
    await page.emulateMediaType('print')
    tell('printed without filters', await page.$eval('#filters', (form) => form.checkVisibility()))
    await page.close()
  }
  for (const width of [320, 768, 840]) {
    const page = await open({ width, height: 740 })
    // Not `innerWidth`: a phone zooms out until everything is in it.
    const wide = await page.evaluate((room) => ({
      page: document.documentElement.scrollWidth - room,
      elements: [...document.body.querySelectorAll('*')].filter((element) => {
        const { right, width } = element.getBoundingClientRect()
        return width > 1 && right > room + 0.5
      }).map((element) => element.outerHTML.slice(0, 80)),
    }), width)
    tell(`nothing wider than ${width} pixels`, wide)
    await page.close()
  }
  {
    const page = await open({ scripts: false })
    const seen = await page.$$eval('#routes tbody tr', (rows) => rows.filter((row) => row.checkVisibility()).length)
    tell('without scripts the whole table', { rows: seen, filters: await page.$eval('#filters', (form) => form.checkVisibility()) })
    await page.close()
  }
  for (const [name, options] of [
    ['by day', {}],
    ['by night', { scheme: 'dark' }],
    ['on a phone', { width: 320, height: 740 }],
    ['on a phone by night', { width: 320, height: 740, scheme: 'dark' }],
  ]) {
    const page = await open(options)
    tell(`no barriers ${name} (axe)`, await violations(page))
    await page.close()
  }
  tell('no complaints', complaints)
  tell('no requests', [...new Set(requests)])
} finally {
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}
