package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/blob"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/internal/sample"
)

var now = time.Date(2026, 11, 24, 0, 30, 0, 0, time.UTC)

// loaded is a database with the sample as of at.
func loaded(t testing.TB, at time.Time) (*postgres.DB, sample.Summary) {
	t.Helper()
	files, err := blob.Open(context.Background(), "file://"+t.TempDir()+"/files")
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(context.Background(), postgres.Config{URL: apptest.Database(t), Max: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, err := sample.Load(context.Background(), db, files, at)
	if err != nil {
		t.Fatal(err)
	}
	return db, s
}

func value[T any](t testing.TB, db *postgres.DB, query string, args ...any) T {
	t.Helper()
	v, err := postgres.One[T](context.Background(), db, nil, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// TestSample looks at the sample, loaded once for all who look.
func TestSample(t *testing.T) {
	t.Parallel()
	db, s := loaded(t, now)
	t.Run("amount", func(t *testing.T) { sampleAmount(t, db, s) })
	t.Run("rules", func(t *testing.T) { sampleRules(t, db) })
	t.Run("sign-ins", func(t *testing.T) { sampleSignIns(t, db) })
	t.Run("same", func(t *testing.T) { sampleSame(t, db) })
}

// sampleAmount compares what is there with what the sample promises.
func sampleAmount(t *testing.T, db *postgres.DB, s sample.Summary) {
	t.Logf("%+v", s)
	if want := (sample.Summary{Commissions: 39, Sectors: 11, Organizations: 124, Countries: s.Countries, Persons: 620, Seats: s.Seats, Documents: s.Documents}); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	for _, tt := range []struct {
		name        string
		least, most int
		query       string
	}{
		{"commissions", 24, 60, `SELECT count(*) FROM commission WHERE kind = 'commission'`},
		{"sectors with one", 11, 11, `SELECT count(DISTINCT sector_id) FROM commission WHERE kind = 'commission' AND state <> 'abandoned'`},
		{"active", 24, 60, `SELECT count(*) FROM commission WHERE state = 'active'`},
		{"proposed", 3, 3, `SELECT count(*) FROM commission WHERE state = 'proposed'`},
		{"of them ready", 1, 1, `SELECT count(*) FROM (SELECT FROM support s JOIN commission c ON c.id = commission_id AND c.state = 'proposed' JOIN organization o ON o.id = organization_id
			GROUP BY c.id HAVING count(*) >= 5 AND count(DISTINCT o.id) >= 3 AND count(DISTINCT o.country) >= 2) x`},
		{"forming", 3, 3, `SELECT count(*) FROM commission WHERE state = 'forming'`},
		{"at rest or over", 3, 3, `SELECT count(*) FROM commission WHERE state IN ('dormant', 'concluded', 'abandoned')`},
		{"organizations", 120, 130, `SELECT count(*) FROM organization WHERE state = 'member'`},
		{"countries", 50, 200, `SELECT count(DISTINCT country) FROM organization WHERE state = 'member'`},
		{"kinds", 6, 6, `SELECT count(DISTINCT kind) FROM organization WHERE state = 'member'`},
		{"categories", 5, 5, `SELECT count(DISTINCT category) FROM organization WHERE state = 'member'`},
		{"pending organizations", 4, 4, `SELECT count(*) FROM organization WHERE state = 'pending'`},
		{"of them near-duplicates", 3, 4, `SELECT count(*) FROM organization p WHERE state = 'pending' AND EXISTS (SELECT FROM organization m WHERE m.state = 'member' AND similarity(m.plain_name, p.plain_name) > 0.45)`},
		{"suspended and merged", 2, 2, `SELECT count(*) FROM organization WHERE state IN ('suspended', 'merged')`},
		{"persons", 600, 700, `SELECT count(*) FROM person`},
		{"Arabic, Chinese, Cyrillic names", 20, 150, `SELECT count(*) FROM person WHERE name ~ '[\u0400-\u04ff\u0600-\u06ff\u3040-\u30ff\u4e00-\u9fff]'`},
		{"persons with a password", 3, 3, `SELECT count(*) FROM person WHERE password_hash IS NOT NULL`},
		{"persons with two organizations", 20, 60, `SELECT count(*) FROM (SELECT person_id FROM affiliation WHERE state = 'confirmed' GROUP BY 1 HAVING count(*) > 1) x`},
		{"organizations with a representative", 100, 130, `SELECT count(DISTINCT organization_id) FROM affiliation WHERE representative`},
		{"claims", 3, 12, `SELECT count(*) FROM affiliation WHERE state = 'claimed'`},
		{"live seats", 500, 1500, `SELECT count(*) FROM seat WHERE period @> $1::timestamptz`},
		{"past rows", 150, 2000, `SELECT count(*) FROM seat WHERE upper(period) <= $1`},
		{"ways a row ended", 7, 7, `SELECT count(DISTINCT ended) FROM seat WHERE upper(period) <= $1 AND ended <> 'merged'`},
		{"replacements", 50, 1000, `SELECT count(*) FROM seat WHERE follows IS NOT NULL`},
		{"roles", 9, 9, `SELECT count(DISTINCT role) FROM seat WHERE period @> $1::timestamptz`},
		{"suspended seats", 1, 9, `SELECT count(*) FROM seat WHERE suspended AND period @> $1::timestamptz`},
		{"persons with two roles in one place", 4, 60, `SELECT count(*) FROM (SELECT FROM seat WHERE period @> $1::timestamptz GROUP BY person_id, commission_id HAVING count(*) > 1) x`},
		{"terms that end in 7 days", 3, 8, `SELECT count(*) FROM seat WHERE ended IS NULL AND upper(period) > $1 AND upper(period) < $1::timestamptz + interval '7 days'`},
		{"in 30", 8, 20, `SELECT count(*) FROM seat WHERE ended IS NULL AND upper(period) > $1 AND upper(period) < $1::timestamptz + interval '30 days'`},
		{"in 60", 16, 40, `SELECT count(*) FROM seat WHERE ended IS NULL AND upper(period) > $1 AND upper(period) < $1::timestamptz + interval '60 days'`},
		{"pending applications", 12, 60, `SELECT count(*) FROM application WHERE state = 'pending' AND statement <> ''`},
		{"rejected ones", 6, 60, `SELECT count(*) FROM application WHERE state = 'rejected'`},
		{"nominations", 20, 1000, `SELECT count(*) FROM application WHERE nominated_by IS NOT NULL`},
		{"open invitations", 5, 60, `SELECT count(*) FROM invitation WHERE state = 'pending' AND expires_at > $1`},
		{"expired ones", 2, 60, `SELECT count(*) FROM invitation WHERE state = 'pending' AND expires_at <= $1`},
		{"milestones overdue", 3, 30, `SELECT count(*) FROM milestone m JOIN commission c ON c.id = commission_id AND c.state = 'active' WHERE done_on IS NULL AND due_on < $1`},
		{"milestones done late", 3, 60, `SELECT count(*) FROM milestone WHERE done_on > due_on`},
		{"charters with revisions", 30, 60, `SELECT count(*) FROM (SELECT FROM charter GROUP BY commission_id HAVING count(*) BETWEEN 2 AND 6) x`},
		{"months with a new member", 40, 60, `SELECT count(DISTINCT date_trunc('month', created_at)) FROM organization WHERE state = 'member'`},
		{"documents", 200, 500, `SELECT count(*) FROM document WHERE number IS NOT NULL`},
		{"types of them", 6, 9, `SELECT count(DISTINCT type) FROM document`},
		{"statuses", 4, 4, `SELECT count(DISTINCT status) FROM document`},
		{"open ones", 5, 60, `SELECT count(*) FROM document WHERE published_at IS NOT NULL`},
		{"that wait for officers", 3, 30, `SELECT count(*) FROM document WHERE review = 'submitted'`},
		{"that ask for comments", 10, 100, `SELECT count(*) FROM document WHERE due_on > $1 AND status = 'available'`},
		{"with several versions", 20, 200, `SELECT count(*) FROM document WHERE versions > 1`},
		{"shares", 4, 60, `SELECT count(*) FROM share`},
		{"under them accesses", 5, 300, `SELECT count(*) FROM document_access WHERE share_id IS NOT NULL`},
		{"downloads", 500, 5000, `SELECT count(*) FROM document_access WHERE kind = 'download'`},
		{"journal", 3000, 20000, `SELECT count(*) FROM journal_entry`},
	} {
		if n := value[int](t, db, asOfNow(tt.query)); n < tt.least || n > tt.most {
			t.Errorf("%s: %d, want %d to %d", tt.name, n, tt.least, tt.most)
		}
	}
}

// asOfNow puts the test's instant where the query says $1.
func asOfNow(query string) string {
	return strings.ReplaceAll(query, "$1", "'"+now.Format(time.RFC3339)+"'")
}

// broken are what no convention has, whatever is invented: queries that count it, $1
// being now.
var broken = []struct{ name, query string }{
	{"an active commission without a chair", `SELECT count(*) FROM commission c WHERE state = 'active' AND NOT EXISTS (
		SELECT FROM seat WHERE commission_id = c.id AND role = 'chair' AND NOT suspended AND period @> $1::timestamptz)`},
	{"without a chair at any moment since", `SELECT count(*) FROM commission c, generate_series(c.state_since, $1::timestamptz, interval '3 days') at WHERE state = 'active' AND NOT EXISTS (
		SELECT FROM seat WHERE commission_id = c.id AND role = 'chair' AND NOT suspended AND period @> at)`},
	{"an active commission without a secretary", `SELECT count(*) FROM commission c WHERE state = 'active' AND NOT EXISTS (
		SELECT FROM seat WHERE commission_id = c.id AND role = 'secretary' AND period @> $1::timestamptz)`},
	{"an active commission without an adopted charter", `SELECT count(*) FROM commission c WHERE state = 'active' AND NOT EXISTS (
		SELECT FROM charter WHERE commission_id = c.id AND adopted_at <= state_since)`},
	{"a seat beside its organization's participation", `SELECT count(*) FROM seat s JOIN organization o ON o.id = organization_id
		WHERE NOT EXISTS (SELECT FROM participation p WHERE p.commission_id = s.commission_id AND p.organization_id = coalesce(o.merged_into, o.id) AND p.period @> s.since)
		   OR upper(s.period) IS NOT NULL AND upper(s.period) <= $1 AND s.ended <> 'merged' AND NOT EXISTS (SELECT FROM participation p WHERE p.commission_id = s.commission_id
		      AND p.organization_id = coalesce(o.merged_into, o.id) AND p.period @> upper(s.period) - interval '1 second')
		   OR s.period @> $1::timestamptz AND NOT EXISTS (SELECT FROM participation p WHERE p.commission_id = s.commission_id AND p.organization_id = o.id AND p.period @> $1::timestamptz)`},
	{"a role that does not go with the level", `SELECT count(*) FROM seat s JOIN organization o ON o.id = organization_id
		JOIN participation p ON p.commission_id = s.commission_id AND p.organization_id = coalesce(o.merged_into, o.id) AND p.period && s.period
		WHERE role IN ('voting_representative', 'alternate_representative') AND level <> 'P' OR role = 'liaison_officer' AND level <> 'L'`},
	{"more seats than the limit", `SELECT count(*) FROM (SELECT FROM seat s JOIN commission c ON c.id = commission_id, generate_series($1::timestamptz - interval '40 months', $1, interval '5 days') at
		WHERE period @> at AND organization_id IS NOT NULL GROUP BY commission_id, organization_id, at HAVING count(DISTINCT s.id) > max(seats_per_organization)) x`},
	{"a vote in a role without one", `SELECT count(*) FROM seat WHERE voting AND role IN ('observer', 'liaison_officer', 'emeritus')`},
	{"an organization with two votes", `SELECT count(*) FROM (SELECT FROM seat WHERE voting AND organization_id IS NOT NULL AND period @> $1::timestamptz GROUP BY commission_id, organization_id HAVING count(*) > 1) x`},
	{"an expert for an organization, or a representative for none", `SELECT count(*) FROM seat WHERE (role = 'invited_expert') = (organization_id IS NOT NULL)
		AND role IN ('invited_expert', 'voting_representative', 'alternate_representative', 'liaison_officer')`},
	{"a seat of somebody who does not act for the organization", `SELECT count(*) FROM seat s JOIN organization o ON o.id = organization_id WHERE NOT EXISTS (
		SELECT FROM affiliation a WHERE a.person_id = s.person_id AND a.organization_id = coalesce(o.merged_into, o.id) AND a.state = 'confirmed' AND a.period @> s.since)`},
	{"a seat for an organization that is none", `SELECT count(*) FROM seat s JOIN organization o ON o.id = organization_id WHERE period @> $1::timestamptz AND o.state <> 'member'`},
	{"a seat that begins before the commission", `SELECT count(*) FROM seat s JOIN commission c ON c.id = commission_id WHERE s.since < c.created_at`},
	{"a seat that begins in the future", `SELECT count(*) FROM seat WHERE since > $1`},
	{"a row that ended and has not", `SELECT count(*) FROM seat WHERE ended IS NOT NULL AND (upper(period) IS NULL OR upper(period) > $1)`},
	{"a change after which nothing goes on", `SELECT count(*) FROM seat s WHERE ended = 'changed' AND NOT EXISTS (SELECT FROM seat n WHERE n.id = s.id AND n.since = upper(s.period))`},
	{"a replacement with a gap", `SELECT count(*) FROM seat s WHERE ended = 'replaced' AND NOT EXISTS (SELECT FROM seat n WHERE n.follows = s.id AND n.since = upper(s.period))`},
	{"a seat in what never formed, or is over", `SELECT count(*) FROM seat s JOIN commission c ON c.id = commission_id WHERE state IN ('proposed', 'abandoned') OR state = 'concluded' AND period @> $1::timestamptz`},
	{"a pending application of who has a seat", `SELECT count(*) FROM application a JOIN seat s ON s.person_id = a.person_id AND s.commission_id = a.commission_id
		AND s.period @> $1::timestamptz WHERE a.state = 'pending'`},
	{"an approved application without its seat", `SELECT count(*) FROM application a WHERE a.state = 'approved' AND NOT EXISTS (
		SELECT FROM seat s WHERE s.id = a.seat_id AND s.person_id = a.person_id AND s.since = a.decided_at)`},
	{"a decision before the question", `SELECT count(*) FROM application WHERE decided_at < created_at OR created_at > $1 OR decided_at > $1`},
	{"an invitation answered late", `SELECT count(*) FROM invitation WHERE answered_at < created_at OR answered_at > expires_at OR created_at > $1`},
	{"a milestone reached in the future", `SELECT count(*) FROM milestone WHERE done_on > $1`},
	{"an address outside of example", `SELECT count(*) FROM person WHERE email !~ '(\.example|@example\.org)$'`},
	{"a website outside of example", `SELECT count(*) FROM organization WHERE website !~ '\.example$'`},
	{"somebody with two accounts of one name", `SELECT count(*) FROM (SELECT FROM person GROUP BY name HAVING count(*) > 1) x`},
	{"a slug that is not plain", `SELECT count(*) FROM organization WHERE slug !~ '^[a-z]'`},
	{"a term that ends in the middle of a day", `SELECT count(*) FROM seat WHERE ended IS NULL AND upper(period) <> date_trunc('day', upper(period), 'UTC')`},
	{"a usual term that does not end with the day before it began", `SELECT count(*) FROM seat s JOIN commission c ON c.id = commission_id WHERE ended IS NULL AND follows IS NULL
		AND lower(period) = since AND upper(period) - lower(period) BETWEEN (term_months - 1) * interval '30 days' AND (term_months + 1) * interval '30 days'
		AND upper(period) > $1::timestamptz + interval '70 days' AND extract(day FROM lower(period) AT TIME ZONE 'UTC') < 28
		AND extract(day FROM upper(period) AT TIME ZONE 'UTC') <> extract(day FROM lower(period) AT TIME ZONE 'UTC')`},
	{"a term ending unannounced", `SELECT count(*) FROM seat s WHERE ended IS NULL AND upper(period) < $1::timestamptz + interval '7 days' AND NOT EXISTS (
		SELECT FROM term_notice n WHERE n.seat_id = s.id AND n.until = upper(s.period))`},
	{"a gap in a register", `SELECT count(*) FROM register r WHERE last_number <> (SELECT count(*) FROM document d WHERE d.commission_id = r.commission_id AND number IS NOT NULL)`},
	{"numbers against the order of time", `SELECT count(*) FROM document a JOIN document b USING (commission_id) WHERE a.number < b.number AND a.created_at > b.created_at`},
	{"versions that do not count up", `SELECT count(*) FROM document d WHERE versions <> (SELECT count(*) FROM document_version v WHERE v.document_id = d.id)`},
	{"a version before the one before", `SELECT count(*) FROM document_version a JOIN document_version b USING (document_id) WHERE a.number < b.number AND a.created_at >= b.created_at`},
	{"a document of who had no seat", `SELECT count(*) FROM document d WHERE organization_id IS NOT NULL AND NOT EXISTS (
		SELECT FROM seat s WHERE s.person_id = d.author_id AND s.commission_id = d.commission_id AND s.since <= d.created_at)`},
	{"a document of the future", `SELECT count(*) FROM document WHERE created_at > $1 OR updated_at > $1 OR status_since > $1 OR published_at > $1`},
	{"a version of the future", `SELECT count(*) FROM document_version WHERE created_at > $1`},
	{"an access of the future, or before there was anything", `SELECT count(*) FROM document_access a JOIN document d ON d.id = a.document_id WHERE at > $1 OR at < d.created_at`},
	{"bytes that a register does not count", `SELECT count(*) FROM register r WHERE used <> (SELECT sum(v.size) FROM document d JOIN document_version v ON v.document_id = d.id WHERE d.commission_id = r.commission_id)`},
	{"a document without a record", `SELECT count(*) FROM document d WHERE NOT EXISTS (SELECT FROM journal_entry e WHERE e.object_id = d.id)`},
	{"a chain that is broken", `SELECT count(*) FROM (SELECT *, lag(hash, 1, ''::bytea) OVER w AS before, row_number() OVER w AS n, lag(at) OVER w AS previous_at FROM journal_entry WINDOW w AS (PARTITION BY scope_id ORDER BY number)) e
		WHERE n <> number OR previous_at > at OR previous <> before OR hash <> journal_hash(previous, scope_id, number, at, person_id, organization_id, object, action, object_id, coalesce(encode(sealed, 'hex'), note::text), request_id) OR sealed <> journal_seal(salt, note::text)`},
	{"an entry of the future", `SELECT count(*) FROM journal_entry WHERE at > $1`},
	{"an entry by who was not there", `SELECT count(*) FROM journal_entry e LEFT JOIN person p ON p.id = e.person_id WHERE person_id IS NOT NULL AND (p.id IS NULL OR p.created_at > e.at)`},
	{"an actor without a record", `SELECT count(*) FROM seat s WHERE NOT EXISTS (SELECT FROM journal_entry e WHERE e.object_id = s.id)`},
}

// sampleRules looks for what the services would have refused: each query counts
// violations.
func sampleRules(t *testing.T, db *postgres.DB) {
	for _, tt := range broken {
		if n := value[int](t, db, asOfNow(tt.query)); n != 0 {
			t.Errorf("%s: %d", tt.name, n)
		}
	}
}

// sampleSignIns looks at what the three sample persons find.
func sampleSignIns(t *testing.T, db *postgres.DB) {
	for _, email := range []string{sample.Secretariat, sample.Chair, sample.Member} {
		hash := value[string](t, db, `SELECT password_hash FROM person WHERE email = $1 AND confirmed_at IS NOT NULL AND state = 'active'`, email)
		if ok, err := argon2id.ComparePasswordAndHash(sample.Password, hash); err != nil || !ok {
			t.Errorf("%s cannot sign in: %v", email, err)
		}
	}
	for _, tt := range []struct {
		name, email, query string
		least, most        int
	}{
		{"is of the secretariat", sample.Secretariat, `SELECT count(*) FROM portal_role r JOIN person p ON p.id = person_id WHERE email = $1 AND role = 'secretariat'`, 1, 1},
		{"chairs", sample.Chair, `SELECT count(*) FROM seat s JOIN person p ON p.id = person_id JOIN commission c ON c.id = commission_id
			WHERE email = $1 AND s.role = 'chair' AND c.slug = 'energy-storage' AND period @> $2::timestamptz`, 1, 1},
		{"has applications to decide", sample.Chair, `SELECT count(*) FROM application a JOIN seat s ON s.commission_id = a.commission_id AND s.role = 'chair' AND period @> $2::timestamptz
			JOIN person p ON p.id = s.person_id WHERE p.email = $1 AND a.state = 'pending'`, 4, 9},
		{"has two seats", sample.Member, `SELECT count(*) FROM seat s JOIN person p ON p.id = person_id WHERE email = $1 AND period @> $2::timestamptz`, 2, 2},
		{"has a term that ends", sample.Member, `SELECT count(*) FROM seat s JOIN person p ON p.id = person_id WHERE email = $1 AND upper(period) BETWEEN $2 AND $2::timestamptz + interval '7 days'`, 1, 1},
		{"is invited", sample.Member, `SELECT count(*) FROM invitation WHERE email = $1 AND state = 'pending' AND expires_at > $2::timestamptz + interval '1 day'`, 1, 1},
	} {
		query := strings.ReplaceAll(tt.query, "$2", "'"+now.Format(time.RFC3339)+"'")
		if n := value[int](t, db, query, tt.email); n < tt.least || n > tt.most {
			t.Errorf("%s %s: %d", tt.email, tt.name, n)
		}
	}
}

// sampleSame loads again: the same instant gives the same sample to the last row,
// another one the same names and histories.
func sampleSame(t *testing.T, a *postgres.DB) {
	digest := func(db *postgres.DB, query string) string {
		return value[string](t, db, `SELECT md5(string_agg(x::text, E'\n' ORDER BY x::text COLLATE "C")) FROM (`+query+`) x`)
	}
	b, _ := loaded(t, now)
	c, _ := loaded(t, time.Date(2029, 8, 5, 23, 59, 59, 999_999_999, time.FixedZone("", 9*3600)))
	names := `SELECT slug, name FROM organization UNION ALL SELECT slug, name FROM commission UNION ALL SELECT email, name FROM person
		UNION ALL SELECT p.name, s.role || s.version || coalesce(s.ended, '') FROM seat s JOIN person p ON p.id = s.person_id`
	for _, query := range []string{names,
		`SELECT id, email, name, created_at FROM person`,
		`SELECT id, period, person_id, organization_id, role, ended FROM seat`,
		`SELECT scope_id, number, at, person_id, object, action, object_id, note::text FROM journal_entry`, // its salts are of chance
	} {
		if digest(a, query) != digest(b, query) {
			t.Errorf("two loads differ in: %s", query)
		}
	}
	if digest(a, names) != digest(c, names) {
		t.Error("another day brings other names")
	}
}

// TestEmptyOnly refuses a database that holds anything, and leaves it as it was.
func TestEmptyOnly(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(context.Background(), postgres.Config{URL: apptest.Database(t), Max: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if ok, err := sample.Empty(context.Background(), db); err != nil || !ok {
		t.Errorf("a new database is not empty: %v", err)
	}
	if _, err := db.Exec(context.Background(), `INSERT INTO person (email, name) VALUES ('a@example.org', 'Ada')`); err != nil {
		t.Fatal(err)
	}
	if ok, err := sample.Empty(context.Background(), db); err != nil || ok {
		t.Errorf("a database with a person is empty: %v", err)
	}
	if _, err := sample.Load(context.Background(), db, nil, now); !problem.Of(err, problem.Conflict) {
		t.Errorf("it was loaded: %v", err)
	}
	if n := value[int](t, db, `SELECT count(*) FROM person`); n != 1 {
		t.Errorf("%d persons", n)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		db, err := postgres.Open(context.Background(), postgres.Config{URL: apptest.Database(b), Max: 2})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := sample.Load(context.Background(), db, nil, now); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = db.Close()
		b.StartTimer()
	}
}
