package app

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/coreos/go-oidc/v3/oidc"

	"commissionportal/internal/account"
	"commissionportal/internal/blob"
	"commissionportal/internal/mail"
)

// Config is what the portal reads from its environment; `portal help` lists it.
type Config struct {
	DatabaseURL    string         `env:"DATABASE_URL" help:"postgres://user:password@host/database; empty: dev starts a server of its own, and commands beside it use that"`
	DirectURL      string         `env:"DATABASE_DIRECT_URL" help:"the same database past a pooler such as PgBouncer, for what needs a session: events, migrations, backups; empty: DATABASE_URL"`
	ReplicaURL     string         `env:"DATABASE_REPLICA_URL" help:"a server that follows it by streaming replication, for pages of visitors; empty: none"`
	Prepare        bool           `env:"DATABASE_PREPARE" envDefault:"true" help:"false if DATABASE_URL leads to a PgBouncer older than 1.21 that pools by transaction: statements are not kept prepared, which costs a third of the speed"`
	Host           string         `env:"HOST" envDefault:"127.0.0.1" help:"address to listen on"`
	Port           int            `env:"PORT" envDefault:"8080" help:"port to listen on"`
	BaseURL        string         `env:"BASE_URL" help:"the address people use, https://portal.example.org; empty: http://HOST:PORT"`
	Proxies        []netip.Prefix `env:"TRUSTED_PROXIES" help:"addresses of the reverse proxies in front, 10.0.0.0/8,127.0.0.1/32: their X-Forwarded-For is believed"`
	TimeZone       string         `env:"TIME_ZONE" envDefault:"UTC" help:"the zone whose days count, such as Europe/Paris: first and last days of terms, and the days that rosters are asked for, whoever reads"`
	MetricsPort    int            `env:"METRICS_PORT" envDefault:"0" help:"port of /metrics for Prometheus on HOST; 0: none"`
	Connections    int            `env:"DATABASE_CONNECTIONS" envDefault:"20" help:"most connections to the database"`
	Patience       time.Duration  `env:"DATABASE_PATIENCE" envDefault:"1200ms" help:"how long the database may answer nobody until it counts as down, and pages say so; 0: for ever"`
	LogLevel       string         `env:"LOG_LEVEL" envDefault:"info" help:"debug, info, warn or error"`
	Streams        int            `env:"STREAMS" envDefault:"10000" help:"most pages at once that show what happens while they are open; each takes some 20 kB of memory"`
	PublicAge      time.Duration  `env:"PUBLIC_AGE" envDefault:"400ms" help:"how long visitors may be shown a page before it is asked whether something has changed since it was made, and twice as long while that is found out; 0: pages are made for each"`
	Development    bool           `env:"DEVELOPMENT" envDefault:"false" help:"shows all mail at /dev/mail to everybody; never in production"`
	PasswordMemory uint32         `env:"PASSWORD_MEMORY" envDefault:"65536" help:"KiB of memory that hashing a password takes, at least 19456; hashes are renewed as people sign in"`
	SecretKey      string         `env:"SECRET_KEY" help:"32 random bytes in base64 (openssl rand -base64 32), with which the secrets of apps for codes are encrypted in the database; empty: they are not"`
	SessionLife    time.Duration  `env:"SESSION_LIFE" envDefault:"720h" help:"how long a session lives, whatever happens"`
	SessionIdle    time.Duration  `env:"SESSION_IDLE" envDefault:"336h" help:"how long a session lives that nobody uses"`
	Issuer         string         `env:"OIDC_ISSUER" help:"issuer of OpenID Connect whose accounts sign in here, https://login.example.org; empty: none"`
	IssuerClient   string         `env:"OIDC_CLIENT_ID" help:"what the issuer calls this portal; there, its address to return to is BASE_URL/sign-in/oidc/callback"`
	IssuerSecret   string         `env:"OIDC_CLIENT_SECRET" help:"the secret that the issuer gave it"`
	IssuerName     string         `env:"OIDC_NAME" envDefault:"single sign-on" help:"what people call the issuer"`
	IssuerEmail    bool           `env:"OIDC_TRUST_EMAIL" envDefault:"false" help:"takes an address that the issuer calls verified as proof of the account with that address, and opens one for who has none: only if it gives nobody the address of somebody else"`
	Files          string         `env:"FILES" help:"where files are kept: file:///var/lib/portal/files or s3://bucket?region=…; empty: the folder var/files where it was started"`
	MaxFile        int64          `env:"MAX_FILE" envDefault:"5368709120" help:"most bytes of one file, at most 5 GiB"`
	Clamd          string         `env:"CLAMD" help:"ClamAV daemon that searches files for viruses, unix:///run/clamav/clamd.ctl or tcp://host:3310: while it is down no file is taken; empty: none"`
	JournalKey     string         `env:"JOURNAL_KEY" help:"file with the key that signs the heads of the journal each day, as portal journal key makes it; empty: none are published, and dev makes one at var/journal.pem"`
	Mail           mail.Settings

	// LogTo is where logs go: not set from the environment.
	LogTo io.Writer
}

// LeastPasswordMemory is the least PASSWORD_MEMORY (OWASP Password Storage Cheat Sheet).
const LeastPasswordMemory = 19456

// Setting is one variable of the environment.
type Setting struct {
	Name, Default, Help string
	kind                reflect.Type
}

// Settings are all variables that the portal reads.
func Settings() []Setting { return settings(reflect.TypeFor[Config]()) }

