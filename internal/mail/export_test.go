package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"
)

// Trusting is the sender of these settings, with the test server's certificate.
func (s Settings) Trusting(pool *x509.CertPool) (*SMTP, error) {
	m, err := s.smtp()
	if err != nil {
		return nil, err
	}
	trust := &tls.Config{ServerName: s.Host, RootCAs: pool, MinVersion: tls.VersionTLS12}
	if m.tls != nil {
		m.tls = trust
	}
	m.options = append(m.options, gomail.WithTLSConfig(trust))
	return m, nil
}

// Deliver does the job of one letter.
func (o *Outbox) Deliver(ctx context.Context, id uuid.UUID) error {
	return o.deliver(ctx, delivery{id})
}

// Sweep does the daily work.
func (o *Outbox) Sweep(ctx context.Context) error { return o.sweep(ctx) }

// Claim takes a letter as another process would.
func Claim(ctx context.Context, db *sql.DB, id uuid.UUID) error {
	_, err := claimOne(ctx, db, id)
	return err
}
