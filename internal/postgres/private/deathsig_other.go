//go:build !linux

package private

import "syscall"

// dieWithParent has no equal here; the next Start refuses while a left server runs.
func dieWithParent(*syscall.SysProcAttr) {}
