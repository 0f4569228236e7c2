package membership

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/calendar"
	"commissionportal/internal/problem"
)

var noon = time.Date(2027, 3, 10, 12, 0, 0, 0, time.UTC)

func at(days int) *time.Time {
	t := noon.AddDate(0, 0, days)
	return &t
}

func kind(err error) problem.Kind {
	if p := problem.As(err); p != nil {
		return p.Kind
	}
	return ""
}

func TestEditMakesSteps(t *testing.T) {
	t.Parallel()
	org := uuid.New()
	seat := Seat{ID: uuid.New(), Since: *at(-30), Until: at(30), OrganizationID: &org, Role: VotingRepresentative, Voting: true, Name: "Ada", Version: 4}
	for _, tt := range []struct {
		name           string
		change         func(*Edit)
		closes, begins bool
		want           problem.Kind
	}{
		{"another role ends the row", func(e *Edit) { e.Role, e.Voting = Observer, false }, true, true, ""},
		{"suspension ends the row", func(e *Edit) { e.Suspended = true }, true, true, ""},
		{"the vote ends the row", func(e *Edit) { e.Voting = false }, true, true, ""},
		{"the end of the term moves", func(e *Edit) { e.Until = at(90) }, false, true, ""},
		{"the term loses its end", func(e *Edit) { e.Until = nil }, false, true, ""},
		{"a term cannot end before now", func(e *Edit) { e.Until = at(-1) }, false, false, problem.Invalid},
		{"an observer has no vote", func(e *Edit) { e.Role = Observer }, false, false, problem.Invalid},
		{"no such role", func(e *Edit) { e.Role = "king" }, false, false, problem.Invalid},
		{"an expert stands for nobody", func(e *Edit) { e.Role = InvitedExpert }, false, false, problem.Invalid},
	} {
		e := Of(seat)
		tt.change(&e)
		st, err := seat.Edit(e, noon)
		if kind(err) != tt.want || (st.Close != nil) != tt.closes || (st.Next != nil) != tt.begins {
			t.Errorf("%s: %+v, %v", tt.name, st, err)
			continue
		}
		if tt.closes && (!st.Close.At.Equal(st.Next.Since) || st.Close.Why != Changed || st.Next.Version != 5) {
			t.Errorf("%s: the next row does not begin where the last one ends: %+v", tt.name, st)
		}
	}
	over := seat
	over.Until = at(-1)
	if _, err := over.Edit(Of(over), noon); kind(err) != problem.Conflict {
		t.Errorf("an edit of what is over: %v", err)
	}
	if _, err := over.End(Left, "", noon); kind(err) != problem.Conflict {
		t.Errorf("an end of what is over: %v", err)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	seat := Seat{Since: noon, Role: Observer}
	if st, err := seat.End(Left, "", noon); err != nil || !st.Close.At.After(noon) {
		t.Errorf("a seat that began this instant: %+v, %v", st, err)
	}
	seat.Since = *at(3)
	if st, err := seat.End(Left, "", noon); err != nil || st.Close != nil || st.Next != nil {
		t.Errorf("a seat that has not begun is taken back: %+v, %v", st, err)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	org, ada, ben := uuid.New(), uuid.New(), uuid.New()
	seat := Seat{ID: uuid.New(), Since: *at(-30), Until: at(30), PersonID: ada, OrganizationID: &org, Role: VotingRepresentative, Voting: true, Suspended: true, Version: 3}
	if _, err := seat.Replace(ada, "Ada", noon); kind(err) != problem.Invalid {
		t.Errorf("by the same person: %v", err)
	}
	steps, err := seat.Replace(ben, "Ben", noon)
	if err != nil {
		t.Fatal(err)
	}
	next := steps[1].Next
	if steps[0].Close.Why != Replaced || !next.Since.Equal(steps[0].Close.At) || !next.Until.Equal(*seat.Until) || *next.Follows != seat.ID || next.PersonID != ben ||
		!next.Voting || next.Suspended || next.Version != 1 || next.ID == seat.ID {
		t.Errorf("got %+v", next)
	}
}

func TestKeepsChair(t *testing.T) {
	t.Parallel()
	chair := Seat{ID: uuid.New(), Since: *at(-1), Role: Chair, Name: "Grace"}
	end, err := chair.End(Left, "", noon)
	if err != nil {
		t.Fatal(err)
	}
	longer, err := chair.Edit(Edit{Role: Chair, Until: at(9)}, noon)
	if err != nil {
		t.Fatal(err)
	}
	suspended := chair
	suspended.Suspended = true
	gone, err := suspended.End(Removed, "", noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, state string
		step        Step
		others      int
		want        problem.Kind
	}{
		{"the only chair", "active", end, 0, problem.Conflict}, {"one of two", "active", end, 1, ""}, {"while forming", "forming", end, 0, ""},
		{"a term alone", "active", longer, 0, ""}, {"who is suspended leads nothing", "active", gone, 0, ""},
	} {
		if err := (Home{State: tt.state, Name: "Energy"}).KeepsChair([]Step{tt.step}, tt.others, noon); kind(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestAdmits(t *testing.T) {
	t.Parallel()
	two := 2
	h := Home{SeatsPerOrganization: &two, Name: "Energy"}
	p, o, l := "P", "O", "L"
	for _, tt := range []struct {
		state string
		seats int
		level *string
		role  string
		want  problem.Kind
	}{
		{"member", 0, nil, VotingRepresentative, ""}, {"member", 1, &p, VotingRepresentative, ""}, {"member", 2, &p, VotingRepresentative, problem.Conflict},
		{"suspended", 0, &p, Observer, problem.Conflict}, {"member", 0, &o, VotingRepresentative, problem.Invalid}, {"member", 0, &o, Observer, ""},
		{"member", 0, &l, LiaisonOfficer, ""}, {"member", 0, &p, LiaisonOfficer, problem.Invalid}, {"member", 0, &o, Chair, ""},
	} {
		if err := h.Admits(Standing{State: tt.state, Seats: tt.seats, Level: tt.level, Name: "Acme"}, tt.role); kind(err) != tt.want {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestTerm(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("Tokyo", 9*3600)
	months, last, none, bad := 24, "2027-03-11", "", "soon"
	for _, tt := range []struct {
		name  string
		terms Terms
		from  string // "" is now
		until string // "" is without end
		field string
	}{
		{"the usual term ends with a day", Terms{}, "", "2029-03-09T15:00:00Z", ""},
		{"the usual term from a day to come", Terms{From: "2027-04-01"}, "2027-03-31T15:00:00Z", "2029-03-31T15:00:00Z", ""},
		{"without end", Terms{Until: &none}, "", "", ""},
		{"the last day is whole", Terms{Until: &last}, "", "2027-03-11T15:00:00Z", ""},
		{"a day to come", Terms{From: "2027-04-01", Until: &none}, "2027-03-31T15:00:00Z", "", ""},
		{"today is now", Terms{From: "2027-03-10", Until: &none}, "", "", ""},
		{"yesterday", Terms{From: "2027-03-09"}, "", "", "from"},
		{"no date", Terms{Until: &bad}, "", "", "until"},
		{"ends before it begins", Terms{From: "2027-05-01", Until: &last}, "", "", "until"},
	} {
		var f problem.Fields
		got := tt.terms.Term(&f, noon, tokyo, &months)
		if p := problem.As(f.Err()); p != nil || tt.field != "" {
			if p == nil || p.Fields[0].Field != tt.field {
				t.Errorf("%s: %v", tt.name, p)
			}
			continue
		}
		from, until := noon.Format(time.RFC3339), ""
		if tt.from != "" {
			from = tt.from
		}
		if got.Until != nil {
			until = got.Until.Format(time.RFC3339)
		}
		if got.From.Format(time.RFC3339) != from || until != tt.until {
			t.Errorf("%s: %v to %v", tt.name, got.From, got.Until)
		}
	}
}

func TestUsual(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		from   string
		months int
		last   string
	}{
		{"2027-03-10T00:00", 12, "2028-03-09"}, {"2027-03-10T23:59", 12, "2028-03-09"}, {"2027-03-10T12:00", 6, "2027-09-09"}, // over the change of clocks
		{"2027-01-31T12:00", 1, "2027-02-28"}, {"2028-01-30T12:00", 1, "2028-02-29"}, {"2027-01-28T12:00", 1, "2027-02-27"}, {"2028-02-29T12:00", 12, "2029-02-28"}, {"2027-08-31T12:00", 240, "2047-08-30"},
	} {
		from, err := time.ParseInLocation("2006-01-02T15:04", tt.from, paris)
		if err != nil {
			t.Fatal(err)
		}
		end := Usual(from, &tt.months, paris)
		if got := LastDay(calendar.With(t.Context(), paris), end); got != tt.last || end.In(paris).Hour() != 0 {
			t.Errorf("%d months from %s end at %s, with %s; want %s", tt.months, tt.from, end, got, tt.last)
		}
	}
	if Usual(noon, nil, paris) != nil {
		t.Error("a term of no length has an end")
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	lines := Addresses("email,name\r\n\"Love, Ada\" <Ada@Example.org>\nb@example.org; c@example.org\nada@example.org\n\nnothing\na@b")
	want := []string{"ada@example.org", "b@example.org", "c@example.org", "", "", ""}
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %+v", len(lines), lines)
	}
	for i, l := range lines {
		if l.Email != want[i] || (l.Wrong == nil) != (want[i] != "") {
			t.Errorf("line %d: %+v, want %q", i, l, want[i])
		}
	}
}

func TestAnswerable(t *testing.T) {
	t.Parallel()
	i := Invitation{Email: "ada@example.org", State: Pending, ExpiresAt: *at(1), Inviter: "Grace"}
	if err := i.Answerable(noon); err != nil {
		t.Error(err)
	}
	if err := i.Answerable(*at(1)); kind(err) != problem.Conflict || i.StateAt(*at(1)) != Expired {
		t.Errorf("expired: %v", err)
	}
	if i.For("ADA@example.org") != nil || kind(i.For("ben@example.org")) != problem.Conflict {
		t.Error("the address does not decide")
	}
	if m := Masked("ada@example.org"); m != "a…@example.org" {
		t.Errorf("masked %q", m)
	}
}
