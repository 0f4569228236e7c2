package extract

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// self is this program, even if its file has been replaced by a newer one.
func self() string { return "/proc/self/exe" }

func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// reopen gives a descriptor of its own, for reading alone, of a file that may
// have no name any more.
func reopen(f *os.File) (*os.File, error) {
	return os.Open("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
}

// ownedAlone is an error if others may write to a folder.
func ownedAlone(folder string) error {
	stat, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if !ok || !stat.IsDir() || int(sys.Uid) != os.Geteuid() || stat.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a folder of this account alone", folder)
	}
	return nil
}

// resident is the memory of a process that is resident, and the most that was;
// 0 if it has ended.
func resident(pid int) (now, most int64) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(b)) {
		name, rest, _ := strings.Cut(line, ":")
		if name != "VmRSS" && name != "VmHWM" {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			continue
		}
		if name == "VmRSS" {
			now = n << 10
		} else {
			most = n << 10
		}
	}
	return now, most
}

// limitSelf sets what the kernel enforces: time of the processor, memory, files.
func limitSelf(l limits) error {
	seconds := uint64(l.time.Seconds())
	set := map[int]uint64{
		unix.RLIMIT_CPU:   seconds,
		unix.RLIMIT_CORE:  0,
		unix.RLIMIT_FSIZE: 0,
	}
	if !racing {
		// What is written to, rather than what is reserved, of which Go and
		// WebAssembly take much and use little. The race detector shadows it.
		set[unix.RLIMIT_DATA] = uint64(l.memory)
	}
	for what, n := range set {
		limit := unix.Rlimit{Cur: n, Max: n}
		if what == unix.RLIMIT_CPU {
			limit.Max++ // SIGXCPU first, by which the parent knows
		}
		if err := unix.Setrlimit(what, &limit); err != nil {
			return fmt.Errorf("limit %d: %w", what, err)
		}
	}
	// Niceness belongs to threads on Linux; those to come inherit it.
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, 10); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}

// forbidden is what a child that reads a file has no business with: network,
// files, other processes, new privileges. Memory, threads and the descriptors it
// has are left.
var forbidden = append([]uint32{
	unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
	unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG,
	unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_NAME_TO_HANDLE_AT,
	unix.SYS_UNLINKAT, unix.SYS_RENAMEAT2, unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_MKDIRAT, unix.SYS_MKNODAT,
	unix.SYS_FCHMODAT, unix.SYS_FCHOWNAT, unix.SYS_TRUNCATE, unix.SYS_CHDIR, unix.SYS_FCHDIR, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KILL, unix.SYS_PIDFD_OPEN,
	unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETREUID, unix.SYS_SETREGID, unix.SYS_SETRESUID, unix.SYS_SETRESGID, unix.SYS_SETGROUPS, unix.SYS_CAPSET,
	unix.SYS_SETPGID, unix.SYS_SETSID, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_MEMFD_CREATE,
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT,
}, forbiddenHere...)

// lock takes from this process, for good, what is forbidden: those calls fail
// with EPERM. A kernel without seccomp leaves it as it is; the readers are
// written in a language, and a sandbox, that give a file no way to such calls.
func lock() error {
	const (
		offsetNumber, offsetArch = 0, 4
		allow                    = 0x7fff0000 // SECCOMP_RET_ALLOW
		refuse                   = 0x00050000 | uint32(unix.EPERM)
		setModeFilter, tsync     = 1, 1
	)
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	end := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	program := []unix.SockFilter{
		load(offsetArch),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: arch, Jt: 1}, // calls of another architecture have other numbers
		end(refuse),
		load(offsetNumber),
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: 0x40000000, Jf: 1}, // and so has x32
		end(refuse),
	}
	for _, n := range forbidden {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: n, Jf: 1}, end(refuse))
	}
	program = append(program, end(allow))
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, tsync, uintptr(unsafe.Pointer(&filter))) //nolint:gosec // the kernel takes a pointer
	if errno != 0 && errno != unix.ENOSYS && errno != unix.EINVAL {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
