package apptest

import (
	"os/exec"
	"syscall"
)

// endWithUs has the kernel end a child when this program ends, however it does.
func endWithUs(child *exec.Cmd) {
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
