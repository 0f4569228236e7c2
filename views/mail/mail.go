// Package mail has the pages on which letters are looked at where no mail server
// is configured: /dev/mail, /dev/mail/{id} and /dev/mail/{id}/body, the HTML of a
// letter by itself, which the second frames.
package mail

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"commissionportal/internal/i18n"
	"commissionportal/internal/mail"
	"commissionportal/views/part"
)

// BodyPolicy is the Content-Security-Policy of /dev/mail/{id}/body, in place of
// the pages': letters have style attributes, which mail programs ask for, and
// nothing else; no script runs, nothing is fetched, only the portal frames it.
const BodyPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"

// List is a page of the outbox, newest first.
type List struct {
	Mails  []mail.Mail
	Paging part.Paging
}

// Path is the page of a letter.
func Path(m mail.Mail) string { return "/dev/mail/" + m.ID.String() }

var tones = map[mail.State]string{mail.Queued: "wait", mail.Sent: "good", mail.Failed: "bad", mail.Kept: "plain", mail.Withheld: "plain"}

// stateName is the state in the reader's language.
func stateName(ctx context.Context, s mail.State) string {
	switch s {
	case mail.Queued:
		return i18n.T(ctx, "Queued")
	case mail.Sent:
		return i18n.T(ctx, "Sent")
	case mail.Failed:
		return i18n.T(ctx, "Failed")
	case mail.Withheld:
		return i18n.T(ctx, "Withheld")
	default:
		return i18n.T(ctx, "Kept")
	}
}

// recipient is name and address as they are read.
func recipient(m mail.Mail) string {
	if m.To.Name == "" {
		return m.To.Address
	}
	return m.To.Name + " <" + m.To.Address + ">"
}

// height is about how high a letter is, as it looks on a desk: what is in the frame
// cannot be asked.
func height(m mail.Mail) string {
	lines := 0
	for _, l := range textLines(m) {
		lines += 1 + len(l)/60
	}
	return strconv.Itoa(min(60+24*lines, 4000))
}

func textLines(m mail.Mail) []string { return strings.Split(strings.TrimSpace(m.Text), "\n") }

var address = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?)]`)

// run is a stretch of text; a link if URL is set.
type run struct{ Text, URL string }

// runs finds the web addresses in a line.
func runs(line string) (list []run) {
	for line != "" {
		at := address.FindStringIndex(line)
		if at == nil {
			return append(list, run{Text: line})
		}
		if at[0] > 0 {
			list = append(list, run{Text: line[:at[0]]})
		}
		list = append(list, run{line[at[0]:at[1]], line[at[0]:at[1]]})
		line = line[at[1]:]
	}
	return list
}
