package extract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

// mark is the variable of the environment that makes this program a child.
const mark = "PORTAL_EXTRACT"

// limits of a child. The child has the kernel hold it to them before it looks at
// the file; the parent watches the clock and the memory from outside. The clock
// alone would fail good files on a machine that is busy with other things.
type limits struct {
	time   time.Duration // of the processor
	wait   time.Duration // by the clock
	memory int64
}

var (
	childLimits   = limits{MaxTime, MaxWait, MaxMemory}
	prepareLimits = limits{10 * time.Minute, 10 * time.Minute, 2 << 30}
)

const watchEvery = 20 * time.Millisecond

// Reader is the path of the program that reads files: its main calls Child. It is
// this program, but tests name the portal itself, as a child of theirs would read
// under the race detector, many times as long.
var Reader = self()

// run starts a child for one order and gathers its answer.
func run(ctx context.Context, file *os.File, o order, l limits) (Result, error) {
	o.Seconds, o.Memory = int(math.Ceil(l.time.Seconds())), l.memory
	line, err := json.Marshal(o)
	if err != nil {
		return Result{}, err
	}
	answer, write, err := os.Pipe()
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = answer.Close() }()
	words := &tail{}
	cmd := &exec.Cmd{
		Path:   Reader,
		Args:   []string{"portal", "extract", string(o.Type)}, // for ps
		Env:    []string{mark + "=" + string(line), "GOMAXPROCS=1", "GOTRACEBACK=single"},
		Dir:    "/",
		Stdin:  file,
		Stdout: write,
		Stderr: words,
		// A grandchild that kept stderr open would keep Wait waiting.
		WaitDelay:   time.Second,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if o.Prepare {
		cmd.Env = append(cmd.Env[:1], "GOTRACEBACK=single") // every core, for once
	} else {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMEMLIMIT=%d", l.memory*3/4))
	}
	if racing {
		cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=0") // a second for each child otherwise
	}
	dieWithParent(cmd.SysProcAttr)
	started := time.Now()
	ended := make(chan error, 1)
	running := make(chan error)
	go func() {
		// The kernel sends the death signal when this thread ends, not the
		// process: so keep the thread for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		running <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	err = errors.Join(<-running, write.Close())
	if err != nil {
		return Result{}, err
	}
	kill := func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // gone already: good

	var got gathering
	gathered := make(chan error, 1)
	go func() { gathered <- got.gather(answer) }()
	clock := time.NewTimer(l.wait)
	defer clock.Stop()
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	var verdict *trouble // why it was killed
	busy := false        // and that was the clock
	var peak int64
	var exit error
	canceled := ctx.Done()
	for waiting := true; waiting; {
		select {
		case <-canceled:
			canceled = nil
			kill()
		case <-clock.C:
			verdict, busy = &trouble{TimedOut, fmt.Sprintf("Reading this file took longer than %d seconds.", int(l.wait.Seconds()))}, true
			kill()
		case <-watch.C:
			now, most := resident(cmd.Process.Pid)
			peak = max(peak, most)
			if now > l.memory && verdict == nil {
				verdict = &trouble{TooLarge, fmt.Sprintf("Reading this file took more than %d MB of memory.", l.memory>>20)}
				kill()
			}
		case err := <-gathered:
			gathered = nil
			if err != nil && verdict == nil {
				if !errors.As(err, &verdict) {
					verdict = &trouble{Broken, stopped}
				}
				kill()
			}
		case exit = <-ended:
			waiting = false
		}
	}
	if gathered != nil {
		if err := <-gathered; err != nil && verdict == nil && !errors.As(err, &verdict) {
			verdict = &trouble{Broken, stopped}
		}
	}
	if canceled == nil && ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	r := got.result
	r.Took, r.Time, r.Memory, r.Busy = time.Since(started), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), peak, busy
	if verdict == nil && (exit != nil || !got.complete) {
		if verdict = words.verdict(); r.Time >= time.Duration(o.Seconds)*time.Second { // of the kernel's own accord
			verdict = spent
		}
	}
	if verdict != nil {
		r.Outcome, r.Reason = verdict.outcome, verdict.reason
		r.Log = words.String()
		if exit != nil {
			r.Log = strings.TrimSpace(exit.Error() + "\n" + r.Log)
		}
	}
	switch r.Outcome {
	case Done:
	case TimedOut: // what was read before is worth finding
		r.Text, r.Cut = got.text.String(), true
		return r, nil
	default:
		return Result{Outcome: r.Outcome, Reason: r.Reason, Pages: r.Pages, Took: r.Took, Time: r.Time, Memory: r.Memory, Log: r.Log}, nil
	}
	r.Text = got.text.String()
	return r, nil
}

