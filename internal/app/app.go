// Package app puts the portal together from its configuration. It is the only
// package that knows every other; a capability is one line here.
package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/account/accountweb"
	"commissionportal/internal/blob"
	"commissionportal/internal/calendar"
	"commissionportal/internal/clamd"
	"commissionportal/internal/commission"
	"commissionportal/internal/commission/commissionweb"
	"commissionportal/internal/desk"
	"commissionportal/internal/desk/deskweb"
	"commissionportal/internal/document"
	"commissionportal/internal/document/documentweb"
	"commissionportal/internal/extract"
	"commissionportal/internal/home"
	"commissionportal/internal/home/homeweb"
	"commissionportal/internal/intake"
	"commissionportal/internal/intake/intakeweb"
	"commissionportal/internal/jobs"
	"commissionportal/internal/journal"
	"commissionportal/internal/journal/journalweb"
	"commissionportal/internal/mail"
	"commissionportal/internal/mail/mailweb"
	"commissionportal/internal/membership"
	"commissionportal/internal/membership/membershipweb"
	"commissionportal/internal/organization"
	"commissionportal/internal/organization/organizationweb"
	"commissionportal/internal/postgres"
	"commissionportal/internal/rights"
	"commissionportal/internal/rights/rightsweb"
	"commissionportal/internal/web"
	"commissionportal/migrations"
	"commissionportal/policies"
)

// App is the portal, ready to serve.
type App struct {
	Config
	DB     *postgres.DB
	Policy *access.Policy
	Web    *web.Server
	Queue  *jobs.Queue
	Files  *blob.Store
	Log    *slog.Logger

	// Grace is how long a stop waits for what is under way, and Drain how long before
	// that it goes on to answer on connections that are there.
	Grace, Drain time.Duration

	metrics *metrics
	zone    *time.Location
	// secretKey is SECRET_KEY, read.
	secretKey []byte

	Accounts      *account.Service
	Commissions   *commission.Service
	Organizations *organization.Service
	Seats         *membership.Service
	Documents     *document.Service
	Imports       *intake.Service
	Rights        *rights.Service
	Notary        *journal.Notary
}

// Version is set when the program is linked.
var Version = "dev"

