package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program of the cluster. It ends with this one, whatever ends that.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
	stop  syscall.Signal // what asks it to end
}

// spawn starts a program; what it says is in log/NAME.log.
func (c *cluster) spawn(name string, stop syscall.Signal, cmd *exec.Cmd) (*process, error) {
	log, err := os.OpenFile(filepath.Join(c.dir, "log", name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: cmd, ended: make(chan struct{}), stop: stop}
	cmd.Stdout, cmd.Stderr = log, log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for this program
	}
	cmd.SysProcAttr.Pdeathsig = stop
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel sends that signal as the thread ends
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
		close(p.ended)
	}()
	if err := errors.Join(<-started, log.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c.processes = append(c.processes, p)
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// ready waits until a program serves.
func (p *process) ready(good func() bool) error {
	err := until(p.name, time.Minute, func() bool { return !p.running() || good() })
	if !p.running() {
		err = fmt.Errorf("%s has ended: see %s", p.name, filepath.Join("var", "cluster", "log"))
	}
	return err
}

// end asks it to end, and waits until it has.
func (p *process) end() {
	if !p.running() {
		return
	}
	_ = p.cmd.Process.Signal(p.stop)
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.kill()
	}
}

// kill ends it and its children as a power cut would.
func (p *process) kill() {
	pids := append([]int{p.pid()}, children(p.pid())...)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL) // one that has gone is what is wanted
	}
	<-p.ended
}

// stat are the fields of /proc/PID/stat from the third on.
func stat(pid string) []string {
	raw, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return nil // it has gone
	}
	text := string(raw)
	return strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
}

func children(of int) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*") // the pattern is good
	for _, dir := range all {
		if f := stat(filepath.Base(dir)); len(f) > 1 && f[1] == strconv.Itoa(of) {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			pids = append(pids, pid)
		}
	}
	return pids
}

// cpu is the processor's time that programs have taken with their children, those that
// have ended among them.
func cpu(processes ...*process) time.Duration {
	const tick = time.Second / 100 // USER_HZ
	var ticks int64
	for _, p := range processes {
		for _, pid := range append([]int{p.pid()}, children(p.pid())...) {
			f := stat(strconv.Itoa(pid))
			if len(f) < 15 {
				continue
			}
			for _, field := range f[11:15] { // utime stime cutime cstime
				n, _ := strconv.ParseInt(field, 10, 64)
				ticks += n
			}
		}
	}
	return time.Duration(ticks) * tick
}

// until waits for something to become true.
func until(what string, most time.Duration, good func() bool) error {
	for end := time.Now().Add(most); !good(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("%s: not within %v", what, most)
		}
	}
	return nil
}
