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
		{"import", "run", "Import from tables"},
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
		{"share", "read:received", "See documents that are shared with it"},
		{"trace", "read:names", "See who opened and downloaded a document"},
	}},
}

// fixed are the questions that no commission has rules of its own about, in the
// words that the page has on which somebody asks why.
var fixed = []labeled{
	// of a commission
	{"commission", "read", "See a commission"},
	{"charter", "read", "Read the charter"},
	{"milestone", "read", "See the milestones"},
	{"support", "read", "See who supports a proposal"},
	{"support", "sign", "Support a proposal"},
	{"support", "withdraw", "Withdraw your support"},
	{"participation", "read", "See which organizations take part"},
	{"roster", "read:public", "See the roster, where it is for everybody"},
	{"roster", "read:portal", "See the roster, where it is for whoever is signed in"},
	{"application", "submit", "Apply for a seat"},
	{"application", "withdraw", "Withdraw an application"},
	{"invitation", "answer", "Answer an invitation"},
	{"seat", "leave", "Give up a seat"},
	{"commission", "call", "Call for participation"},
	{"commission", "activate", "Activate a commission"},
	{"commission", "conclude", "Conclude a commission"},
	{"commission", "abandon", "Abandon a proposal"},
	{"commission", "move", "Move a commission under another"},
	{"register", "read", "See the register"},
	{"register", "quota", "Say how much room its files have"},
	{"document", "discard", "Discard a draft"},
	{"document", "read:public", "See documents for everybody"},
	{"file", "read:public", "Download documents for everybody"},
	{"document", "read:portal", "See documents for whoever is signed in"},
	{"file", "read:portal", "Download documents for whoever is signed in"},
	{"document", "read:draft", "See drafts"},
	{"file", "read:draft", "Download drafts"},
	{"share", "grant", "Share a document"},
	{"share", "revoke", "Revoke a share"},
	{"trace", "read", "See the trace of a document"},

	// of an organization
	{"organization", "read", "See an organization"},
	{"organization", "edit", "Change what the portal says of an organization"},
	{"organization", "represent", "Act for an organization"},
	{"organization", "leave", "Leave the convention"},
	{"organization", "accept", "Accept an organization as a member"},
	{"organization", "decline", "Decline an organization"},
	{"organization", "suspend", "Suspend an organization"},
	{"organization", "reinstate", "Reinstate an organization"},
	{"organization", "merge", "Merge organizations"},
	{"organization", "classify", "Give an organization another category"},
	{"affiliation", "claim", "Say that you act for an organization"},
	{"affiliation", "leave", "Stop acting for an organization"},
	{"affiliation", "read", "See who acts for an organization"},
	{"affiliation", "edit", "Confirm and end who acts for an organization"},
	{"affiliation", "vacate", "End the last primary representative"},
	{"seat", "nominate", "Nominate somebody for a seat"},
	{"seat", "replace", "Fill a seat of an organization anew"},
	{"seat", "recall", "Recall somebody from a seat"},
	{"participation", "request", "Ask for a place in a commission"},
	{"share", "read:given", "See what an organization shares"},

	// of the portal
	{"home", "read", "See the start page"},
	{"search", "read", "Search"},
	{"library", "read", "See the open documents"},
	{"sector", "read", "See the sectors"},
	{"sector", "edit", "Change the sectors"},
	{"threshold", "read", "See how much support a founding needs"},
	{"threshold", "edit", "Say how much support a founding needs"},
	{"commission", "list", "See the list of commissions"},
	{"commission", "propose", "Propose a commission"},
	{"organization", "list", "See the list of organizations"},
	{"organization", "register", "Register an organization"},
	{"organization", "review", "See which organizations wait to be accepted"},
	{"account", "sign_up", "Create an account"},
	{"account", "sign_in", "Sign in"},
	{"account", "sign_out", "Sign out"},
	{"account", "reset", "Set a new password"},
	{"account", "read", "See your account"},
	{"account", "edit", "Change your account"},
	{"preference", "set", "Choose light or dark"},
	{"profile", "read", "See what the portal says of a person"},
	{"desk", "read", "See your desk"},
	{"upload", "send", "Send files"},
	{"notice", "read", "See which letters you get"},
	{"notice", "edit", "Choose which letters you get"},
	{"notice", "stop", "Stop letters by the link in one"},
	{"sharing", "read", "See what the portal allows of sharing"},
	{"sharing", "edit", "Say what the portal allows of sharing"},
	{"access", "explain", "Ask why"},
	{"person", "list", "See the list of persons"},
	{"person", "suspend", "Suspend a person"},
	{"person", "reinstate", "Reinstate a person"},
	{"person", "disarm", "Remove the second factors of a person"},
	{"person", "erase", "Erase a person"},
	{"factor", "require", "Ask for a second factor"},
	{"mail", "read", "Read the letters that the portal writes"},
}

// needs are rights without which another is of no use: there is no way to what one may do.
var needs = map[access.Question]access.Question{
	{Object: "application", Action: "decide"}:     {Object: "application", Action: "read"},
	{Object: "seat", Action: "appoint"}:           {Object: "seat", Action: "edit"},
	{Object: "access", Action: "edit"}:            {Object: "access", Action: "read"},
	{Object: "document", Action: "accept"}:        {Object: "document", Action: "read:submitted"},
	{Object: "document", Action: "return"}:        {Object: "document", Action: "read:submitted"},
	{Object: "document", Action: "edit"}:          {Object: "document", Action: "accept"}, // else it is only for who submitted one, until it is accepted
	{Object: "file", Action: "read:commission"}:   {Object: "document", Action: "read:commission"},
	{Object: "file", Action: "read:officers"}:     {Object: "document", Action: "read:officers"},
	{Object: "file", Action: "read:organization"}: {Object: "document", Action: "read:organization"},
	{Object: "file", Action: "read:named"}:        {Object: "document", Action: "read:named"},
	{Object: "file", Action: "read:submitted"}:    {Object: "document", Action: "read:submitted"},
}

// Needed is what a right is of no use without, if there is such a thing.
func Needed(q access.Question) (needed access.Question, ok bool) {
	needed, ok = needs[q]
	return needed, ok
}

type labeled struct{ object, action, label string }

// labels are all of these words.
var labels = func() map[access.Question]string {
	words := map[access.Question]string{}
	for _, t := range topics {
		for _, r := range t.rows {
			words[access.Question{Object: r.object, Action: r.action}] = r.label
		}
	}
	for _, r := range fixed {
		words[access.Question{Object: r.object, Action: r.action}] = r.label
	}
	return words
}()

// Label says in English words what a question is about.
func Label(q access.Question) string { return labels[q] }
