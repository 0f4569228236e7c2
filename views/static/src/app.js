// What the script adds to pages that work without it. A module: it runs once the
// document is there, and asks nothing of any other host. Everything listens on the
// document, so what htmx swaps in works as well.

const on = (type, selector, act, options) =>
  document.addEventListener(type, event => {
    const found = event.target instanceof Element && event.target.closest(selector)
    if (found) act(event, found)
  }, options)

// Menus close on a click elsewhere and on Escape, which leads back to the summary.
document.addEventListener('click', event => {
  for (const menu of document.querySelectorAll('details[data-menu][open]'))
    if (!menu.contains(event.target)) menu.open = false
})
document.addEventListener('keydown', event => {
  if (event.key !== 'Escape') return
  for (const menu of document.querySelectorAll('details[data-menu][open]')) {
    menu.open = false
    menu.querySelector('summary').focus()
  }
})

// A link with data-dialog shows the part of its page that is marked
// data-dialog-content in place. If that fails in any way, the page itself opens.
on('click', 'a[data-dialog]', async (event, link) => {
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey) return
  event.preventDefault()
  try {
    const answer = await fetch(link.href, { credentials: 'same-origin' })
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const content = answer.ok && !answer.redirected && page.querySelector('[data-dialog-content]')
    if (!content) throw new Error('no dialog')
    const dialog = document.createElement('dialog')
    const heading = content.querySelector('h1, h2')
    if (heading) {
      heading.id ||= 'dialog-title'
      dialog.setAttribute('aria-labelledby', heading.id)
    }
    dialog.append(document.adoptNode(content))
    dialog.addEventListener('close', () => dialog.remove())
    dialog.addEventListener('click', e => { if (e.target === dialog) dialog.close() })
    document.body.append(dialog)
    dialog.showModal()
    // Enter, pressed once too often, keeps things as they are.
    dialog.querySelector('textarea, select, input:not([type=hidden]), [data-dialog-close]')?.focus()
  } catch {
    location.assign(link.href)
  }
})
on('click', 'dialog [data-dialog-close]', (event, link) => {
  event.preventDefault()
  link.closest('dialog').close()
})

// A guarded form warns before what was written in it is lost.
const written = new WeakSet()
on('input', 'form[data-guard]', (_, form) => written.add(form))
on('submit', 'form[data-guard]', (_, form) => written.delete(form))
addEventListener('beforeunload', event => {
  for (const form of document.querySelectorAll('form[data-guard]'))
    if (written.has(form)) event.preventDefault()
})

// A form is sent once: its buttons rest until the answer is there. A button that
// downloads something leaves the page as it is.
document.addEventListener('submit', event => {
  const form = event.target
  const method = event.submitter?.getAttribute('formmethod') ?? form.method
  if (method !== 'post' || event.defaultPrevented) return
  setTimeout(() => { for (const button of form.querySelectorAll('button')) button.disabled = true })
})
addEventListener('pageshow', event => {
  if (event.persisted) for (const button of document.querySelectorAll('form[method=post] button')) button.disabled = false
})

// A button with data-reveal shows the passwords of its form in place, and hides
// them again; without a script it sends the form, which comes back with them.
on('click', 'button[data-reveal]', (event, button) => {
  event.preventDefault()
  const shown = button.getAttribute('aria-pressed') === 'true'
  for (const field of button.form.querySelectorAll('input[autocomplete$="-password"]')) field.type = shown ? 'password' : 'text'
  const label = button.querySelector('span')
  button.dataset.conceal ??= label.textContent
  label.textContent = shown ? button.dataset.conceal : button.dataset.reveal
  button.setAttribute('aria-pressed', String(!shown))
})
// What was shown is hidden before it is sent, so that no browser keeps it as text.
on('submit', 'form', (_, form) => {
  for (const field of form.querySelectorAll('input[autocomplete$="-password"]')) field.type = 'password'
})

// A filter leaves out of the address what is not set.
on('submit', 'form[data-clean]', (_, form) => {
  const empty = [...form.elements].filter(e => e.name && e.value === '')
  for (const e of empty) e.disabled = true
  setTimeout(() => { for (const e of empty) e.disabled = false })
})
document.addEventListener('htmx:configRequest', event => {
  if (!event.target.closest?.('form[data-clean]')) return
  const sent = event.detail.parameters
  for (const name of Object.keys(sent)) if (sent[name] === '') delete sent[name]
  // A search box that is left says once more what it said while it was typed in.
  const shown = new URLSearchParams(location.search).toString()
  if (event.detail.triggeringEvent?.type === 'change' && shown === new URLSearchParams(event.detail.formData).toString()) event.preventDefault()
})

