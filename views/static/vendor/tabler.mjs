// What of Tabler's CSS is kept, and how it is made to fit: trimmed to the
// components below and to whatever views/**/*.templ names, with logical
// properties (right-to-left), both themes without JavaScript, and no data: URLs
// (the Content-Security-Policy allows none).
import { readFileSync } from 'node:fs'
import { PurgeCSS } from 'purgecss'
import postcss from 'postcss'

const sizes = ['0', '1', '2', '3', '4', '5']
const cross = (prefixes, values) => prefixes.flatMap(p => values.map(v => p + v))
const points = ['', 'sm-', 'md-', 'lg-']

// Kept even when no template names them yet, so that a new page needs no rebuild.
const keep = [
  ...'container container-xl container-narrow row row-cards row-deck col col-auto gx-2 gx-3 g-0 g-1 g-2 g-3 g-4'.split(' '),
  ...cross(cross(['col-'], points), ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '12', 'auto']),
  ...cross(['m-', 'mt-', 'mb-', 'ms-', 'me-', 'mx-', 'my-'], [...sizes, 'auto']),
  ...cross(['p-', 'pt-', 'pb-', 'ps-', 'pe-', 'px-', 'py-', 'gap-'], sizes),
  ...'d-none d-inline d-inline-block d-block d-flex d-inline-flex d-grid d-sm-none d-sm-block d-sm-inline d-sm-flex d-md-none d-md-block d-md-inline d-md-flex d-lg-none d-lg-block d-lg-flex d-print-none d-print-block'.split(' '),
  ...'flex-fill flex-row flex-column flex-wrap flex-nowrap flex-grow-1 flex-shrink-0 justify-content-start justify-content-end justify-content-center justify-content-between align-items-start align-items-center align-items-end align-items-baseline align-items-stretch align-self-start align-self-center align-middle align-top align-baseline order-first order-last'.split(' '),
  ...'w-0 w-25 w-50 w-75 w-100 w-auto w-1 mw-100 h-100 h-auto position-relative position-absolute position-sticky overflow-hidden overflow-auto'.split(' '),
  ...'text-start text-end text-center text-truncate text-nowrap text-wrap text-break text-body text-secondary text-muted text-reset text-decoration-none text-uppercase text-capitalize fw-normal fw-medium fw-bold fs-1 fs-2 fs-3 fs-4 fs-5 small lead font-monospace lh-1 visually-hidden visually-hidden-focusable'.split(' '),
  ...'border border-0 border-top border-bottom border-start border-end rounded rounded-circle rounded-0 list-unstyled list-inline list-inline-item list-separated'.split(' '),
  ...'h1 h2 h3 h4 h5 h6 subheader hr'.split(' '),
  ...'btn btn-primary btn-outline-primary btn-danger btn-outline-danger btn-secondary btn-ghost-secondary btn-ghost-danger btn-link btn-sm btn-lg btn-icon btn-list disabled active show'.split(' '),
  ...'card card-body card-header card-footer card-title card-subtitle card-link card-sm card-table card-actions'.split(' '),
  ...'table table-sm table-vcenter table-nowrap table-responsive table-hover table-striped'.split(' '),
  ...'badge badge-outline alert alert-title alert-success alert-info alert-warning alert-danger alert-link'.split(' '),
  ...'form-label form-hint form-control form-control-sm form-select form-select-sm form-check form-fieldset input-group input-group-text input-icon input-icon-addon is-invalid invalid-feedback required'.split(' '),
  ...'nav nav-item nav-link nav-tabs nav-pills nav-fill'.split(' '),
  ...'avatar avatar-xs avatar-sm avatar-md avatar-lg avatar-xl avatar-rounded avatar-list avatar-list-stacked'.split(' '),
  ...'steps step-item progress progress-sm progress-bar'.split(' '),
  ...'empty empty-icon empty-title empty-subtitle empty-action list-group list-group-item list-group-item-action list-group-flush'.split(' '),
  ...'datagrid datagrid-item datagrid-title datagrid-content page-header page-title page-subtitle page-pretitle breadcrumb breadcrumb-item'.split(' '),
  ...'status status-dot'.split(' '),
]

