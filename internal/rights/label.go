package rights

import "commissionportal/internal/access"

// topics are the rows of the matrix in the order and the words in which people
// read them. Each names a question of policies/commission.csv that a commission may
// have rules of its own about; a test finds one that has no words.
var topics = []struct {
	name string
	rows []labeled
}{
	{"Members and seats", []labeled{
		{"application", "read", "Read applications"},
		{"application", "decide", "Decide on applications"},
		{"invitation", "read", "See who is invited"},
		{"invitation", "send", "Invite people"},
		{"seat", "appoint", "Appoint people, officers too"},
		{"seat", "edit", "Change and end seats"},
		{"seat", "read", "See the history of a seat"},
		{"roster", "read:commission", "See the roster, where it is for members"},
		{"roster", "read:officers", "See the roster, where it is for officers"},
		{"participation", "edit", "Say which organizations take part"},
		{"import", "run", "Import a roster"},
	}},
	{"The commission", []labeled{
		{"commission", "settings", "Change its settings"},
		{"charter", "edit", "Write the charter"},
		{"charter", "adopt", "Adopt the charter"},
		{"milestone", "edit", "Change the milestones"},
		{"commission", "rest", "Make it dormant"},
		{"commission", "revive", "Wake it up"},
		{"history", "read", "Read its history"},
		{"access", "read", "See these rules"},
		{"access", "edit", "Change these rules"},
	}},
	{"Documents", []labeled{
		{"document", "submit", "Submit documents"},
		{"document", "accept", "Accept what is submitted"},
		{"document", "return", "Return what is submitted"},
		{"document", "reserve", "Reserve numbers"},
		{"document", "edit", "Change what the register says of a document"},
		{"document", "revise", "Add versions to documents of others"},
		{"document", "withdraw", "Withdraw documents"},
		{"document", "restore", "Restore what was withdrawn"},
		{"document", "supersede", "Say that one replaces another"},
		{"document", "publish", "Publish to the world"},
		{"register", "settings", "Change the settings of the register"},
	}},
	{"Reading documents", []labeled{
		{"document", "read:commission", "See documents for members"},
		{"file", "read:commission", "Download documents for members"},
		{"document", "read:officers", "See documents for officers"},
		{"file", "read:officers", "Download documents for officers"},
		{"document", "read:organization", "See documents for their source organization"},
		{"file", "read:organization", "Download documents for their source organization"},
		{"document", "read:named", "See documents for named readers"},
		{"file", "read:named", "Download documents for named readers"},
		{"document", "read:submitted", "See what waits to be accepted"},
		{"file", "read:submitted", "Download what waits to be accepted"},
	}},
	{"Sharing and trace", []labeled{
		{"share", "read", "See with whom a document is shared"},
		{"share", "read:received", "See what is shared with the commission"},
		{"trace", "read:names", "See who opened and downloaded a document"},
	}},
}

type labeled struct{ object, action, label string }

// Label says in English words what a question is about; "" if it is not one that
// rules can change.
func Label(q access.Question) string {
	for _, t := range topics {
		for _, r := range t.rows {
			if r.object == q.Object && r.action == q.Action {
				return r.label
			}
		}
	}
	return ""
}
