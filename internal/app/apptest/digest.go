package apptest

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
)

// digestOf is a short digest of all files, so that a changed migration makes a
// new template.
func digestOf(files fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, path)
		h.Write([]byte(path))
		h.Write(body)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:8]), err
}
