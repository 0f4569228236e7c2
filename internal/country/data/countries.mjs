// Makes countries.tsv from the Unicode CLDR: ISO 3166-1 codes, UN M49 regions,
// and names in six languages. Run by hand: npm install && npm run build.
import { readFileSync, writeFileSync } from 'node:fs'

const json = path => JSON.parse(readFileSync(new URL('node_modules/' + path, import.meta.url)))
const codes = json('cldr-core/supplemental/codeMappings.json').supplemental.codeMappings
const inside = json('cldr-core/supplemental/territoryContainment.json').supplemental.territoryContainment
const languages = ['en', 'fr', 'es', 'ru', 'zh', 'ar']
const names = Object.fromEntries(languages.map(l => [l, json(`cldr-localenames-full/main/${l}/territories.json`).main[l].localeDisplayNames.territories]))

// The subregion (13 groups of M49 below the five continents) of each country.
const region = {}
for (const continent of ['002', '019', '142', '150', '009'])
  for (const sub of inside[continent]._contains)
    for (const code of inside[sub]?._contains ?? [])
      if (/^[A-Z]{2}$/.test(code)) region[code] = [continent, sub]
const place = { AQ: ['001', '001'], ...region }

// In CLDR for historical or technical reasons, but not in ISO 3166-1.
const notCountries = new Set(['AC', 'CP', 'CQ', 'DG', 'EA', 'EU', 'EZ', 'IC', 'QO', 'TA', 'UN', 'XA', 'XB', 'ZZ'])

const rows = Object.keys(names.en)
  .filter(c => /^[A-Z]{2}$/.test(c) && !notCountries.has(c) && codes[c]?._numeric)
  .sort()
  .map(code => {
    const said = l => names[l][code + '-alt-short'] && ['HK', 'MO', 'PS', 'MM'].includes(code) ? names[l][code + '-alt-short'] : names[l][code]
    const also = languages.flatMap(l => ['', '-alt-short', '-alt-variant'].map(v => names[l][code + v])).filter((n, i, all) => n && n !== said('en') && all.indexOf(n) === i)
    const [continent, sub] = place[code] ?? []
    if (!continent) throw new Error('no region: ' + code)
    return [code, codes[code]._alpha3, codes[code]._numeric, continent, sub, ...languages.map(said), also.filter(n => !languages.some(l => said(l) === n)).join('|')].join('\t')
  })

writeFileSync(new URL('countries.tsv', import.meta.url),
  '# Made by countries.mjs from Unicode CLDR 48.2.0. Names: copyright 1991-2026 Unicode, Inc., Unicode License v3, https://www.unicode.org/license.txt\n' +
  '# alpha2\talpha3\tnumeric\tregion\tsubregion\t' + languages.join('\t') + '\talso\n' + rows.join('\n') + '\n')
console.log(rows.length, 'countries')
