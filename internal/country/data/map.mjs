// Makes map.tsv from Natural Earth (public domain, as world-atlas 2.0.2): the
// countries of the 1:110m map as SVG paths in the Equal Earth projection, and a
// point for every country and territory, from the 1:10m map, for those the small
// map lacks or shows too small to see. Run by hand: npm install && npm run build.
import { readFileSync, writeFileSync } from 'node:fs'
import { feature } from 'topojson-client'

const here = name => new URL(name, import.meta.url)
const world = scale => {
  const topology = JSON.parse(readFileSync(here(`node_modules/world-atlas/countries-${scale}.json`)))
  return feature(topology, topology.objects.countries).features
}
const rows = readFileSync(here('countries.tsv'), 'utf8').split('\n').filter(l => l && l[0] !== '#').map(l => l.split('\t'))
const byNumeric = Object.fromEntries(rows.map(r => [r[2], r[0]]))
const code = f => byNumeric[f.id] ?? { Kosovo: 'XK', Somaliland: 'SO', 'N. Cyprus': 'CY' }[f.properties.name]

// Equal Earth (Šavrič, Patterson, Jenny 2018): areas keep their proportion, so
// that a color on the map weighs what it means.
const [A1, A2, A3, A4] = [1.340264, -0.081106, 0.000893, 0.003796]
const equalEarth = ([lon, lat]) => {
  const l = (lon - 11) * Math.PI / 180 // turned by 11° so that no land but Chukotka's tip crosses the edge
  const t = Math.asin(Math.sqrt(3) / 2 * Math.sin(lat * Math.PI / 180)), t2 = t * t, t6 = t2 ** 3
  return [
    l * Math.cos(t) / (Math.sqrt(3) / 2 * (A1 + 3 * A2 * t2 + t6 * (7 * A3 + 9 * A4 * t2))),
    t * (A1 + A2 * t2 + t6 * (A3 + A4 * t2)),
  ]
}
const width = 1000, scale = width / (2 * 2.7066), top = equalEarth([0, 83.7])[1]
const project = p => { const [x, y] = equalEarth(p); return [x * scale + width / 2, (top - y) * scale] }
const height = Math.ceil(project([11, -56])[1])

/** Cuts a ring at the meridian opposite the center, which the turn moved to 169° W. */
const wrap = ring => {
  const east = ring.map(([lon, lat]) => [lon < -169 ? lon + 360 : lon, lat])
  const onEdge = Math.max(...east.map(p => p[0])) - Math.min(...east.map(p => p[0])) > 300
  return onEdge ? ring.map(([lon, lat]) => [Math.max(lon, -169), lat]) : east.map(([lon, lat]) => [Math.min(lon, 190.9), lat])
}
const area = pts => Math.abs(pts.reduce((s, [x, y], i) => { const [u, v] = pts[(i + 1) % pts.length]; return s + x * v - u * y }, 0)) / 2

const path = geometry => {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates
  let d = '', size = 0
  for (const rings of polygons) for (const [i, ring] of rings.entries()) {
    const pts = wrap(ring).map(project).map(([x, y]) => [Math.round(x), Math.round(y)])
      .filter((p, j, all) => !j || p[0] !== all[j - 1][0] || p[1] !== all[j - 1][1])
    if (pts.length > 1 && pts[0].join() === pts.at(-1).join()) pts.pop()
    if (pts.length < 3) continue
    const a = area(pts)
    if (!i) size += a
    let [x, y] = pts[0], rest = `M${x} ${y}l`
    rest += pts.slice(1).map(([u, v]) => { const s = `${u - x} ${v - y}`; [x, y] = [u, v]; return s }).join(' ').replace(/ -/g, '-')
    d += rest + 'z'
  }
  return { d, size }
}

/** The middle of the largest polygon, by area, in longitude and latitude. */
const middle = geometry => {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates
  const ring = polygons.map(p => p[0]).sort((a, b) => area(b) - area(a))[0]
  let s = 0, x = 0, y = 0
  ring.forEach(([a, b], i) => { const [u, v] = ring[(i + 1) % ring.length], c = a * v - u * b; s += c; x += (a + u) * c; y += (b + v) * c })
  return s ? [x / (3 * s), y / (3 * s)] : ring[0]
}

// Natural Earth draws French Guiana as a part of France; ISO 3166 does not.
const split = features => features.flatMap(f => {
  if (code(f) !== 'FR') return [f]
  const guiana = f.geometry.coordinates.filter(p => p[0][0][0] < -40 && p[0][0][1] < 10)
  const rest = f.geometry.coordinates.filter(p => !guiana.includes(p))
  return [{ ...f, geometry: { ...f.geometry, coordinates: rest } }, { id: '254', properties: {}, geometry: { type: 'MultiPolygon', coordinates: guiana } }]
})

const shapes = {}, points = {}
for (const f of split(world('110m'))) {
  const c = code(f)
  if (!c || c === 'AQ') continue
  const { d, size } = path(f.geometry)
  shapes[c] = { d: (shapes[c]?.d ?? '') + d, size: (shapes[c]?.size ?? 0) + size }
}
for (const f of world('10m')) {
  const c = code(f)
  if (c && (!points[c] || f.id)) points[c] = middle(f.geometry)
}
// Not a shape of their own in Natural Earth: parts of another country's. Degrees
// of longitude and latitude of the capital or the main island.
Object.assign(points, {
  BQ: [-68.27, 12.15], BV: [3.38, -54.42], CC: [96.83, -12.17], CX: [105.63, -10.49], GF: [-52.33, 4.94], GI: [-5.35, 36.14], GP: [-61.55, 16.25],
  MQ: [-61.02, 14.64], RE: [55.54, -21.12], SJ: [15.65, 78.22], TK: [-171.85, -9.17], TV: [179.2, -8.52], YT: [45.15, -12.83], US: [-98.5, 39.5], NO: [9, 61.5], FR: [2.5, 46.6],
})
const small = 22 // square units of a map 1,000 wide: below, a country is a marker
const lines = rows.filter(r => r[0] !== 'AQ').map(r => {
  const c = r[0], p = points[c]
  if (!p) throw new Error('no point: ' + c)
  const [x, y] = project(wrap([p])[0]).map(Math.round)
  const s = shapes[c]
  return [c, s?.d ?? '', x, Math.min(y, height - 4), s && s.size >= small ? '' : 'marker'].join('\t')
})
writeFileSync(here('map.tsv'), `# Made by map.mjs from Natural Earth 1:110m and 1:10m (public domain, naturalearthdata.com) as world-atlas 2.0.2. Equal Earth projection.\n# size\t${width}\t${height}\n# alpha2\tpath\tx\ty\tmarker\n` + lines.join('\n') + '\n')
console.log(width, 'x', height, lines.filter(l => l.endsWith('marker')).length, 'markers')