// Parts of Tabler that ours replace, whatever the templates say.
const drop = [
  /navbar/, /btn-close/, /btn-check/, /form-switch/, /form-range/, /form-check-input/, /^\.?mark$/, /form-floating/, /form-imagecheck/, /form-colorcheck/, /form-selectgroup/,
  /was-validated/, /:valid/, /is-valid/, /modal/, /offcanvas/, /toast/, /tooltip/, /popover/, /carousel/, /accordion/, /placeholder-/,
  /apexcharts|litepicker|flatpickr|dropzone|tom-select|ts-|jvm-|hljs|tox-|fc-|noUi/, /-xxl/, /timeline/, /dropdown/, /pagination/, /chat-/, /ribbon/,
  /card-(stamp|rotate|tabs|status|progress|cover|avatar|img|stacked|active|inactive|logo|borderless|group)/, /tracking/, /markdown/,
  /btn-(facebook|twitter|google|youtube|vimeo|dribbble|github|instagram|pinterest|vk|rss|flickr|bitbucket|tabler|linkedin|loading|animate|pill|square|floating|toolbar|group|action)/,
  /theme-(?!$)/, /data-bs-theme-(base|font|primary|radius)/, /data-bs-navbar/, /column-count/, /legend/, /\bspinner/, /loader/, /^\.page-(link|item|wrapper|body|cover|center)/,
]

const physical = {
  'margin-left': 'margin-inline-start', 'margin-right': 'margin-inline-end',
  'padding-left': 'padding-inline-start', 'padding-right': 'padding-inline-end',
  'border-left': 'border-inline-start', 'border-right': 'border-inline-end',
  'border-left-width': 'border-inline-start-width', 'border-right-width': 'border-inline-end-width',
  'border-left-color': 'border-inline-start-color', 'border-right-color': 'border-inline-end-color',
  'border-left-style': 'border-inline-start-style', 'border-right-style': 'border-inline-end-style',
  left: 'inset-inline-start', right: 'inset-inline-end',
  'border-top-left-radius': 'border-start-start-radius', 'border-top-right-radius': 'border-start-end-radius',
  'border-bottom-left-radius': 'border-end-start-radius', 'border-bottom-right-radius': 'border-end-end-radius',
}

/** Physical directions become logical ones. */
const logical = () => ({
  postcssPlugin: 'logical',
  Declaration(d) {
    if (physical[d.prop]) d.prop = physical[d.prop]
    else if ((d.prop === 'text-align' || d.prop === 'float' || d.prop === 'clear') && /^(left|right)$/.test(d.value)) {
      const side = d.value === 'left' ? 'start' : 'end'
      d.value = d.prop === 'text-align' ? side : 'inline-' + side
    }
  },
})

/** No data: URLs, and no vendor prefixes of the past. */
const lean = () => ({
  postcssPlugin: 'lean',
  Declaration(d) {
    if (d.value.includes('url(') || /^-(moz|ms|webkit)-(?!text-size|line-clamp|box-orient|appearance)/.test(d.prop)) d.remove()
  },
  Comment(c) { c.remove() },
})

/**
 * Dark rules apply where <html data-bs-theme="dark">, and by the system's wish
 * where no theme is set: each is written once for either way.
 */
export const bothThemes = () => ({
  postcssPlugin: 'both-themes',
  OnceExit(root) {
    root.walkRules(rule => {
      if (rule.selectors.every(s => s.includes('[data-bs-theme=light]') && !/^:root|^\[data-bs-theme=light\]$/.test(s))) { rule.remove(); return }
      const dark = rule.selectors.filter(s => s.includes('[data-bs-theme=dark]'))
      if (!dark.length || rule.parent.automatic) return
      const media = postcss.atRule({ name: 'media', params: '(prefers-color-scheme: dark)' })
      media.automatic = true
      media.append(rule.clone({ selectors: dark.map(s => s.replace(/(:root|html)?\[data-bs-theme=dark\]/, ':root:not([data-bs-theme])')) }))
      rule.after(media)
    })
  },
})

/** Custom properties nobody reads any more go; again, until none is left. */
export const usedVariables = () => ({
  postcssPlugin: 'used-variables',
  OnceExit(root) {
    for (let removed = 1; removed;) {
      removed = 0
      const read = new Set()
      root.walkDecls(d => { for (const m of d.value.matchAll(/var\(\s*(--[\w-]+)/g)) read.add(m[1]) })
      root.walkDecls(/^--/, d => { if (!read.has(d.prop)) { d.remove(); removed++ } })
    }
    root.walkRules(r => { if (!r.nodes.length) r.remove() })
    root.walkAtRules(a => { if (a.nodes && !a.nodes.length) a.remove() })
  },
})

/** Tabler's CSS as this portal needs it; templates is a glob. */
export async function tabler(templates) {
  const css = readFileSync(new URL('node_modules/@tabler/core/dist/css/tabler.css', import.meta.url), 'utf8')
  const [kept] = await new PurgeCSS().purge({
    content: [templates],
    css: [{ raw: css }],
    defaultExtractor: text => text.match(/[A-Za-z][\w-]*/g) ?? [],
    safelist: { standard: [...keep, 'html', 'body', 'data-bs-theme'] },
    blocklist: drop,
    keyframes: true,
    fontFace: true,
  })
  return postcss([lean(), logical()]).process(kept.css, { from: undefined }).then(r => r.css)
}