// While a link, a button or a choice is pressed, nothing is asked for: what came anew
// under the finger would take it away, and with it the click. Mostly it is the press
// itself that asks, as it leaves a field that has changed. A menu of the browser may
// keep to itself that it was let go: no click takes longer than a second.
let pressed = false
const release = () => {
  pressed = false
  dispatchEvent(new Event('released'))
}
addEventListener('pointerdown', ({ target }) => {
  pressed = target instanceof Element && !!target.closest('a, button, label, summary')
  if (pressed) setTimeout(release, 1000)
}, true)
for (const type of ['pointerup', 'pointercancel']) addEventListener(type, () => setTimeout(release), true) // the click comes first
document.addEventListener('htmx:confirm', event => {
  if (!pressed) return
  event.preventDefault()
  addEventListener('released', () => event.detail.issueRequest(), { once: true })
})

// htmx is fetched when something that needs it gets the focus or a touch: most
// visits read, and read faster without. What was typed until it is there counts.
const fetchHtmx = loaded => {
  for (const type of ['focusin', 'pointerdown']) document.removeEventListener(type, enrich)
  const script = document.createElement('script')
  script.src = document.querySelector('script[data-htmx]').dataset.htmx
  if (loaded) script.addEventListener('load', loaded)
  // htmx starts itself if the document is complete when it comes.
  if (document.readyState === 'complete') document.head.append(script)
  else addEventListener('load', () => document.head.append(script))
}
const enrich = ({ target }) => {
  if (!(target instanceof Element) || !target.closest('[hx-get], [hx-post]')) return
  const before = target.value
  fetchHtmx(() => { if (target.value !== before) target.dispatchEvent(new Event('change', { bubbles: true })) })
}
// A page that shows what is new has brought it.
if (document.querySelector('[hx-trigger^=load]') && !window.htmx) fetchHtmx()
else if (!window.htmx) for (const type of ['focusin', 'pointerdown']) document.addEventListener(type, enrich)

// What the reader has opened stays open, and what was chosen stays chosen, when its
// part of the page comes anew; also where it comes again before it was opened again.
let opened = [], chosen = [], swapping = false
document.addEventListener('htmx:beforeSwap', event => {
  opened = [...swapping ? opened : [], ...[...event.target.querySelectorAll('details[id][open]')].map(d => d.id)]
  swapping = true
  chosen = [...event.target.querySelectorAll('input[type=radio]:checked')].map(r => `input[type=radio][name="${CSS.escape(r.name)}"][value="${CSS.escape(r.value)}"]`)
})
document.addEventListener('htmx:load', event => {
  swapping = false
  for (const id of opened) event.target.querySelector(`#${CSS.escape(id)}`)?.setAttribute('open', '')
  for (const radio of chosen) {
    const again = event.target.querySelector(radio)
    if (again) again.checked = true
  }
})

// <input data-filter="#list"> hides the children of the list that lack its text.
on('input', 'input[data-filter]', (_, input) => {
  const wanted = input.value.trim().toLocaleLowerCase()
  for (const row of document.querySelector(input.dataset.filter)?.children ?? [])
    row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted)
})

// <input type="checkbox" data-all="name"> ticks all boxes of that name in its form;
// what hides it is shown, as it needs a script.
on('change', 'input[data-all]', (_, all) => {
  for (const box of all.form.querySelectorAll(`input[type=checkbox][name="${CSS.escape(all.dataset.all)}"]`)) box.checked = all.checked
})

// Buttons that only a script can serve are hidden until there is one.
const ready = root => {
  if (navigator.clipboard) for (const button of root.querySelectorAll('[data-copy][hidden]')) button.hidden = false
  for (const button of root.querySelectorAll('[data-dismiss][hidden]')) button.hidden = false
  for (const all of root.querySelectorAll('[hidden] input[data-all]')) all.closest('[hidden]').hidden = false
}
on('click', '[data-copy]', async (_, button) => {
  await navigator.clipboard.writeText(button.dataset.copy)
  const label = button.querySelector('.visually-hidden')
  const before = label.textContent
  button.classList.add('is-done')
  label.textContent = button.dataset.copied
  setTimeout(() => { button.classList.remove('is-done'); label.textContent = before }, 2000)
})
on('click', '[data-dismiss]', (_, button) => button.closest('.alert').remove())

ready(document)
document.addEventListener('htmx:load', event => ready(event.target))
document.querySelector('[data-focus]')?.focus()
// The open tab, and the open entry of the menu, are in sight where these are a line that
// scrolls. (scrollIntoView would also have the first Tab key begin there, past the skip
// link and the menu.)
for (const current of document.querySelectorAll(':is(.top-menu, .tabs, .choices) [aria-current]')) {
  const line = current.closest('ul'), tab = current.getBoundingClientRect(), box = line.getBoundingClientRect()
  line.scrollLeft += tab.left + tab.width / 2 - box.left - box.width / 2
}

// What sends files while a form is still being filled in comes with such a field, or
// where files may be dropped.
const sending = document.querySelector('[data-upload], [data-drop]')
if (sending) import(sending.dataset.script)
const keyed = document.querySelector('form[data-passkey]')
if (keyed) import(keyed.dataset.script)
