package app_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"commissionportal/internal/app"
)

// TestPackage holds what is in deploy to the program: its settings, how it is built, and
// that nobody but root and the portal reads secrets. `make deb` looks at the
// package, and `make deb-try` installs it.
func TestPackage(t *testing.T) {
	t.Parallel()
	const deploy = "../../deploy"
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(deploy, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	known := map[string]bool{"PACKAGE_MIGRATES": true}
	for _, s := range app.Settings() {
		known[s.Name] = true
	}
	settings := read("portal.env")
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z_]+)=(.*)$`).FindAllStringSubmatch(settings, -1) {
		if !known[m[1]] {
			t.Errorf("portal.env: there is no setting %s", m[1])
		}
		if secret := strings.Contains(m[1], "SECRET") || strings.Contains(m[1], "PASSWORD"); secret && m[2] != "" {
			t.Errorf("portal.env: %s has a value", m[1])
		}
	}
	for file, texts := range map[string][]string{
		"portal.env":               {"\nDATABASE_URL=\n", "\nBASE_URL=\n"}, // so that nothing starts by itself
		"nfpm.yaml":                {"dst: /etc/commissionportal/portal.env, type: config|noreplace, file_info: {mode: 0640}", "dst: /etc/commissionportal, type: dir, file_info: {mode: 0750}"},
		"commissionportal.service": {"User=commissionportal", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n", "ExecStart=/usr/bin/portal serve", "SystemCallFilter=@system-service seccomp\n"},
		"Dockerfile":               {"CGO_ENABLED=0 go build -trimpath -ldflags \"-s -w -X commissionportal/internal/app.Version=", "\nFROM scratch\n", "\nUSER 65532:65532\n", "ca-certificates.crt"},
	} {
		for _, text := range texts {
			if !strings.Contains(read(file), text) {
				t.Errorf("%s lacks %q", file, text)
			}
		}
	}
	// systemd reads the unit, with a program that is there, and finds it well shut in.
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Logf("the unit is not looked at: %v", err)
	} else {
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		unit := filepath.Join(t.TempDir(), "commissionportal.service")
		if err := os.WriteFile(unit, []byte(strings.ReplaceAll(read("commissionportal.service"), "/usr/bin/portal", program)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"verify", unit}, {"security", "--offline=true", "--threshold=20", unit}} { // 14 is 1.4 of 10; less is better
			if out, err := exec.Command("systemd-analyze", args...).CombinedOutput(); err != nil || args[0] == "verify" && len(out) > 0 {
				t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
			}
		}
	}
	for _, script := range []string{"commissionportal", "postinst", "prerm", "postrm", "check", "try"} {
		path := filepath.Join(deploy, "deb", script)
		if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", script, err, out)
		}
		if stat, err := os.Stat(path); err != nil || stat.Mode()&0o111 == 0 {
			t.Errorf("%s: it cannot be run (%v)", script, err)
		}
	}
}
