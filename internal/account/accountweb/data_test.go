package accountweb_test

import (
	"archive/zip"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
)

// unzipped is the lists of an export by their names.
func unzipped(t *testing.T, body string) map[string][]map[string]any {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]map[string]any{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var rows []map[string]any
		if err := json.Unmarshal(raw, &rows); err != nil {
			t.Fatalf("%s: %v\n%s", f.Name, err, raw)
		}
		all[strings.TrimSuffix(f.Name, ".json")] = rows
	}
	return all
}

func TestExport(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada, secret, codes := armed(t, p, "ada@example.org")
	eve := newAccount(t, p, "eve@example.org")
	text := shownToken.FindString(ada.Post("/profile/tokens", "name", "Roster “sync”", "lifetime", "90").Want(200).Body)
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) VALUES ('energy', 'EN', 'Energy', 'commission', 'active')`)
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange(now() - interval '1 day', NULL), c.id, p.id, p.name, 'chair', 'election' FROM commission c, person p WHERE p.email = 'ada@example.org'`)
	ada.Get("/profile/data").Want(200, `href="/profile/data.zip"`)
	body := ada.Get("/profile/data.zip").Want(200).Body
	all := unzipped(t, body)
	if got := all["account"]; len(got) != 1 || got[0]["email"] != "ada@example.org" || got[0]["has_password"] != true {
		t.Errorf("account: %v", got)
	}
	if got := all["seats"]; len(got) != 1 || got[0]["commission"] != "energy" || got[0]["role"] != "chair" {
		t.Errorf("seats: %v", got)
	}
	if len(all["tokens"]) != 1 || all["tokens"][0]["name"] != "Roster “sync”" || len(all["letters"]) < 3 || len(all["history"]) < 4 || len(all["shares"]) != 0 {
		t.Errorf("tokens %v, %d letters, %d entries", all["tokens"], len(all["letters"]), len(all["history"]))
	}
	// Nothing that opens anything, and nothing of anybody else.
	plain, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{text, secret, codes[0], "argon2id", "/confirm/", "eve@example.org", apptest.Value[string](p, `SELECT encode(hash, 'hex') FROM session LIMIT 1`)} {
		if strings.Contains(string(plain), never) {
			t.Errorf("%q is in it", never)
		}
	}
	ada.API("GET", "/persons/me/data.zip", nil).Want(200)
	// A recent sign-in, of the person and not of a program.
	program := p.Visitor()
	program.Token = text
	program.API("GET", "/persons/me/data.zip", nil).Want(403, "/problems/sign-in-again")
	p.Visitor().Get("/profile/data.zip").Want(303)
	p.Visitor().API("GET", "/persons/me/data.zip", nil).Want(401)
	p.At(time.Now().Add(20 * time.Minute))
	if to := eve.Get("/profile/data.zip").Want(303).Location(); to != "/profile/data" {
		t.Errorf("signed in long ago, one is led to %q", to)
	}
	eve.API("GET", "/persons/me/data.zip", nil).Want(403, "/problems/sign-in-again")
	eve.Get("/profile/data").Want(200).Lacks("/profile/data.zip")
	eve.Post("/profile/data").Want(403, "Is it you?")
	eve.Post("/profile/data", "_again", password).Want(303)
	if got := unzipped(t, eve.Get("/profile/data.zip").Want(200).Body)["account"]; got[0]["email"] != "eve@example.org" {
		t.Errorf("Eve's account: %v", got)
	}
}
