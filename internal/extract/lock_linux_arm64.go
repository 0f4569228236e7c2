package extract

import "golang.org/x/sys/unix"

const arch = unix.AUDIT_ARCH_AARCH64

var forbiddenHere = []uint32{unix.SYS_RENAMEAT}
