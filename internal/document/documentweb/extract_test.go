package documentweb_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// TestReadAfterDeath: a portal that was killed while it read a file leaves its
// job running and some of what was found lying about; the next reads it again.
// A file whose job is gone is read as well.
func TestReadAfterDeath(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := app.New(app.Config{DatabaseURL: apptest.Database(t), Host: "127.0.0.1", Connections: 8, Files: "file://" + t.TempDir() + "/files", MaxFile: 1 << 20,
		PasswordMemory: app.LeastPasswordMemory}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	for _, f := range []struct{ text, created, job string }{
		{"read when it died", "now()", "running"},
		{"whose job is gone", "now() - interval '2 hours'", ""},
	} {
		b, err := p.Files.Put(ctx, strings.NewReader(f.text), 1<<20)
		if err == nil {
			err = p.Files.PutSide(ctx, b.Digest, "table.json", []byte("{half"))
		}
		if err == nil {
			_, err = p.DB.Exec(ctx, `INSERT INTO file (digest, size, type, created_at) VALUES ($1, $2, 'text/csv', `+f.created+`)`, b.Digest, b.Size)
		}
		if err == nil && f.job != "" {
			_, err = p.DB.Exec(ctx, `INSERT INTO river_job (state, attempt, max_attempts, attempted_at, attempted_by, args, kind, queue, scheduled_at)
				VALUES ('running', 1, 16, now() - interval '10 minutes', '{dead}', jsonb_build_object('digest', $1::text), 'document.read', 'heavy', now())`, b.Digest.String())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	var texts []string
	for end := time.Now().Add(time.Minute); len(texts) < 2 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err := p.DB.Select(ctx, &texts, `SELECT text FROM file_text t JOIN file f USING (digest) WHERE f.read_at IS NOT NULL AND f.outcome = 'read' ORDER BY text`); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(texts, "; "); got != "read when it died; whose job is gone" {
		t.Errorf("read: %q", got)
	}
}
