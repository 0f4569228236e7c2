// Package journalweb has the doors of the journal: the heads that anybody may
// copy, and what a person did.
package journalweb

import (
	"commissionportal/internal/journal"
	"commissionportal/internal/web"
)

type pages struct {
	*web.Server
	notary *journal.Notary
	reader *journal.Reader
}

// Mount adds the routes of the journal.
func Mount(s *web.Server, notary *journal.Notary, reader *journal.Reader) {
	h := &pages{s, notary, reader}
	s.Page("GET", "/journal/heads.json", "journal.heads", web.Open, h.getHeads)
	s.Page("GET", "/journal/heads/:day", "journal.heads.day", web.Open, h.getHeads)
	h.mountOwn()
}
