package private

import (
	"os/exec"
	"path/filepath"

	"commissionportal/internal/problem"
)

// Tool is the path of one of PostgreSQL's own programs, such as pg_dump: the newest
// that is installed, since it reads every older server and no newer one; else the
// one in PATH.
func Tool(name string) (string, error) {
	for _, in := range installations() {
		if path, err := exec.LookPath(filepath.Join(in.dir, name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", problem.New(problem.Unavailable, "%s is missing: apt-get install postgresql-client", name)
	}
	return path, nil
}
