// What a journey does in a page, run by the browser's debugger and so free of
// the page's Content-Security-Policy. An expression: an object of functions.
({
  norm(s) { return (s || '').replace(/\s+/g, ' ').trim() },

  // shown tells whether a person can see e.
  shown(e) {
    const s = getComputedStyle(e)
    return e.getClientRects().length > 0 && s.visibility !== 'hidden' && s.display !== 'none'
  },

  // root is the place to look in: the page, or the smallest row, item or
  // section that shows the text.
  root(within) {
    if (!within) return document
    const all = [...document.querySelectorAll('tr,li,article,section,fieldset,form,dialog,nav,details,.card')]
      .filter(e => this.shown(e) && this.norm(e.innerText).includes(within))
    return all.sort((a, b) => a.innerText.length - b.innerText.length)[0]
  },

  all(within, selector) {
    const root = this.root(within)
    return root ? [...root.querySelectorAll(selector)] : []
  },

  // name is what a form control is called by its label, without its own text.
  name(e) {
    if (e.getAttribute('aria-label')) return this.norm(e.getAttribute('aria-label'))
    const label = e.labels && e.labels[0]
    if (!label) return ''
    const copy = label.cloneNode(true)
    for (const c of copy.querySelectorAll('input,select,textarea,.form-hint,[aria-hidden=true]')) c.remove()
    return this.norm(copy.textContent).replace(/\s*\*$/, '')
  },

  control(within, what) {
    const c = this.all(within, 'input:not([type=hidden]),select,textarea')
    return c.find(e => this.name(e) === what && this.shown(e)) || c.find(e => e.name === what)
  },

  // option is the radio button of that label in the group of that legend or name.
  option(within, group, what) {
    return this.all(within, 'input[type=radio]').find(e => {
      const legend = e.closest('fieldset') && e.closest('fieldset').querySelector('legend')
      return this.name(e) === what && (e.name === group || legend && this.norm(legend.textContent).replace(/\s*\*$/, '') === group)
    })
  },

  // target is what a person who reads `what` would click on.
  target(within, what) {
    const text = e => this.norm(e.innerText) || e.value || ''
    const c = this.all(within, 'a,button,summary,label,input[type=submit],input[type=button],[role=button],[role=tab],[role=menuitem]')
      .filter(e => this.shown(e))
    const named = c.find(e => text(e) === what || this.norm(e.getAttribute('aria-label')) === what) ||
      c.find(e => text(e).startsWith(what))
    if (named) return named
    try { return this.all(within, what).find(e => this.shown(e)) } catch { return undefined } // not a selector
  },

  // point scrolls e into view and returns where to click on it, or why one cannot.
  point(e) {
    if (!e) return {error: 'not there'}
    if (e.disabled || e.getAttribute('aria-disabled') === 'true') return {error: 'disabled'}
    // A control drawn by its label is clicked there.
    if (!this.shown(e) || e.getBoundingClientRect().width < 2) e = e.labels && e.labels[0] || e
    if (!this.shown(e)) return {error: 'not visible'}
    e.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'})
    const r = e.getClientRects()[0]
    const x = r.left + r.width / 2, y = r.top + r.height / 2
    const hit = document.elementFromPoint(x, y)
    if (!hit) return {error: 'outside the page'}
    if (!e.contains(hit) && !hit.contains(e) && !(e.labels && [...e.labels].some(l => l.contains(hit))))
      return {error: 'covered by <' + hit.tagName.toLowerCase() + ' class="' + hit.className + '">'}
    return {x, y}
  },

  click(within, what) { return this.point(this.target(within, what)) },

  // ready prepares a field for typing; kind is "type", "set" (typing depends on
  // the browser's language) or "option".
  ready(within, what) {
    const e = this.control(within, what)
    const p = this.point(e)
    if (p.error) return p
    if (e.readOnly) return {error: 'read-only'}
    e.focus()
    if (e.tagName === 'SELECT') return {kind: 'option'}
    if (/^(date|time|datetime-local|month|week|number|color|range)$/.test(e.type)) return {kind: 'set'}
    e.select()
    return {kind: 'type'}
  },

  set(within, what, value) {
    const e = this.control(within, what)
    e.value = value
    for (const name of ['input', 'change']) e.dispatchEvent(new Event(name, {bubbles: true}))
    return {}
  },

  value(within, what) {
    const e = this.control(within, what)
    return e ? {value: e.value.replace(/\r\n/g, '\n')} : {error: 'gone'}
  },

  // choose picks an option of a list, or says where to click on a radio button.
  choose(within, what, option) {
    const e = this.control(within, what)
    if (!e || e.tagName !== 'SELECT') return this.point(this.option(within, what, option))
    const p = this.point(e)
    if (p.error) return p
    const o = [...e.options].find(o => this.norm(o.text) === option) || [...e.options].find(o => o.value === option)
    if (!o) return {error: 'no such option, but: ' + [...e.options].map(o => this.norm(o.text)).join(', ')}
    this.set(within, what, o.value)
    return {kind: 'done'}
  },

  text(within, selector) {
    const e = this.all(within, selector)[0]
    return e ? {value: this.norm(e.innerText)} : {error: 'not there'}
  },

  // sees ignores case, as CSS may have changed it.
  sees(within, text) {
    const root = within ? this.root(within) : document.body
    return {value: String(!!root && this.norm(root.innerText).toLowerCase().includes(this.norm(text).toLowerCase()))}
  },

  // digest names what a person is shown: the page without what differs each time
  // it is made, such as ids and dates, with its styles and what its fields hold.
  async digest() {
    const styles = [...document.querySelectorAll('link[rel=stylesheet]')].map(e => new URL(e.href).pathname)
    const fields = [...document.querySelectorAll('input,select,textarea')].map(e => [e.checked, e.disabled, !!e.value, e === document.activeElement])
    const html = document.documentElement.outerHTML
      .replace(/\/static\/[\w.-]+/g, '') // styles are named above, and what scripts did is in the page
      .replace(/(?=[\w-]*\d)[\w-]{20,}|\d+\.\d+/g, '0')
      .replace(/>[^<]*<| (href|src|title|value|content|action|datetime|alt|aria-label|id|for|(hx|data)-[a-z-]+)="[^"]*"/g, s => s.replace(/\d+/g, '0'))
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify([styles, fields, html])))
    return [...new Uint8Array(hash)].map(b => b.toString(16).padStart(2, '0')).join('')
  },

  page() { return {value: document.body ? document.body.innerText : ''} },
})
