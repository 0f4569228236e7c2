package mail

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Need is a right that a letter presupposes: to read a document, or another one in a
// commission.
type Need struct {
	Document       uuid.UUID // zero: a right in Commission
	Commission     uuid.UUID
	Object, Action string
}

// ToRead are the rights to read documents.
func ToRead(documents ...uuid.UUID) []Need {
	list := make([]Need, len(documents))
	for i, id := range documents {
		list[i] = Need{Document: id}
	}
	return list
}

// String is the need as the table has it.
func (n Need) String() string {
	if n.Document != uuid.Nil {
		return "document " + n.Document.String()
	}
	return "commission " + n.Commission.String() + " " + n.Object + " " + n.Action
}

// needsOf reads what String wrote.
func needsOf(texts []string) ([]Need, error) {
	var list []Need
	for _, text := range texts {
		words := append(strings.Fields(text), "", "")
		id, err := uuid.Parse(words[1])
		switch {
		case err != nil:
			return nil, fmt.Errorf("mail: a letter needs %q: %w", text, err)
		case words[0] == "document":
			list = append(list, Need{Document: id})
		default:
			list = append(list, Need{Commission: id, Object: words[2], Action: words[3]})
		}
	}
	return list, nil
}