// New puts everything together; it neither connects, migrates nor listens. now, if not nil, is the clock of all requests.
func New(c Config, log *slog.Logger, now func() time.Time) (*App, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	zone, err := c.zone()
	if err != nil {
		return nil, err
	}
	key, err := c.key()
	if err != nil {
		return nil, err
	}
	policy, err := access.Load(policies.Files)
	if err != nil {
		return nil, err
	}
	sender, err := c.Mail.Sender()
	if err != nil {
		return nil, err
	}
	links, err := mail.NewLinks(base.String())
	if err != nil {
		return nil, err
	}
	db, err := postgres.Lazy(postgres.Config{URL: c.DatabaseURL, Direct: c.DirectURL, Replica: c.ReplicaURL, Bare: !c.Prepare, Log: log, Max: c.Connections, Patience: c.Patience})
	if err != nil {
		return nil, err
	}
	queue, err := jobs.New(db.DB.DB, jobs.Options{Log: log})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	var files *blob.Store // none for what only looks at the routes
	if c.Files != "" {
		if files, err = blob.Open(context.Background(), c.Files); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	scanner, err := clamd.New(c.Clamd)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	var signing ed25519.PrivateKey
	if c.JournalKey != "" {
		if signing, err = journal.LoadKey(c.JournalKey); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	post := &mail.Post{Outbox: mail.New(db.DB.DB, queue, sender), Links: links}
	a := &App{Config: c, DB: db, Policy: policy, Queue: queue, Files: files, Log: log, Grace: 20 * time.Second, zone: zone, secretKey: key,
		Web: web.New(web.Config{Base: base, DB: db, Policy: policy, Log: log, Version: Version, Now: now, KeepFor: c.PublicAge, Zone: zone, Proxies: c.Proxies, OpenMail: c.Development && c.Mail.Host == ""})}
	post.Still = a.still
	a.Notary = journal.NewNotary(db, signing)
	a.metrics = newMetrics(a)
	a.Web.Observe = a.metrics.observe
	if err := a.capabilities(post); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	if scanner != nil {
		a.Documents.Scanner = scanner
	}
	return a, nil
}

// capabilities is where each is wired: its service, its doors, its hooks.
func (a *App) capabilities(post *mail.Post) (err error) {
	issuer, err := a.issuer(a.Web.Base)
	if err != nil {
		return err
	}
	a.Accounts, err = account.New(a.DB, a.Policy, post, a.Queue, account.Settings{Memory: a.PasswordMemory, Key: a.secretKey, Life: account.Life{For: a.SessionLife, Idle: a.SessionIdle}, Base: a.Web.Base, Issuer: issuer})
	if err != nil {
		return err
	}
	a.Commissions = commission.New(a.DB, a.Policy, post)
	a.Organizations = organization.New(a.DB, a.Policy, post)
	a.Seats = membership.New(a.DB, a.Policy, post)
	a.Documents = document.New(a.DB, a.Policy, post, a.Queue, a.Files, a.MaxFile, a.Streams)
	a.Rights = rights.New(a.DB, a.Policy, a.Documents)
	a.Imports = intake.New(a.DB, a.Policy, a.Queue, a.Web.Now)
	a.Organizations.OnEnd, a.Organizations.OnEndThere, a.Organizations.OnUnaffiliated = a.Seats.EndOrganization, a.Seats.EndThere, a.Seats.Unaffiliate
	a.Organizations.OnMerge = func(ctx context.Context, tx *journal.Tx, from, into uuid.UUID) error {
		if err := a.Seats.MergeOrganization(ctx, tx, from, into); err != nil {
			return err
		}
		if err := a.Rights.MergeOrganization(ctx, tx, into); err != nil {
			return err
		}
		if err := a.Commissions.MergeOrganization(ctx, tx, from, into); err != nil {
			return err
		}
		return a.Documents.MergeOrganization(ctx, tx, from, into)
	}
	a.Seats.Participate, a.Seats.Affiliate = a.Organizations.Participate, a.Organizations.Affiliate
	a.Accounts.OnSuspend = append(a.Accounts.OnSuspend, a.Seats.EndPerson)
	a.Accounts.OnMove = append(a.Accounts.OnMove, a.Seats.MoveInvitations)
	a.Accounts.OnlyChair = a.Seats.OnlyChair
	// Roles and seats before what they are held for.
	a.Accounts.OnErase = append(a.Accounts.OnErase, a.Rights.ErasePerson, a.Seats.ErasePerson, a.Organizations.ErasePerson, a.Commissions.ErasePerson, a.Documents.ErasePerson)
	a.Accounts.OnForget = append(a.Accounts.OnForget, a.Rights.Forget, a.Seats.Forget, a.Organizations.Forget, a.Commissions.Forget, a.Documents.Forget, a.Imports.Forget)
	a.Commissions.OnConclude = func(ctx context.Context, tx *journal.Tx, commission uuid.UUID, at time.Time, why string) error {
		if err := a.Seats.Conclude(ctx, tx, commission, at, why); err != nil {
			return err
		}
		return a.Organizations.EndParticipationsIn(ctx, tx, commission)
	}

	a.Web.Static()
	a.Web.Docs()
	a.health()
	homeweb.Mount(a.Web, home.New(a.DB, a.Policy, a.Documents))
	deskweb.Mount(a.Web, desk.New(a.DB, a.Policy))
	mailweb.Mount(a.Web)
	accountweb.Mount(a.Web, a.Accounts)
	commissionweb.Mount(a.Web, a.Commissions)
	organizationweb.Mount(a.Web, a.Organizations)
	membershipweb.Mount(a.Web, a.Seats)
	documentweb.Mount(a.Web, a.Documents)
	intakeweb.Mount(a.Web, a.Imports)
	rightsweb.Mount(a.Web, a.Rights)
	journalweb.Mount(a.Web, a.Notary, journal.NewReader(a.DB, a.Policy))
	a.Queue.Every("postgres.changes", time.Hour, postgres.SweepChanges(a.DB.DB.DB))
	a.Queue.Every("membership.terms", time.Hour, a.Seats.Terms)
	a.Queue.Every("document.sweep", 24*time.Hour, a.Documents.Sweep)
	a.Queue.Every("document.scan", time.Hour, a.Documents.ScanRest)
	a.Queue.Every("document.unread", time.Hour, a.Documents.ReadRest)
	a.Queue.Every("document.digests", time.Hour, a.Documents.Digests)
	a.Queue.Every("document.remind", time.Hour, a.Documents.Remind)
	a.Queue.Every("document.unindexed", time.Minute, a.Documents.IndexRest)
	if a.Notary.Publishes() {
		a.Queue.Every("journal.heads", 24*time.Hour, a.Notary.Publish)
	}
	return nil
}

// Context is ctx for what is done outside a request: it knows the convention's days.
func (a *App) Context(ctx context.Context) context.Context { return calendar.With(ctx, a.zone) }

// Routes is the table of all routes.
func Routes() ([]web.Route, error) {
	a, err := New(Config{Host: "127.0.0.1", Connections: 1}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, err
	}
	return a.Web.Routes(), a.Close()
}

// Migrate brings the schema at url up to date and returns what it applied.
func Migrate(ctx context.Context, url string) (applied []string, err error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: url, Max: 4})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	pooled, err := db.Pooled(ctx)
	if err != nil {
		return nil, err
	}
	if pooled { // a lock that one connection took would be held by whoever has it next
		return nil, errPooled
	}
	if applied, err = postgres.Migrate(ctx, db.DB.DB, migrations.Files); err != nil {
		return applied, err
	}
	return applied, jobs.Migrate(ctx, db.DB.DB)
}

