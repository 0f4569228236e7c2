// One sprite of the icons the portal uses, from Tabler Icons (MIT). A template
// names one with part.Icon("users"); a Go test checks that it is in the sprite.
import { readFileSync } from 'node:fs'

export const names = `
adjustments-horizontal alert-circle alert-triangle arrow-back-up arrow-left arrow-right ban bell book-2 building building-bank building-community
calendar calendar-event calendar-time certificate chart-bar check checks chevron-down chevron-left chevron-right chevron-up
circle-check circle-dot circle-x clock clock-hour-4 copy crown device-floppy dots download edit external-link eye eye-off
file-description file-text file-import file-export filter flag gavel git-compare git-merge globe help-circle history home
id-badge-2 inbox info-circle key language link list-check list-details lock login logout mail mail-forward map-pin menu-2
message message-circle moon news notes paperclip pencil phone pin player-pause plus printer refresh replace rosette
scale search send settings shield-check sitemap sort-ascending sort-descending speakerphone star sun sun-moon table tag target
trash upload user user-check user-circle user-cog user-minus user-off user-plus user-x users users-group world x
bolt bulb device-desktop cpu tractor building-factory-2 truck stethoscope truck-delivery palette school plane coin brain`.trim().split(/\s+/)

export function sprite() {
  const symbols = [...new Set(names)].sort().map(name => {
    const svg = readFileSync(new URL(`node_modules/@tabler/icons/icons/outline/${name}.svg`, import.meta.url), 'utf8')
    const body = svg.replace(/<!--[\s\S]*?-->/g, '').replace(/<svg[^>]*>|<\/svg>/g, '').replace(/<path stroke="none"[^>]*\/>/g, '').replace(/\s*\n\s*/g, '').replace(/ \/>/g, '/>').trim()
    return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`
  })
  return '<svg xmlns="http://www.w3.org/2000/svg"><!-- Tabler Icons 3.51.0, copyright 2020-2026 Paweł Kuna, MIT license --><g fill="none">' + symbols.join('') + '</g></svg>\n'
}
