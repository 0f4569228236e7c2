package mail

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// commandTime bounds connecting and sending, each. Servers that slow down
// strangers answer within it.
const commandTime = 50 * time.Second

// Settings name the mail server. Without a Host there is none, and letters are
// kept to be looked at.
type Settings struct {
	Host     string `env:"SMTP_HOST" help:"mail server; empty: letters are kept and shown to the secretariat at /dev/mail"`
	Port     int    `env:"SMTP_PORT" help:"0: 587, or 465 with tls, 25 with off"`
	TLS      string `env:"SMTP_TLS" help:"starttls (default; the server must offer it), tls (from the first byte), off"`
	Username string `env:"SMTP_USERNAME" help:"account at the mail server"`
	Password string `env:"SMTP_PASSWORD" help:"its password"`
	From     string `env:"MAIL_FROM" help:"Commission Portal <portal@example.org>; its domain also names messages and lists"`
}

// Sender is the sender these settings describe: nil without a Host. It does not
// connect yet.
func (s Settings) Sender() (Sender, error) {
	m, err := s.SMTP()
	if m == nil {
		return nil, err // no sender, and not one that is nil
	}
	return m, err
}

// SMTP is the same, for asking the server whether it lets the portal in.
func (s Settings) SMTP() (*SMTP, error) {
	if s.Host == "" {
		return nil, nil
	}
	return s.smtp()
}

// SMTP sends each letter over a connection of its own.
type SMTP struct {
	from    netmail.Address
	domain  string
	host    string
	options []gomail.Option
	tls     *tls.Config // from the first byte; nil otherwise
}

func (s Settings) smtp() (*SMTP, error) {
	from, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, fmt.Errorf("MAIL_FROM: %q is not an address: %w", s.From, err)
	}
	domain, err := idna.Lookup.ToASCII(from.Address[strings.LastIndexByte(from.Address, '@')+1:])
	if err != nil {
		return nil, fmt.Errorf("MAIL_FROM: %w", err)
	}
	m := &SMTP{from: *from, domain: domain, host: s.Host}
	secure := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	var port int
	policy := gomail.NoTLS
	switch s.TLS {
	case "", "starttls":
		port, policy = 587, gomail.TLSMandatory
	case "tls":
		port, m.tls = 465, secure
	case "off":
		port = 25
	default:
		return nil, fmt.Errorf("SMTP_TLS: %q is none of starttls, tls, off", s.TLS)
	}
	if s.Port != 0 {
		port = s.Port
	}
	m.options = []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(commandTime), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(secure),
		gomail.WithoutNoop(), gomail.WithHELO(domain),
	}
	if m.tls != nil {
		m.options = append(m.options, gomail.WithSSL())
	}
	if s.Username != "" {
		// The library's own choice takes a connection that we dialed for one in
		// the clear. These refuse to send a password in the clear by themselves.
		m.options = append(m.options, gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin),
			gomail.WithUsername(s.Username), gomail.WithPassword(s.Password))
	}
	if _, err := gomail.NewClient(m.host, m.options...); err != nil {
		return nil, fmt.Errorf("SMTP_HOST %s port %s: %w", s.Host, strconv.Itoa(port), err)
	}
	return m, nil
}

// Send implements Sender.
func (s *SMTP) Send(ctx context.Context, m Mail) error {
	msg, err := s.message(m)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	client, done, err := s.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	err = client.DialAndSendWithContext(ctx, msg)
	switch {
	case err == nil, msg.IsDelivered():
		return nil // taken; a server that then hangs up without goodbye has it all the same
	case refused(err):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	default:
		return err
	}
}

// client is one for a single connection, which ends with ctx; done forgets ctx.
func (s *SMTP) client(ctx context.Context) (_ *gomail.Client, done func(), err error) {
	// The library looks at ctx while it connects, not while it sends; closing the
	// connection is how the end of ctx reaches it.
	ended := func() bool { return true }
	dial := func(dialing context.Context, network, address string) (net.Conn, error) {
		var conn net.Conn
		var err error
		if s.tls != nil {
			conn, err = (&tls.Dialer{Config: s.tls}).DialContext(dialing, network, address)
		} else {
			conn, err = (&net.Dialer{}).DialContext(dialing, network, address)
		}
		if err == nil {
			ended = context.AfterFunc(ctx, func() { _ = conn.Close() }) // the error is that of the send it breaks
		}
		return conn, err
	}
	client, err := gomail.NewClient(s.host, append(s.options[:len(s.options):len(s.options)], gomail.WithDialContextFunc(dial))...)
	return client, func() { ended() }, err
}

// Check connects and signs in as Send does, and sends nothing.
func (s *SMTP) Check(ctx context.Context) error {
	client, done, err := s.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := client.DialWithContext(ctx); err != nil {
		return err
	}
	return client.Close()
}

// refused reports whether the server said no for good to this letter. A 5xx to
// the greeting, the sign-in or our own address says that the settings are wrong:
// they can be mended, and then the letter goes out.
func refused(err error) bool {
	var e *gomail.SendError
	if !errors.As(err, &e) || e.ErrorCode() < 500 || e.ErrorCode() == 530 { // 530: sign in first
		return false
	}
	switch e.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return true
	default:
		return false
	}
}

// message is the letter as it goes over the wire. Made again for another attempt
// it has the same Message-ID and Date.
func (s *SMTP) message(m Mail) (*gomail.Msg, error) {
	at := strings.LastIndexByte(m.To.Address, '@')
	host, err := idna.Lookup.ToASCII(m.To.Address[at+1:])
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", m.To.Address, err)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&s.from)
	msg.ToMailAddress(&netmail.Address{Name: m.To.Name, Address: m.To.Address[:at+1] + host})
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.CreatedAt)
	msg.SetMessageIDWithValue(m.ID.String() + "@" + s.domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader("List-Id", "<"+m.Kind+"."+s.domain+">")
	if m.Unsubscribe != "" {
		msg.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+m.Unsubscribe+">")
		msg.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	if m.About != "" {
		about := sha256.Sum256([]byte(m.About))
		thread := "<" + hex.EncodeToString(about[:12]) + "@" + s.domain + ">"
		msg.SetGenHeader(gomail.HeaderReferences, thread)
		msg.SetGenHeader(gomail.HeaderInReplyTo, thread)
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}