var errPooled = errors.New("the database is reached through a pooler that lends its connections for one transaction at a time, and a migration holds a lock for longer: set DATABASE_DIRECT_URL to the address past it")

// Serve answers requests on l and does the background work until ctx ends, then
// finishes what is under way.
func (a *App) Serve(ctx context.Context, l net.Listener) error {
	if err := a.Queue.Start(a.Context(context.WithoutCancel(ctx))); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	go func() { // so that the first PDF does not wait for it; if it fails, that tries again and says so
		if err := extract.Prepare(ctx, ""); err != nil && ctx.Err() == nil {
			a.Log.Warn("the PDF engine is not ready", "error", err)
		}
	}()
	if !a.Notary.Publishes() {
		a.Log.Info("no heads of the journal are published: JOURNAL_KEY names no key")
	}
	recording, recorded := context.WithCancel(context.WithoutCancel(ctx))
	written := make(chan struct{})
	go func() {
		a.Documents.Record(recording, a.Log)
		close(written)
	}()
	failed := make(chan error, 2)
	go func() { failed <- a.Web.Serve(l) }()
	if a.MetricsPort != 0 {
		go func() { failed <- a.metrics.serve(ctx, net.JoinHostPort(a.Host, strconv.Itoa(a.MetricsPort))) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.Grace)
	defer cancel()
	err = errors.Join(err, a.Documents.Quiet(), a.Web.Stop(grace, a.Drain), a.Queue.Stop(grace))
	recorded() // nothing more is read: what was is written
	<-written
	return err
}

// Close gives the connections back.
func (a *App) Close() error {
	err := a.DB.Close()
	if a.Files != nil {
		err = errors.Join(err, a.Files.Close())
	}
	return err
}
