package private

import "syscall"

// dieWithParent asks the kernel to stop the server (fast, but cleanly) when the
// thread that started it ends: a portal killed with -9 leaves no server behind.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
