// Files that are sent as soon as they are chosen or dropped (part.Send): with
// progress, in parts that go on where a lost connection, a restart of the server
// or a reload of the page stopped them (tus 1.0, by tus-js-client, which is fetched
// when the first file is there). A module; app.js fetches it where a page has such
// a field. It says nothing that the server did not give it in data attributes.

const lang = document.documentElement.lang || 'en'
const side = 3 // files sent side by side; the browser has six connections
const silence = 30_000 // after so long without a byte a connection is taken for lost
const delays = [1000, 2000, 4000, 8000, 15_000]

const unit = (value, name, digits = 0) =>
  new Intl.NumberFormat(lang, { style: 'unit', unit: name, unitDisplay: name === 'byte' ? 'long' : 'short', maximumFractionDigits: digits }).format(value)
const scaled = (n, per = '') => {
  const names = ['kilobyte', 'megabyte', 'gigabyte']
  if (n < 1000) return unit(n, 'byte' + per)
  let v = n / 1000, i = 0
  while (v >= 999.5 && i < 2) { v /= 1000; i++ }
  return unit(v, names[i] + per, v < 10 ? 1 : 0)
}
const percent = share => new Intl.NumberFormat(lang, { style: 'percent' }).format(Math.floor(share * 100) / 100)
const duration = s => {
  const [v, name] = s < 60 ? [s, 'second'] : s < 5400 ? [s / 60, 'minute'] : [s / 3600, 'hour']
  return new Intl.NumberFormat(lang, { style: 'unit', unit: name, unitDisplay: 'long' }).format(Math.max(1, Math.round(v)))
}
const titleOf = name => {
  const title = name.replace(/\.[^.]*$/, '').split(/[_ ]+/).filter(Boolean).join(' ')
  return [...title].length < 3 ? name : title
}

let library
const tus = box => library ??= new Promise((done, failed) => {
  const script = document.createElement('script')
  script.src = box.dataset.tus
  script.addEventListener('load', () => done(window.tus))
  script.addEventListener('error', () => { library = undefined; failed(new Error('tus')) })
  document.head.append(script)
})

for (const box of document.querySelectorAll('[data-upload]')) serve(box)
for (const at of document.querySelectorAll('[data-drop]')) dropped(at, on => { at.hidden = !on }, files => carry(at.dataset.drop, files))

// dropped takes whatever is dropped on the page as long as at is on it: else the
// browser would leave the page for it.
function dropped(at, over, take) {
  const files = event => at.isConnected && event.dataTransfer?.types.includes('Files')
  let inside = 0
  document.addEventListener('dragenter', event => { if (files(event)) { inside++; over(true) } })
  document.addEventListener('dragleave', event => { if (files(event) && --inside <= 0) { inside = 0; over(false) } })
  document.addEventListener('dragover', event => { if (files(event)) event.preventDefault() })
  document.addEventListener('drop', event => {
    if (!files(event)) return
    event.preventDefault()
    inside = 0
    over(false)
    take([...event.dataTransfer.files])
  })
}

// carry opens the page whose field the files are for, in place: on a page that is
// loaded they would be lost. Where that fails, the page opens without them.
async function carry(to, files) {
  try {
    const answer = await fetch(to, { credentials: 'same-origin' })
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const main = page.querySelector('main'), box = answer.ok && !answer.redirected && main.querySelector('[data-upload]')
    if (!box) throw new Error('no field for files')
    history.pushState(null, '', to)
    addEventListener('popstate', () => { if (location.pathname !== to) location.reload() })
    document.title = page.title
    document.body.className = page.body.className
    document.querySelector('main').replaceWith(document.adoptNode(main))
    main.focus()
    serve(box)(files)
  } catch {
    location.href = to
  }
}

