// Runs axe-core: all rules, or those named. looks are the rules that judge only what
// is to be seen.
async (rules, looks) => {
  const run = options => axe.run(document, {resultTypes: ['violations'], ...options}).then(r => r.violations)
  const closed = [...document.querySelectorAll('details:not([open]) > :not(summary)')]
  const few = closed.reduce((n, e) => n + e.getElementsByTagName('*').length, 0) < 1000
  if (few || rules && !rules.every(r => looks.includes(r))) return run(rules ? {runOnly: rules} : {})

  // Those rules measure what is closed, at length, only to find it unseen: meanwhile
  // it is out of the page. All others are asked of the page as it is.
  const found = rules ? [] : await run({rules: Object.fromEntries(looks.map(r => [r, {enabled: false}]))})
  const places = closed.map(e => [e, e.parentNode, e.nextSibling])
  for (const e of closed) e.remove()
  try {
    found.push(...await run({runOnly: rules || looks}))
  } finally {
    for (const [e, parent, next] of places.reverse()) parent.insertBefore(e, next)
  }
  return found
}
