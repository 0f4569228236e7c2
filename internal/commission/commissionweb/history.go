package commissionweb

import (
	"commissionportal/internal/journal"
	"commissionportal/views/part"
)

var eventIcons = map[string]string{
	"commission": "gavel", "charter": "file-text", "milestone": "flag", "support": "star", "seat": "user", "application": "inbox", "invitation": "mail",
	"participation": "building", "roster": "users", "import": "file-import",
}

// events are entries of the journal as a timeline has them, with the reason that
// was given.
func events(list []journal.Event) []part.Event {
	out := make([]part.Event, len(list))
	for i, e := range list {
		out[i] = part.Event{At: e.At, Icon: eventIcons[e.Object], Text: e.Text, Who: person(e)}
		if after, ok := e.After.(map[string]any); ok {
			out[i].Detail, _ = after["reason"].(string)
		}
	}
	return out
}

// person is who did it; "" is the portal itself.
func person(e journal.Event) string {
	if e.Person == nil {
		return ""
	}
	return *e.Person
}
