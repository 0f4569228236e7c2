package main

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	_ "github.com/lib/pq"

	"commissionportal/internal/app"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/web"
)

// operation is a page or a list of the API, with what Postgres is asked for it.
type operation struct {
	Name       string
	Who        string // "" for a visitor
	Template   string // the path, with places in braces
	Path       string
	Cookie     string
	Encoding   string // what a visitor's browser takes
	Mixed      bool   // among what the mixed load reads
	Bytes      int
	Type       string
	Statements []statement
}

type statement struct {
	Query string
	Args  []*string // as text, bytes as \x…; nil for NULL
	Rows  int       // that it finds
}

// asked are the operations: name, who asks, and the path, in which {large}, {some} and
// the like are found in the world.
var asked = [][3]string{
	{"home, visitor", "", "/"},
	{"commission, visitor", "", "/commissions/{large}"},
	{"sector, visitor", "", "/sectors/energy"},
	{"home", "member", "/"},
	{"desk with 300 seats", "member", "/desk"},
	{"commission", "member", "/commissions/{some}"},
	{"commissions", "member", "/commissions"},
	{"organizations", "member", "/organizations"},
	{"organizations of a country", "member", "/organizations?country=DE&kind=company"},
	{"organizations of a sector", "member", "/organizations?sector=energy"},
	{"roster of 20,000", "chair", "/commissions/{large}/roster"},
	{"roster, a middle page", "chair", "/commissions/{large}/roster?after={after}"},
	{"roster as of two years ago", "chair", "/commissions/{large}/roster?as_of={then}"},
	{"roster, a name", "chair", "/commissions/{large}/roster?q={name}"},
	{"register", "chair", "/commissions/{large}/documents"},
	{"history", "chair", "/commissions/{large}/history"},
	{"access matrix", "chair", "/commissions/{large}/access"},
	{"document", "member", "/documents/{document}"},
	{"trace of what is read most", "secretariat", "/documents/{read}/trace"},
	{"search, a rare word", "member", "/search?q={rare}"},
	{"search, a common word", "member", "/search?q={common}"},
	{"search, Chinese", "member", "/search?q={chinese}"},
	{"search, a typo", "member", "/search?q={typo}"},
	{"search, a word of many names", "member", "/search?q=energy"},
	{"search, a person's name", "member", "/search?q={name}"},
	{"API: commissions", "member", "/api/v1/commissions?limit=50"},
	{"API: organizations", "member", "/api/v1/organizations?limit=50"},
	{"API: seats", "chair", "/api/v1/commissions/{large}/seats?limit=50"},
	{"API: documents", "chair", "/api/v1/commissions/{large}/documents?limit=50"},
	{"API: access explained", "member", "/api/v1/access/explain?commission={some}&object=document&action=submit"},
}

// often are what the mixed load reads, of the commissions of a thousand members.
var often = []string{"home, visitor", "commission, visitor", "sector, visitor", "home", "desk with 300 seats", "commission", "commissions", "organizations", "roster of 20,000", "register", "document",
	"search, a rare word", "API: commissions", "API: organizations", "API: seats", "API: documents"}

// places are what stands in braces.
var places = map[string]string{
	"large":    `SELECT c.slug FROM commission c WHERE c.id = (SELECT commission_id FROM seat GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)`,
	"name":     `SELECT left(sort_name, 5) FROM seat WHERE commission_id = (SELECT commission_id FROM seat GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) AND sort_name ~ '^[A-Z][a-z]{4}' ORDER BY sort_name DESC LIMIT 1 OFFSET 50`,
	"some":     `SELECT c.slug FROM seat s JOIN commission c ON c.id = s.commission_id JOIN person p ON p.id = s.person_id WHERE p.email = 'member@example.org' ORDER BY c.id LIMIT 1 OFFSET 20`,
	"document": `SELECT r.prefix || '-N' || lpad(d.number::text, 4, '0') FROM document d JOIN register r USING (commission_id) WHERE d.visibility = 'portal' AND d.status = 'available' AND r.prefix ~ '^[A-Z]+[0-9]+$' ORDER BY d.id DESC LIMIT 1`,
	"read": `SELECT r.prefix || '-N' || lpad(d.number::text, 4, '0') FROM document d JOIN register r USING (commission_id)
	            WHERE d.id = (SELECT document_id FROM document_access GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)`,
	"rare":    `SELECT word FROM document_word WHERE documents BETWEEN 20 AND 60 AND word ~ '^[a-z]{6,}$' ORDER BY word LIMIT 1`,
	"common":  `SELECT word FROM document_word WHERE word ~ '^[a-z]{4,}$' ORDER BY documents DESC, word LIMIT 1`,
	"chinese": `SELECT left(title, 2) FROM document WHERE language = 'zh' ORDER BY id LIMIT 1`,
	"typo":    `SELECT left(word, 2) || substr(word, 4, 1) || substr(word, 3, 1) || substr(word, 5) FROM document_word WHERE in_title AND word ~ '^[a-z]{8,}$' AND documents > 20 ORDER BY word LIMIT 1`,
	"then":    `SELECT (now() - interval '2 years')::date::text`,
}

func open(database string) (*sqlx.DB, error) { return sqlx.Open("postgres", database) }

