// Forms that a passkey answers (part.Passkey): what it is asked comes from the
// server, its answer goes back in the form. Fetched by app.js where a page has
// such a form; where the browser has no passkeys the form stays hidden.

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON)
  for (const form of document.querySelectorAll('form[data-passkey]')) serve(form)

function serve(form) {
  const trouble = form.querySelector('[data-passkey-trouble]')
  form.hidden = false
  for (const also of document.querySelectorAll('[data-passkey-also]')) also.hidden = false
  let answered = false
  form.addEventListener('submit', async event => {
    if (answered) return
    event.preventDefault()
    trouble.hidden = true
    try {
      const asked = await fetch(form.dataset.ask, { method: 'POST', credentials: 'same-origin' })
      if (!asked.ok) throw new Error('not asked')
      const { challenge, options } = await asked.json()
      const key = form.dataset.passkey === 'create'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
      form.querySelector('[data-passkey-challenge]').value = challenge
      form.querySelector('[data-passkey-answer]').value = JSON.stringify(key.toJSON())
      answered = true
      form.requestSubmit()
    } catch {
      trouble.hidden = false
    }
  })
}