function serve(box) {
  const input = box.querySelector('input[type=file]'), form = input.form, list = box.querySelector('[data-upload-rows]')
  const note = box.querySelector('[data-upload-note]'), said = box.querySelector('[data-upload-said]'), pattern = box.querySelector('template')
  const most = Number(box.dataset.most), one = most === 1
  const before = one ? form.querySelector('input[type=hidden][name=upload]') : null // kept by the server from a form that was refused
  const rows = []
  let after = null // the button that sends the form once all files are there
  let made = 0

  const word = (name, values) => (box.dataset[name] ?? '').replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '')
  const say = text => { said.textContent = text }
  const tell = text => { note.textContent = text; note.hidden = !text }
  const changed = () => input.dispatchEvent(new Event('input', { bubbles: true })) // for the guard of the form

  // What is under way is remembered, so that it is found after a reload.
  const key = 'upload ' + box.dataset.upload
  const remembered = () => {
    try { return JSON.parse(localStorage.getItem(key)) ?? [] } catch { return [] }
  }
  const remember = () => {
    const all = rows.filter(r => r.url).map(r => ({ url: r.url, name: r.name, size: r.size, modified: r.modified, title: r.title?.value }))
    try {
      if (all.length) localStorage.setItem(key, JSON.stringify(all))
      else localStorage.removeItem(key)
    } catch { /* there is no room, or it is not allowed: then it is not found again */ }
  }

  // row makes the row of a file, or takes over one that the server made.
  function row(name, size, modified, old) {
    const at = old ?? pattern.content.cloneNode(true).firstElementChild
    const find = part => at.querySelector(`[data-upload-${part}]`)
    const r = { at, name, size, modified, state: 'queued', sent: 0, tries: 0, url: '', upload: null, file: null }
    r.hidden = at.querySelector('input[type=hidden]')
    r.title = at.querySelector('input[name=title]')
    r.bar = find('bar')
    r.line = find('line')
    r.toggle = find('toggle')
    r.removal = find('remove')
    r.fault = find('error')
    if (!old) {
      find('name').textContent = name
      find('size').textContent = scaled(size)
      for (const of of at.querySelectorAll('[data-upload-of]')) of.textContent = name
      r.hidden.value = ''
      r.hidden.disabled = true
      r.bar.setAttribute('aria-label', word('bar', { name }))
      if (r.title) {
        r.title.id += ++made
        at.querySelector('label').htmlFor = r.title.id
        r.title.value = titleOf(name)
        r.title.addEventListener('change', remember)
      }
      list.append(at)
    }
    find('buttons').hidden = false
    r.toggle.addEventListener('click', () => r.state === 'paused' || r.state === 'lost' ? resume(r) : pause(r))
    r.removal.addEventListener('click', () => {
      remove(r)
      say(word('saidGone', { name }))
      input.focus()
    })
    rows.push(r)
    return r
  }

  // show writes into the row how it stands.
  function show(r) {
    const done = percent(r.size ? r.sent / r.size : 0), running = r.state === 'running'
    r.bar.hidden = ['here', 'refused'].includes(r.state)
    r.bar.value = r.size ? 100 * r.sent / r.size : 0
    r.toggle.hidden = !['running', 'paused', 'lost'].includes(r.state)
    r.toggle.querySelector('[data-upload-label]').textContent = word(running ? 'pause' : 'resume')
    r.removal.querySelector('[data-upload-label]').textContent = word(['running', 'queued', 'paused', 'lost'].includes(r.state) ? 'cancel' : 'remove')
    r.fault.hidden = r.state !== 'refused'
    r.at.classList.toggle('is-here', r.state === 'here')
    let text = ''
    if (r.state === 'queued') text = word('queued')
    else if (r.state === 'here') text = word('here')
    else if (r.state === 'paused') text = r.why ?? word('paused', { percent: done })
    else if (r.state === 'lost') text = word('lost', { percent: done })
    else if (r.state === 'again') text = word('again', { percent: done })
    else if (running && r.sent >= r.size) text = word('checking')
    else if (running) {
      text = word('line', { sent: scaled(r.sent), size: scaled(r.size), percent: done })
      const pace = speed(r)
      if (pace) text += ' · ' + word('pace', { speed: scaled(pace, '-per-second'), time: duration((r.size - r.sent) / pace) })
    }
    if (r.line.textContent !== text) r.line.textContent = text
  }

  // speed is what was sent in a second, over the last five; 0 as long as it is not known.
  function speed(r) {
    const now = performance.now()
    while (r.marks.length > 2 && now - r.marks[0][0] > 5000) r.marks.shift()
    const [t, n] = r.marks[0] ?? [now, r.sent]
    return now - t < 500 ? 0 : Math.max(0, (r.sent - n) / (now - t) * 1000)
  }

  function set(r, state) {
    r.state = state
    show(r)
    if (state === 'here' || state === 'refused' || state === 'paused') next()
    go()
  }

  // next starts what waits for its turn.
  function next() {
    for (const r of rows.filter(r => r.state === 'queued').slice(0, Math.max(0, side - rows.filter(r => r.state === 'running').length))) start(r)
  }

  async function start(r) {
    r.state = 'running'
    r.marks = []
    r.moved = performance.now()
    r.why = undefined
    show(r)
    try {
      const { Upload } = await tus(box)
      if (r.state !== 'running') return
      r.upload ??= new Upload(r.file, {
        endpoint: r.url ? null : box.dataset.to, uploadUrl: r.url || null, retryDelays: null, storeFingerprintForResuming: false,
        metadata: { filename: r.name },
        // Without an endpoint a question about it that is not answered begins no other.
        onUploadUrlAvailable: () => { r.url = new URL(r.upload.url, location).pathname; r.upload.options.endpoint = null; remember() },
        onProgress: sent => {
          if (r.state !== 'running') return
          if (!r.marks.length && r.sent < sent) r.marks.push([performance.now(), r.sent])
          if (sent > r.sent) r.tries = 0
          r.sent = sent
          r.moved = performance.now()
          if (r.moved - (r.marks.at(-1)?.[0] ?? 0) > 250) r.marks.push([r.moved, sent])
          announce(r)
        },
        onSuccess: () => {
          r.sent = r.size
          r.hidden.value = r.url.slice(r.url.lastIndexOf('/') + 1)
          r.hidden.disabled = false
          say(word('saidHere', r))
          set(r, 'here')
        },
        onError: error => failed(r, error.originalResponse),
      })
      r.upload.start()
    } catch {
      failed(r, null)
    }
  }

  // announce says every quarter, and not more often than every five seconds.
  function announce(r) {
    const quarter = Math.floor(4 * r.sent / r.size), now = performance.now()
    if (quarter <= (r.quarter ?? 0) || quarter > 3 || now - (r.announced ?? 0) < 5000) return
    r.quarter = quarter
    r.announced = now
    say(word('saidAt', { name: r.name, percent: percent(r.sent / r.size) }))
  }

  // failed goes on later where that can help, and shows what the server said where not.
  function failed(r, answer) {
    if (r.state !== 'running') return
    const status = answer?.getStatus() ?? 0
    const passes = [0, 409, 423, 502, 503, 504].includes(status)
    if (passes && (status === 0 || r.tries < delays.length)) {
      r.timer = setTimeout(() => { if (r.state === 'lost') resume(r) }, delays[Math.min(r.tries++, delays.length - 1)])
      return set(r, 'lost')
    }
    if (r.url && (status === 404 || status === 410)) { // it has expired: from its beginning
      Object.assign(r, { url: '', upload: null, sent: 0 })
      return start(r)
    }
    if (status === 401) {
      r.why = word('signIn')
      say(r.why)
      return set(r, 'paused')
    }
    let text = ''
    try {
      const problem = JSON.parse(answer.getBody())
      text = problem.fields?.file ?? problem.detail
    } catch { /* no answer of ours */ }
    refuse(r, text || word('wrong'))
  }

  function refuse(r, text) {
    r.fault.querySelector('[data-upload-text]').textContent = text
    r.url = ''
    if (r.title) r.title.closest('.field').remove()
    remember()
    say(r.name + ': ' + text)
    after = null
    tell('')
    set(r, 'refused')
  }

  function pause(r) {
    r.state = 'paused'
    r.upload?.abort()
    say(word('saidPaused', r))
    set(r, 'paused')
  }

  function resume(r) {
    clearTimeout(r.timer)
    start(r)
  }

  // remove forgets a file, here and at the server.
  function remove(r) {
    clearTimeout(r.timer)
    r.state = 'gone'
    r.upload?.abort()
    const url = r.url || (r.hidden?.value ? box.dataset.to + '/' + r.hidden.value : '')
    if (url) fetch(url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } }).catch(() => {}) // it expires by itself
    r.at.remove()
    rows.splice(rows.indexOf(r), 1)
    remember()
    tell('')
    if (before) before.disabled = false
    input.required = one ? !before : !rows.length
    next()
    go()
  }

  function add(files) {
    files = [...files]
    tell('')
    const free = one ? 1 : most - rows.length
    if (files.length > free) {
      const text = word('many')
      tell(text)
      say(text)
      if (one) return
      files = files.slice(0, free)
    }
    for (const file of files) {
      let r = rows.find(r => r.state === 'again' && r.name === file.name && r.size === file.size && r.modified === file.lastModified)
      if (one) for (const other of [...rows]) if (other !== r) remove(other)
      r ??= row(file.name, file.size, file.lastModified)
      r.file = file
      r.state = 'queued'
      if (one && form.elements.title?.value === '') form.elements.title.value = titleOf(file.name)
      show(r)
      say(word('saidStart', r))
    }
    if (before) before.disabled = true
    input.required = false
    changed()
    next()
  }

  function chosen() {
    if (!input.files.length) return
    const files = [...input.files]
    input.value = '' // the form does not send them
    add(files)
  }
  input.addEventListener('change', chosen)

  dropped(box, on => box.classList.toggle('is-over', on), add)

  // A form that is sent too early waits for its files; one with a file that cannot
  // come is not sent. On the form, so that nothing else takes it for sent.
  form.addEventListener('submit', event => {
    const bad = rows.find(r => r.state === 'refused' && r.fresh !== false || r.state === 'again')
    const busy = rows.filter(r => ['queued', 'running', 'paused', 'lost'].includes(r.state))
    if (!bad && !busy.length) {
      try { localStorage.removeItem(key) } catch { /* nothing was kept */ }
      return
    }
    event.preventDefault()
    event.stopPropagation()
    if (bad) {
      tell(word('first'))
      bad.removal.focus()
      note.scrollIntoView({ block: 'center' })
      return
    }
    after = event.submitter
    tell(word('later'))
    say(word('later'))
    for (const r of busy) if (r.state === 'paused') resume(r)
  })
  function go() {
    if (!after || rows.some(r => r.state !== 'here')) return
    const button = after
    after = null
    form.requestSubmit(button)
  }

  // A connection that is silent for long is lost, whatever the browser thinks.
  setInterval(() => {
    for (const r of rows) {
      if (r.state !== 'running') continue
      show(r)
      if (r.sent < r.size && performance.now() - r.moved > silence) {
        r.upload?.abort()
        failed(r, null)
      }
    }
  }, 500)
  addEventListener('offline', () => {
    for (const r of rows) if (r.state === 'running' && r.sent < r.size) { r.upload?.abort(); failed(r, null) }
  })
  addEventListener('online', () => { for (const r of rows) if (r.state === 'lost') resume(r) })

  // What the server put into the list is there, or was refused by it.
  for (const at of list.children) {
    const r = row(at.querySelector('[data-upload-name]').textContent, 0, 0, at)
    r.state = at.querySelector('input[type=hidden]') ? 'here' : 'refused'
    r.fresh = false // the form may be sent with it: the server leaves it out
    show(r)
  }
  // What was under way before the page was opened is shown again.
  const known = new Set([...form.querySelectorAll('input[name=upload]')].map(i => i.value))
  Promise.all(remembered().filter(e => !known.has(e.url.slice(e.url.lastIndexOf('/') + 1))).map(async e => {
    const answer = await fetch(e.url, { headers: { 'Tus-Resumable': '1.0.0' } })
    if (!answer.ok) return
    const state = await answer.json()
    const r = row(e.name, e.size, e.modified)
    r.url = e.url
    r.sent = Number(answer.headers.get('Upload-Offset'))
    if (r.title && e.title) r.title.value = e.title
    if (state.sha256) {
      r.hidden.value = state.id
      r.hidden.disabled = false
      input.required = false
    }
    set(r, state.sha256 ? 'here' : 'again')
  })).then(remember, () => {}) // not reachable now: it is found the next time
    .then(chosen) // what was chosen before this script was there

  for (const hint of box.querySelectorAll('[data-upload-hint]')) hint.hidden = false
  box.classList.add('is-ready')
  return add
}