// learn runs each operation once in this program and notes what it asks of Postgres.
func learn(ctx context.Context, database string, o options) ([]operation, error) {
	db, err := open(database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	found := map[string]string{}
	for name, query := range places {
		var value string
		if err := db.GetContext(ctx, &value, query); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		found["{"+name+"}"] = url.QueryEscape(value)
	}
	files, err := os.MkdirTemp("", "bench-files-")
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a, err := app.New(app.Config{DatabaseURL: database, Host: "127.0.0.1", Prepare: true, Connections: 4, Patience: time.Minute, Development: true, Streams: 1, LogLevel: "error", Files: "file://" + files, MaxFile: 1 << 30, PasswordMemory: app.LeastPasswordMemory},
		slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, l) }()
	defer func() { stop(); <-served; _ = a.Close(); _ = os.RemoveAll(files) }()
	cookies := map[string]string{}
	for _, who := range []string{"member", "chair", "secretariat"} {
		secret := hex.EncodeToString([]byte("bench of " + who + strings.Repeat(".", 32-9-len(who))))
		if _, err := db.ExecContext(ctx, `INSERT INTO session (hash, person_id, created_at, seen_at, confirmed_at, expires_at)
			SELECT $1, id, now(), now() + interval '1 year', now(), now() + interval '1 year' FROM person WHERE email = $2 ON CONFLICT DO NOTHING`, web.Hash(secret), who+"@example.org"); err != nil {
			return nil, err
		}
		cookies[who] = a.Web.CookieName("session") + "=" + secret
	}
	var ops []operation
	for _, as := range asked {
		op := operation{Name: as[0], Who: as[1], Template: as[2], Path: as[2], Cookie: cookies[as[1]], Mixed: slices.Contains(often, as[0])}
		for place, value := range found {
			op.Path = strings.ReplaceAll(op.Path, place, value)
		}
		if strings.Contains(op.Path, "{after}") {
			after, err := middle(ctx, "http://"+l.Addr().String(), op)
			if err != nil {
				return nil, err
			}
			op.Path = strings.ReplaceAll(op.Path, "{after}", after)
		}
		if op.Who == "" {
			op.Encoding = "br"
		}
		for range 3 { // some things are kept, and the first time is not what others find
			counter := postgres.Counter{Of: journal.InRequest}
			a.DB.CountInto(&counter)
			r, body, err := get(ctx, "http://"+l.Addr().String()+op.Path, op)
			a.DB.CountInto(nil)
			if err != nil {
				return nil, err
			}
			if r.StatusCode != http.StatusOK {
				return nil, fmt.Errorf("%s (%s): status %d", op.Name, op.Path, r.StatusCode)
			}
			op.Bytes, op.Type, op.Statements = len(body), r.Header.Get("Content-Type"), nil
			for _, s := range counter.Statements() {
				text, err := said(s)
				if err != nil {
					return nil, err
				}
				if text.Rows, err = read(db.QueryxContext(ctx, s.Query, s.Args...)); err != nil {
					return nil, fmt.Errorf("%s: %w", s.Query, err)
				}
				op.Statements = append(op.Statements, text)
			}
		}
		ops = append(ops, op)
	}
	return ops, nil
}

// middle is the cursor of a page half way down a roster: Postgres says whose.
func middle(ctx context.Context, base string, op operation) (string, error) {
	path := strings.Replace(op.Path, "/commissions/", "/api/v1/commissions/", 1)
	path = strings.Replace(path, "/roster?after={after}", "/seats?limit=100", 1)
	after := ""
	for range 20 {
		_, body, err := get(ctx, base+path+"&after="+after, op)
		if err != nil {
			return "", err
		}
		var page struct{ Next string }
		if err := json.Unmarshal(body, &page); err != nil || page.Next == "" {
			return after, err
		}
		after = page.Next
	}
	return after, nil
}

func said(s postgres.Statement) (statement, error) {
	out := statement{Query: s.Query}
	for _, arg := range s.Args {
		v, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return out, fmt.Errorf("%T: %w", arg, err)
		}
		var text *string
		switch v := v.(type) {
		case nil:
		case []byte:
			t := `\x` + hex.EncodeToString(v)
			text = &t
		case time.Time:
			t := v.Format(time.RFC3339Nano)
			text = &t
		default:
			t := fmt.Sprint(v)
			text = &t
		}
		out.Args = append(out.Args, text)
	}
	return out, nil
}

// read reads all that a statement finds, and counts it.
func read(rows *sqlx.Rows, err error) (n int, _ error) {
	if err != nil {
		return 0, err
	}
	for ; rows.Next(); n++ {
		if _, err := rows.SliceScan(); err != nil {
			return n, errors.Join(err, rows.Close())
		}
	}
	return n, errors.Join(rows.Err(), rows.Close())
}

func get(ctx context.Context, address string, op operation) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	for name, value := range op.header() {
		req.Header.Set(name, value)
	}
	r, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	return r, body, errors.Join(err, r.Body.Close())
}

func (op operation) header() map[string]string {
	h := map[string]string{"Accept-Encoding": op.Encoding}
	if op.Encoding == "" {
		h["Accept-Encoding"] = "identity"
	}
	if op.Cookie != "" {
		h["Cookie"] = op.Cookie
	}
	return h
}
