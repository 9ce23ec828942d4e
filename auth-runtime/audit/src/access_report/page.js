'use strict'

// Without it the page is the whole table: nothing here is needed to read it.
const form = document.getElementById('filters')
const count = document.getElementById('count')
const rows = [...document.querySelectorAll('#routes tbody tr')]
const { text, method, asks, access, persona, response } = form.elements

// What is chosen is named in the address, so that it can be linked.
const filters = [text, method, asks, access, persona, response].filter(Boolean)

function read() {
  const state = new URLSearchParams(location.hash.slice(1))
  for (const filter of filters) {
    filter.value = state.get(filter.name) ?? ''
    // Of a choice that is not there any more, nothing is left.
    if (filter.selectedIndex === -1) filter.value = ''
  }
}

function write() {
  const state = new URLSearchParams()
  for (const filter of filters) if (filter.value) state.set(filter.name, filter.value)
  const hash = state.toString()
  history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search)
}

const chosen = (select) => select?.selectedOptions[0]?.dataset.index
const words = (list) => (list ? list.split(' ') : [])

// Looked for once: a page may have a hundred thousand of them.
const answered = new Map(rows.map((row) => [row, [...row.querySelectorAll('.responses li')]]))
// The persona whose responses are shown; undefined for all personas.
let asking

function responses(row, who) {
  const given = answered.get(row)
  return who === undefined ? given : given.filter((item) => item.dataset.persona === who)
}

function isMeant(row, who) {
  const { dataset } = row
  const wanted = text.value.trim().toLowerCase()
  return (
    (!wanted || dataset.text.includes(wanted)) &&
    (!method.value || dataset.method === method.value) &&
    (!asks.value || words(dataset.asks).includes(chosen(asks))) &&
    (!access.value || words(dataset.access).includes(access.value)) &&
    (!response?.value || responses(row, who).some((item) => words(item.className).includes(response.value)))
  )
}

function apply() {
  const who = chosen(persona)
  let shown = 0
  for (const row of rows) {
    row.hidden = !isMeant(row, who)
    if (!row.hidden) shown += 1
    if (who === asking) continue
    for (const item of responses(row)) item.hidden = who !== undefined && item.dataset.persona !== who
  }
  asking = who
  count.textContent = shown === rows.length ? `all ${rows.length} rows` : `${shown} of ${rows.length} rows`
}

function change() {
  write()
  apply()
}

form.addEventListener('input', change)
form.addEventListener('submit', (event) => event.preventDefault())
form.addEventListener('reset', (event) => {
  event.preventDefault()
  for (const filter of filters) filter.value = ''
  change()
})
addEventListener('hashchange', () => {
  read()
  apply()
})
addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault()
    text.focus()
    text.select()
  }
})

form.hidden = false
read()
apply()
