package mail_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"commissionportal/internal/mail"
)

// sink is a mail server that keeps what it gets and answers as the test says.
type sink struct {
	mu       sync.Mutex
	got      []letter
	rcpt     func(to string) error // nil takes all
	data     func() error          // after the letter has been read
	password string                // of user "portal"; empty asks for none
	settings mail.Settings
	pool     *x509.CertPool
}

// letter is one that the sink took, read back.
type letter struct {
	from, to   string
	header     netmail.Header
	subject    string
	toName     string
	text, html string
}

func newSink(t *testing.T, encryption string) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{settings: mail.Settings{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: encryption,
		From: "Commission Portal <portal@example.org>",
	}}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }))
	server.Domain = "sink.example.org"
	if encryption != "off" {
		var certificate tls.Certificate
		certificate, s.pool = selfSigned(t)
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		if encryption == "tls" {
			l = tls.NewListener(l, server.TLSConfig)
		}
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	// Both: Close does not know a listener that Serve has not come to yet.
	t.Cleanup(func() { _ = l.Close(); _ = server.Close(); <-done })
	return s
}

// sender is the portal's sender, set to this sink.
func (s *sink) sender(t *testing.T) mail.Sender {
	t.Helper()
	m, err := s.settings.Trusting(s.pool)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (s *sink) letters() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.got...)
}

type session struct {
	sink     *sink
	signedIn bool
	from, to string
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "portal" || password != s.sink.password {
			return smtp.ErrAuthFailed
		}
		s.signedIn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.sink.password != "" && !s.signedIn {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if s.sink.rcpt != nil {
		return s.sink.rcpt(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.sink.data != nil {
		if err := s.sink.data(); err != nil {
			return err
		}
	}
	l, err := read(raw)
	if err != nil {
		return err
	}
	l.from, l.to = s.from, s.to
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.got = append(s.sink.got, l)
	return nil
}

// read parses a letter with the standard library, not with the one that wrote it.
func read(raw []byte) (l letter, err error) {
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return l, err
	}
	l.header = m.Header
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, err
	}
	to, err := m.Header.AddressList("To")
	if err != nil {
		return l, err
	}
	l.toName = to[0].Name
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return l, err
	}
	if kind == "text/plain" {
		text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		l.text = normal(text)
		return l, err
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return l, err
		}
		body, err := io.ReadAll(p)
		if err != nil {
			return l, err
		}
		switch strings.ToLower(p.Header.Get("Content-Type")) {
		case "text/plain; charset=utf-8":
			l.text = normal(body)
		case "text/html; charset=utf-8":
			l.html = normal(body)
		}
	}
}

func normal(b []byte) string { return strings.ReplaceAll(string(b), "\r\n", "\n") }

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sink"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
