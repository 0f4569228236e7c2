// Package clamd asks a ClamAV daemon whether there is a virus in a file, by its
// command INSTREAM (clamd(8)). It knows nothing of documents or of the store.
package clamd

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"commissionportal/internal/problem"
)

// ErrTooLarge says that a file is larger than the daemon takes (StreamMaxLength).
var ErrTooLarge = errors.New("larger than clamd takes")

const (
	chunk = 64 << 10
	// silence is how long the daemon may take for one piece, and patience for its
	// verdict once it has all of a file: it unpacks archives.
	silence  = 30 * time.Second
	patience = 5 * time.Minute
)

// Scanner speaks to one daemon. It is safe for concurrent use; nil finds nothing.
type Scanner struct{ network, address string }

// New makes the scanner for unix:///run/clamav/clamd.ctl or tcp://host:3310; nil for "".
func New(address string) (*Scanner, error) {
	if address == "" {
		return nil, nil
	}
	u, err := url.Parse(address)
	switch {
	case err == nil && u.Scheme == "unix" && u.Host == "" && strings.HasPrefix(u.Path, "/"):
		return &Scanner{"unix", u.Path}, nil
	case err == nil && u.Scheme == "tcp" && u.Port() != "" && u.Path == "":
		return &Scanner{"tcp", u.Host}, nil
	}
	return nil, fmt.Errorf("CLAMD: %q is not an address such as unix:///run/clamav/clamd.ctl or tcp://127.0.0.1:3310", address)
}

// Scan streams r to the daemon, and answers the name of the virus in it; "" for
// none. It reports ErrTooLarge, Unavailable if the daemon does not answer as it
// should, and an error of r as it is.
func (s *Scanner) Scan(ctx context.Context, r io.Reader) (virus string, err error) {
	c, err := (&net.Dialer{Timeout: silence}).DialContext(ctx, s.network, s.address)
	if err != nil {
		return "", down(ctx, err)
	}
	defer context.AfterFunc(ctx, func() { _ = c.Close() })() // it ends what waits
	defer func() { _ = c.Close() }()
	read, sent := stream(c, r)
	if read != nil {
		return "", read
	}
	// A daemon that refuses closes its end while it is still being sent to: what it
	// said before counts more than that.
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", down(ctx, err)
	}
	said, err := bufio.NewReader(io.LimitReader(c, 4096)).ReadString(0)
	if err != nil {
		return "", down(ctx, errors.Join(sent, err))
	}
	said = strings.TrimSuffix(said, "\x00")
	_, verdict, _ := strings.Cut(said, ": ")
	if name, found := strings.CutSuffix(verdict, " FOUND"); found && name != "" {
		return name, nil
	}
	switch {
	case sent == nil && verdict == "OK":
		return "", nil
	case strings.Contains(said, "size limit exceeded"):
		return "", ErrTooLarge
	}
	return "", down(ctx, fmt.Errorf("it says %q", said))
}

// stream sends r in pieces, each after its length, and a piece without any at the
// end. read is an error of r, sent one of the daemon.
func stream(c net.Conn, r io.Reader) (read, sent error) {
	if _, err := c.Write([]byte("zINSTREAM\x00")); err != nil {
		return nil, err
	}
	for piece := make([]byte, 4+chunk); ; {
		n, err := io.ReadFull(r, piece[4:])
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err, nil
		}
		binary.BigEndian.PutUint32(piece, uint32(n))
		if e := c.SetWriteDeadline(time.Now().Add(silence)); e != nil {
			return nil, e
		}
		if _, e := c.Write(piece[:4+n]); e != nil {
			return nil, e
		}
		if n == 0 {
			return nil, nil
		}
	}
}

func down(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: clamd: %w", problem.New(problem.Unavailable, "Files cannot be checked for viruses at the moment. Try again in a few minutes."), err)
}
