package part

import "strings"

// tones are the colors a state is shown in, the same everywhere: muted for what is
// over or does not count, accent for what is under way, good for what holds, wait
// for what somebody has to act on, bad for what was refused or broken off.
var tones = map[string]string{
	"proposed": "wait", "forming": "accent", "active": "good", "dormant": "muted", "concluded": "muted", "abandoned": "bad",
	"pending": "wait", "approved": "good", "rejected": "bad", "withdrawn": "muted",
	"accepted": "good", "declined": "bad", "revoked": "bad", "expired": "muted",
	"suspended": "bad", "erased": "muted", "ended": "muted", "left": "muted", "merged": "muted", "replaced": "muted", "recalled": "muted",
	"draft": "wait", "available": "good", "superseded": "muted",
	"open": "good", "application": "accent", "invitation": "accent", "closed": "muted",
	"done": "good", "due": "wait", "overdue": "bad", "planned": "accent", "running": "accent", "failed": "bad",
	"created": "good", "changed": "accent", "skipped": "muted", "refused": "bad",
	"chair": "accent", "vice chair": "accent", "secretary": "accent", "voting representative": "good",
	"alternate representative": "plain", "observer": "plain", "liaison officer": "plain", "invited expert": "plain", "emeritus": "muted",
	"p": "good", "o": "plain", "l": "plain",
}

var spaced = strings.NewReplacer("_", " ", "-", " ")

// words turns an identifier ("vice-chair", "vice_chair") into what is read: "vice chair".
func words(id string) string {
	return strings.ToLower(spaced.Replace(id))
}

// label is the catalog's key of an identifier: "Vice chair".
func label(id string) string {
	w := words(id)
	if w == "" {
		return ""
	}
	return strings.ToUpper(w[:1]) + w[1:]
}

func tone(id string) string {
	if t, ok := tones[words(id)]; ok {
		return t
	}
	return "plain"
}

// known is the tone itself, or plain where a caller made one up.
func known(tone string) string {
	switch tone {
	case "muted", "accent", "good", "wait", "bad":
		return tone
	}
	return "plain"
}

// participations are the places an organization may have in a commission.
var participations = map[string]string{"p": "Participating", "o": "Observing", "l": "Liaison"}
