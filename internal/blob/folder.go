package blob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// folder is a store on a file system: local, or NFS that several servers mount.
type folder string

// openFolder makes the folder, if need be, and sees that it can be written.
func openFolder(dir string) (folder, error) {
	f := folder(dir)
	if err := f.mkdir(f.path("incoming")); err != nil {
		return "", err
	}
	probe, err := f.begin(context.Background(), "")
	if err != nil {
		return "", err
	}
	probe.discard()
	return f, nil
}

func (f folder) path(key string) string { return filepath.Join(string(f), filepath.FromSlash(key)) }

// mkdir makes a folder and those above it, each durable in the one it lies in.
func (f folder) mkdir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		if err := f.mkdir(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil // in whose folder it lies is another's care, or flushed by settle
	}
	if err != nil {
		return err
	}
	return flush(filepath.Dir(dir))
}

// flush makes the names in a folder durable.
func flush(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f folder) present(context.Context) error {
	_, err := os.Stat(f.path("incoming"))
	return err
}

// segment is what the kill of a server may lose of an upload; a power cut too, as
// each is flushed.
func (f folder) segment() int64 { return 16 << 20 }

func (f folder) begin(context.Context, string) (draft, error) {
	file, err := os.OpenFile(f.path(incoming()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &sheet{File: file, in: f}, nil
}

// sheet is a draft in a folder.
type sheet struct {
	*os.File
	in     folder
	closed bool
}

func (s *sheet) settle(_ context.Context, key string) error {
	if err := s.Sync(); err != nil {
		return err
	}
	s.closed = true
	if err := s.Close(); err != nil {
		return errors.Join(err, os.Remove(s.Name()))
	}
	if err := s.rename(s.in.path(key)); err != nil {
		return errors.Join(err, os.Remove(s.Name()))
	}
	// All the way up, though most of it is durable long since: another may have
	// made a folder this very moment and not flushed it yet.
	for dir := filepath.Dir(s.in.path(key)); ; dir = filepath.Dir(dir) {
		if err := flush(dir); err != nil || dir == string(s.in) {
			return err
		}
	}
}

// rename gives the draft its name while nobody deletes.
func (s *sheet) rename(to string) error {
	unlock, err := s.in.lock(syscall.LOCK_SH)
	if err != nil {
		return err
	}
	defer unlock()
	for tries := 0; ; tries++ {
		err := os.Rename(s.Name(), to)
		if !errors.Is(err, fs.ErrNotExist) || tries == 3 {
			return err
		}
		if err := s.in.mkdir(filepath.Dir(to)); err != nil {
			return err
		}
	}
}

func (s *sheet) discard() {
	if s.closed {
		return
	}
	s.closed = true
	_ = s.Close()
	_ = os.Remove(s.Name()) // or Sweep does it
}

// lock holds off renames (LOCK_EX) or removals (LOCK_SH) by any process.
func (f folder) lock(how int) (unlock func(), err error) {
	file, err := os.OpenFile(f.path("lock"), os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(file.Fd()), how); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func (f folder) remove(_ context.Context, key string, before time.Time) error {
	unlock, err := f.lock(syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	info, err := os.Stat(f.path(key))
	if err == nil && !info.ModTime().Before(before) {
		return errRecent
	}
	if err == nil {
		err = os.Remove(f.path(key))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// prune removes the folder itself, unless something came into it meanwhile.
func (f folder) prune(prefix string) { _ = os.Remove(f.path(prefix)) }

// sweep removes folders of uploads that a crash has left empty.
func (f folder) sweep(_ context.Context, before time.Time) (int, error) {
	uploads, err := os.ReadDir(f.path("upload"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, u := range uploads {
		if info, err := u.Info(); err == nil && u.IsDir() && info.ModTime().Before(before) {
			f.prune("upload/" + u.Name())
		}
	}
	return 0, err
}