// spent is why a child was ended by the kernel.
var spent = &trouble{TimedOut, "Reading this file took too much of the processor's time."}

const stopped = "The reader of this file gave up: it is damaged or made to do harm."

// gathering is the answer of a child as it comes in.
type gathering struct {
	result   Result
	text     strings.Builder
	pictures int
	complete bool
}

func (g *gathering) gather(r io.Reader) error {
	for {
		kind, data, err := readFrame(r)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil // complete or not
		case errors.Is(err, errFrame):
			return tooLarge("Reading this file gave more than is taken.")
		case err != nil:
			return err
		case g.complete:
			return errors.New("an answer goes on after its end")
		}
		if err := g.take(kind, data); err != nil {
			return err
		}
	}
}

func (g *gathering) take(kind byte, data []byte) error {
	switch kind {
	case frameText:
		if g.text.Len()+len(data) > MaxText {
			return tooLarge("Reading this file gave more than %d MB of text.", MaxText>>20)
		}
		if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
			return errors.New("text of the child is not clean")
		}
		g.text.Write(data)
		return nil
	case framePicture:
		if g.pictures += len(data); g.pictures > maxPictures {
			return tooLarge("The pictures of this file take more than %d MB.", maxPictures>>20)
		}
		head, body, _ := bytes.Cut(data, []byte{0})
		var p Picture
		if err := json.Unmarshal(head, &p); err != nil {
			return err
		}
		c, format, err := image.DecodeConfig(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if format != "png" && format != "jpeg" || c.Width > maxSide || c.Height > maxSide {
			return errors.New("a picture of the child is none")
		}
		g.result.Pictures = append(g.result.Pictures, Picture{Page: p.Page, Width: c.Width, Height: c.Height, MIME: "image/" + format, Data: body})
		return nil
	case frameTable:
		return json.Unmarshal(data, &g.result.Table)
	case frameEnd:
		var e ending
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		g.complete = true
		g.result.Outcome, g.result.Reason, g.result.Pages, g.result.Cut = e.Outcome, e.Reason, e.Pages, e.Cut
		return nil
	}
	return errors.New("a frame of the child's answer is of no known kind")
}

// tail keeps the beginning of what a child says on stderr, where the cause
// stands, and counts on it being short.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p[:min(len(p), 4096-len(t.b))]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.b), "\uFFFD"))
}

// verdict is what a child died of by itself.
func (t *tail) verdict() *trouble {
	said := t.String()
	// The last is what becomes of Go where its own structures get no memory: a
	// nil pointer of the program's reads "panic:".
	for _, sign := range []string{"out of memory", "cannot allocate memory", "stack overflow", "stack exceeds", "makeslice: len out of range", "SIGSEGV: segmentation violation"} {
		if strings.Contains(said, sign) {
			return &trouble{TooLarge, "Reading this file took more memory than a file gets."}
		}
	}
	return &trouble{Broken, stopped}
}

// Prepare compiles the PDF engine into the cache, if it is not there: some
// seconds of two cores, once for each version of the program.
func Prepare(ctx context.Context, cache string) error {
	_, err := prepare(ctx, cache)
	return err
}

// prepared are the caches that this process has seen to.
var prepared struct {
	sync.Mutex
	caches map[string]bool
}

func prepare(ctx context.Context, cache string) (string, error) {
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil { // a service without a home
			base = filepath.Join(os.TempDir(), fmt.Sprintf("portal-%d", os.Getuid()))
		}
		cache = filepath.Join(base, "commissionportal", "pdf")
	}
	cache, err := filepath.Abs(cache)
	if err != nil {
		return "", err
	}
	prepared.Lock()
	defer prepared.Unlock()
	if prepared.caches[cache] {
		return cache, nil
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	// What lies there is run as code.
	if err := ownedAlone(cache); err != nil {
		return "", err
	}
	// Two programs that start at once do not both compile.
	release, err := lockFolder(cache)
	if err != nil {
		return "", err
	}
	defer release()
	r, err := run(ctx, nil, order{Prepare: true, Cache: cache}, prepareLimits)
	if err != nil {
		return "", err
	}
	if r.Outcome != Done {
		return "", fmt.Errorf("cannot prepare the PDF engine: %s %s", r.Reason, r.Log)
	}
	if prepared.caches == nil {
		prepared.caches = map[string]bool{}
	}
	prepared.caches[cache] = true
	return cache, nil
}

// lockFolder waits until no other process has the folder.
func lockFolder(folder string) (release func(), err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // which lets go
}
