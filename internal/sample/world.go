package sample

import (
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
)

// seed makes the sample the same every time.
const seed = 20_260_401

// world is everything that is going to be written, and the chance that makes it.
type world struct {
	now    time.Time
	random *rand.Rand
	texts  map[string][]string

	people         []*person
	organizations  []*org
	affiliations   []affiliation
	bodies         []*body
	supports       []support
	revisions      []revision
	milestones     []milestone
	participations []*participation
	asked          []participationRequest
	seats          []*seat
	applications   []application
	invitations    []invitation
	warned         []termNotice
	papers         []*paper
	grants         []*grant
	readings       []reading
	events         []event

	staff   []*person // the secretariat
	chair   *person   // the sample's chair and member
	guest   *person
	changes int             // of chairs
	filed   bool            // it has documents
	used    map[string]bool // addresses and names of persons that are taken
}

// build makes the world as of the beginning of the day. All that chance decides
// hangs on times before that moment and on no calendar: the sample of another day
// is the same one, moved.
func build(now time.Time, documents bool) (*world, error) {
	w := &world{now: now.UTC().Truncate(day), random: rand.New(rand.NewPCG(seed, seed)), used: map[string]bool{}, filed: documents} // #nosec G404 -- the same every time, on purpose
	var err error
	if w.texts, err = readTexts(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{w.join, w.populate, w.found, w.seat, w.lapse, w.ask, w.publish, w.tidy} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// id is a key that sorts by the time it was made, as those of the portal do
// (UUIDv7), of chance that is the same every time.
func (w *world) id(at time.Time) uuid.UUID {
	var id uuid.UUID
	ms := at.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	for i := 6; i < 16; i++ {
		id[i] = byte(w.random.UintN(256))
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

// chance is true in p of 1 cases.
func (w *world) chance(p float64) bool { return w.random.Float64() < p }

// one is one of a list.
func one[T any](w *world, list []T) T { return list[w.random.IntN(len(list))] }

// shuffled is a copy of the list in another order.
func shuffled[T any](w *world, list []T) []T {
	list = append([]T(nil), list...)
	w.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

const (
	day   = 24 * time.Hour
	month = time.Duration(30.44 * float64(day))
)

// ago is a time that many months ago.
func (w *world) ago(months float64) time.Time {
	return w.working(w.now.Add(-time.Duration(months * float64(month))))
}

// working moves a time into working hours of its day, or of the day before if
// that has not come.
func (w *world) working(t time.Time) time.Time {
	hour := 7*time.Hour + time.Duration(w.random.Int64N(int64(10*time.Hour/time.Second)))*time.Second
	t = t.Truncate(day).Add(hour)
	for t.After(w.now) {
		t = t.Add(-day)
	}
	return t
}

// between is a working time between two others; from, or shortly after, if there
// is no room for one.
func (w *world) between(from, to time.Time) time.Time {
	if to.After(w.now) {
		to = w.now
	}
	room := to.Sub(from)
	if room <= time.Minute {
		return from.Add(time.Second)
	}
	t := w.working(from.Add(time.Duration(w.random.Int64N(int64(room)))))
	if !t.After(from) || !t.Before(to) {
		t = from.Add(room / 2).Truncate(time.Second)
	}
	return t
}

// part is the time at which that share of the time from one to another has gone.
func (w *world) part(from, to time.Time, share float64) time.Time {
	return w.between(from.Add(time.Duration(share*float64(to.Sub(from)))), to)
}

// event is an entry of the journal.
type event struct {
	scope   access.Scope
	at      time.Time
	person  *uuid.UUID
	object  string
	action  string
	id      uuid.UUID
	note    string
	request string
}

// record notes that somebody (nil: the portal itself) did something.
func (w *world) record(s access.Scope, at time.Time, who *person, object, action string, id uuid.UUID, note journal.Note) {
	text, err := json.Marshal(note)
	if err != nil {
		panic(err) // a note of texts alone
	}
	e := event{scope: s, at: at, object: object, action: action, id: id, note: string(text)}
	if who != nil {
		e.person = &who.ID
	} else {
		e.request = "terms"
	}
	w.events = append(w.events, e)
}

// text is a text of a kind with its gaps filled in.
func (w *world) text(kind string) string { return one(w, w.texts[kind]) }
