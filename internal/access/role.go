package access

import (
	mathbits "math/bits"
	"strings"
)

// Roles is a set of roles. What a person holds in one scope fits in a word, so
// that a decision is looked up by it.
type Roles uint64

// The roles. Visitor is held by everybody, Person by whoever is signed in; the
// portal knows the secretariat; an organization its affiliates and its primary
// representatives; a commission its convener and the roles of its seats. Member
// and Officer are implied by seats. What ties a person to one document of the
// commission (see Document) are roles as well; and so are those a commission makes for itself.
const (
	Visitor Roles = 1 << iota
	Person
	Secretariat
	Affiliate
	Representative
	Convener
	Member
	Officer
	Chair
	ViceChair
	Secretary
	VotingRepresentative
	AlternateRepresentative
	Observer
	LiaisonOfficer
	InvitedExpert
	Emeritus
	Author    // submitted the document
	Colleague // acts for the document's source
	Owner     // is a primary representative of the document's source
	Recipient // may see the document by a share
	Holder    // may download the document by a share
	firstOwn
)

// MostOwn is how many roles of its own a commission can have: own_1 to own_10. They
// have no row in commission.csv: they give what the commission's rules allow for them.
const MostOwn = 10

const ownRoles = (1<<MostOwn - 1) * firstOwn

// Own reports whether a role is one that commissions make for themselves.
func Own(role string) bool { return bits(role)&ownRoles != 0 }

var roleNames = []string{"visitor", "person", "secretariat", "affiliate", "representative", "convener", "member", "officer",
	"chair", "vice_chair", "secretary", "voting_representative", "alternate_representative", "observer", "liaison_officer",
	"invited_expert", "emeritus", "author", "colleague", "owner", "recipient", "holder",
	"own_1", "own_2", "own_3", "own_4", "own_5", "own_6", "own_7", "own_8", "own_9", "own_10"}

// bits is the set of one role, without what it implies; empty if there is none.
func bits(role string) Roles {
	for i, name := range roleNames {
		if name == role {
			return 1 << i
		}
	}
	return 0
}

// roleByName is the set of one role and what it implies.
var roleByName = func() map[string]Roles {
	m := map[string]Roles{}
	for i, name := range roleNames {
		r := Roles(1 << i)
		switch {
		case r == Chair || r == ViceChair || r == Secretary:
			r |= Officer | Member
		case r > Secretary && r <= Emeritus:
			r |= Member
		case r == Representative:
			r |= Affiliate
		case r == Owner:
			r |= Colleague
		case r == Holder:
			r |= Recipient
		}
		m[name] = r
	}
	return m
}()

// Has reports whether all roles of s are among r.
func (r Roles) Has(s Roles) bool { return r&s == s }

// Names lists the roles of the set.
func (r Roles) Names() []string {
	names := make([]string, 0, mathbits.OnesCount64(uint64(r)))
	for i, name := range roleNames {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (r Roles) String() string { return strings.Join(r.Names(), " ") }
