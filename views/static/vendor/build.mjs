// Makes views/static/dist: app.css (Tabler's part and ours), app.js, htmx.js, sse.js,
// upload.js, passkey.js, tus.js and icons.svg. Run by hand (npm install && npm run build, in this folder) after
// changing src/ or using a Tabler class for the first time; commit the result.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import postcss from 'postcss'
import { transform } from 'lightningcss'
import { bothThemes, tabler, usedVariables } from './tabler.mjs'
import { sprite } from './icons.mjs'

const here = name => fileURLToPath(new URL(name, import.meta.url))
const read = name => readFileSync(here(name), 'utf8')

const notice = `/*! Parts are from Tabler 1.6.1, copyright 2018-2026 The Tabler Authors and codecalm.net Paweł Kuna, MIT license: https://github.com/tabler/tabler/blob/master/LICENSE */\n`
const theirs = await tabler(here('../../') + '**/*.templ')
const together = `@layer tabler {\n${theirs.replace(/@charset[^;]*;/, '')}\n}\n${read('../src/app.css')}`
const { css } = await postcss([bothThemes(), usedVariables()]).process(together, { from: undefined })
const small = transform({ filename: 'app.css', code: Buffer.from(css), minify: true })
for (const w of small.warnings) console.warn('app.css:', w.message)

mkdirSync(here('../dist'), { recursive: true })
let sum = 0
const out = (name, text) => {
  writeFileSync(here('../dist/' + name), text)
  const packed = brotliCompressSync(Buffer.from(text)).length
  sum += packed
  console.log(name.padEnd(10), String(Buffer.byteLength(text)).padStart(7), 'bytes,', String(packed).padStart(6), 'as brotli')
}
out('app.css', notice + small.code)
out('app.js', read('../src/app.js'))
out('htmx.js', '/*! htmx 2.0.11, Zero-Clause BSD license: https://github.com/bigskysoftware/htmx */\n' + read('node_modules/htmx.org/dist/htmx.min.js'))
// Not of a first visit: fetched where files are sent, tus.js when there is one, and
// where a page shows what is new.
const first = sum
out('sse.js', '/*! htmx-ext-sse 2.2.4, Zero-Clause BSD license: https://github.com/bigskysoftware/htmx-extensions */\n' + read('node_modules/htmx-ext-sse/dist/sse.min.js'))
out('upload.js', read('../src/upload.js'))
out('passkey.js', read('../src/passkey.js'))
out('tus.js', '/*! tus-js-client 4.3.1, copyright Transloadit Ltd and contributors, MIT license: https://github.com/tus/tus-js-client/blob/main/LICENSE */\n' + read('node_modules/tus-js-client/dist/tus.min.js').replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n'))
sum = first
out('icons.svg', sprite())
out('mark.svg', read('../src/mark.svg'))
console.log('first visit:', sum, 'bytes')