func settings(t reflect.Type) []Setting {
	var list []Setting
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Struct {
			list = append(list, settings(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
		if name == "" {
			continue
		}
		list = append(list, Setting{name, f.Tag.Get("envDefault"), f.Tag.Get("help"), f.Type})
	}
	return list
}

// read says in a sentence why value cannot be a setting's; nil if it can.
func (s Setting) read(value string) error {
	var err error
	need := ""
	switch s.kind {
	case reflect.TypeFor[int](), reflect.TypeFor[int64]():
		need = "no whole number"
		_, err = strconv.ParseInt(value, 10, 64)
	case reflect.TypeFor[uint32]():
		need = "no whole number above 0"
		_, err = strconv.ParseUint(value, 10, 32)
	case reflect.TypeFor[bool]():
		need = "neither true nor false"
		_, err = strconv.ParseBool(value)
	case reflect.TypeFor[time.Duration]():
		need = "no length of time such as 90s, 30m or 12h"
		_, err = time.ParseDuration(value)
	case reflect.TypeFor[[]netip.Prefix]():
		need = "no list of networks such as 10.0.0.0/8,127.0.0.1/32"
		for one := range strings.SplitSeq(value, ",") {
			_, e := netip.ParsePrefix(one)
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %q is %s", s.Name, value, need)
	}
	return nil
}

// FromEnvironment reads the configuration.
func FromEnvironment() (Config, error) {
	for _, s := range Settings() {
		if value := os.Getenv(s.Name); value != "" {
			if err := s.read(value); err != nil {
				return Config{}, err
			}
		}
	}
	c, err := env.ParseAs[Config]()
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	for name, port := range map[string]int{"PORT": c.Port, "METRICS_PORT": c.MetricsPort, "SMTP_PORT": c.Mail.Port} {
		if port < 0 || port > 65535 {
			return c, fmt.Errorf("%s: %d is not from 0 to 65535", name, port)
		}
	}
	if c.DatabaseURL == "" && (c.DirectURL != "" || c.ReplicaURL != "") {
		return c, errors.New("DATABASE_URL: it is empty, and another address of the database is not")
	}
	if c.Connections < 1 {
		return c, fmt.Errorf("DATABASE_CONNECTIONS: %d is less than 1", c.Connections)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, strings.ToLower(c.LogLevel)) {
		return c, fmt.Errorf("LOG_LEVEL: %q is none of debug, info, warn and error", c.LogLevel)
	}
	if c.PasswordMemory < LeastPasswordMemory || c.PasswordMemory > 4<<20 {
		return c, fmt.Errorf("PASSWORD_MEMORY: %d is not from %d to %d", c.PasswordMemory, LeastPasswordMemory, 4<<20)
	}
	if c.SessionIdle < time.Minute || c.SessionLife < c.SessionIdle || c.SessionLife > 400*24*time.Hour {
		return c, fmt.Errorf("SESSION_LIFE, SESSION_IDLE: %v is not from %v (the idle time, at least a minute) to 400 days", c.SessionLife, c.SessionIdle)
	}
	if c.Patience != 0 && (c.Patience < 100*time.Millisecond || c.Patience > time.Minute) {
		return c, fmt.Errorf("DATABASE_PATIENCE: %v is not from 100ms to 1m", c.Patience)
	}
	if c.MaxFile < 1 || c.MaxFile > blob.MaxSize {
		return c, fmt.Errorf("MAX_FILE: %d is not from 1 to %d", c.MaxFile, int64(blob.MaxSize))
	}
	if c.Files == "" {
		dir, err := filepath.Abs(filepath.Join("var", "files"))
		if err != nil {
			return c, fmt.Errorf("configuration: %w", err)
		}
		c.Files = "file://" + dir
	}
	return c, nil
}

// zone is the one whose days count.
func (c Config) zone() (*time.Location, error) {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil || c.TimeZone == "Local" {
		return nil, fmt.Errorf("TIME_ZONE: %q is no time zone such as Europe/Paris", c.TimeZone)
	}
	return zone, nil
}

// issuer is what OIDC_… stands for; nil without one.
func (c Config) issuer(base *url.URL) (*account.Issuer, error) {
	if c.Issuer == "" {
		return nil, nil
	}
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || c.IssuerClient == "" {
		return nil, fmt.Errorf("OIDC_ISSUER: %q is no address, or there is no OIDC_CLIENT_ID", c.Issuer)
	}
	// The issuer is asked, and nobody whom it refers to instead.
	straight := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &account.Issuer{URL: c.Issuer, ClientID: c.IssuerClient, ClientSecret: c.IssuerSecret, Name: c.IssuerName, TrustEmail: c.IssuerEmail,
		Back: base.JoinPath(account.IssuerPath).String(), Asking: func(ctx context.Context) context.Context { return oidc.ClientContext(ctx, straight) }}, nil
}

// key is what SECRET_KEY stands for; nil if it is empty.
func (c Config) key() ([]byte, error) {
	if c.SecretKey == "" {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(c.SecretKey)
	if err != nil || len(key) != 32 {
		return nil, errors.New("SECRET_KEY: it is not 32 bytes in base64")
	}
	return key, nil
}

// Direct is the address of the database for what needs a session.
func (c Config) Direct() string { return cmp.Or(c.DirectURL, c.DatabaseURL) }

// Address is where the portal listens.
func (c Config) Address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

func (c Config) base() (*url.URL, error) {
	if c.BaseURL == "" {
		return &url.URL{Scheme: "http", Host: c.Address()}, nil
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return nil, fmt.Errorf("BASE_URL: %q is not an address such as https://portal.example.org", c.BaseURL)
	}
	u.Path = ""
	return u, nil
}
