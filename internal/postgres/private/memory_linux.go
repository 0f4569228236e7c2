package private

import (
	"fmt"
	"os"
	"syscall"
)

// memory is a folder of this account in a file system that is in memory and has
// room for a test server, or "". A clone of a database is some 600 small files: made
// and removed there in 25 ms, on ext4 in up to a second, as it looks at every file
// removed shortly before for each one made.
func memory() string {
	const shm, magic, room = "/dev/shm", 0x01021994, 3 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(shm, &fs); err != nil || fs.Type != magic || int64(fs.Bavail)*fs.Bsize < room {
		return ""
	}
	dir := fmt.Sprintf("%s/commissionportal-%d", shm, os.Geteuid())
	if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
		return ""
	}
	stat, err := os.Lstat(dir)
	if err != nil || !stat.IsDir() {
		return ""
	}
	if owner, ok := stat.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() || stat.Mode().Perm()&0o022 != 0 {
		return "" // somebody else's
	}
	return dir
}
