package app_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

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
	for _, script := range []string{"deb/commissionportal", "deb/postinst", "deb/prerm", "deb/postrm", "deb/check", "deb/try", "cluster/on-role-change", "cluster/server"} {
		path := filepath.Join(deploy, script)
		if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", script, err, out)
		}
		if stat, err := os.Stat(path); err != nil || stat.Mode()&0o111 == 0 {
			t.Errorf("%s: it cannot be run (%v)", script, err)
		}
	}
}

// TestCluster holds what is in deploy/cluster to the program, and has those programs that
// are here read their own files. `make cluster` runs them.
func TestCluster(t *testing.T) {
	t.Parallel()
	const deploy = "../../deploy"
	raw, err := os.ReadFile(filepath.Join(deploy, "cluster", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Image       string
			Build       any
			Command     any
			Environment map[string]string
			Volumes     []string
		}
	}
	if err := yaml.Unmarshal(raw, &compose); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true}
	for _, s := range app.Settings() {
		known[s.Name] = true
	}
	for name, s := range compose.Services {
		if s.Image == "" {
			t.Errorf("compose.yaml: %s has no image", name)
		}
		for setting := range s.Environment {
			if strings.HasPrefix(name, "portal") && !known[setting] {
				t.Errorf("compose.yaml: there is no setting %s", setting)
			}
		}
		for _, volume := range s.Volumes {
			if file, _, _ := strings.Cut(volume, ":"); strings.HasPrefix(file, "./") {
				if _, err := os.Stat(filepath.Join(deploy, "cluster", file)); err != nil {
					t.Errorf("compose.yaml: %s: %v", name, err)
				}
			}
		}
	}
	if compose.Services["portal-2"].Environment["DATABASE_PREPARE"] != "false" || len(compose.Services) != 9 {
		t.Errorf("compose.yaml has %d services, or its portals lack a setting", len(compose.Services))
	}
	var patroni map[string]any
	if raw, err = os.ReadFile(filepath.Join(deploy, "cluster", "patroni.yml")); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &patroni); err != nil || patroni["scope"] != "portal" {
		t.Errorf("patroni.yml: %v", err)
	}
	if haproxy, err := exec.LookPath("haproxy"); err == nil || exists("/usr/sbin/haproxy", &haproxy) {
		cmd := exec.Command(haproxy, "-c", "-f", filepath.Join(deploy, "cluster", "haproxy.cfg"))
		cmd.Env = append(os.Environ(), "ADMIN="+filepath.Join(t.TempDir(), "admin"), "PORTAL_1=127.0.0.1:8081", "PORTAL_2=127.0.0.1:8082", "PORTAL_3=127.0.0.1:8083") // names lead nowhere here
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "WARNING") {
			t.Errorf("haproxy: %v\n%s", err, out)
		}
	}
	if _, err := exec.LookPath("systemd-analyze"); err == nil {
		dir := t.TempDir()
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		for from, to := range map[string]string{"commissionportal.service": "commissionportal@.service", "cluster/instance.conf": "commissionportal@.service.d/instance.conf"} {
			text, err := os.ReadFile(filepath.Join(deploy, from))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, to)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, to), []byte(strings.ReplaceAll(string(text), "/usr/bin/portal", program)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := exec.Command("systemd-analyze", "verify", filepath.Join(dir, "commissionportal@8081.service")).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("systemd-analyze: %v\n%s", err, out)
		}
	}
}

// exists notes path, if it is there.
func exists(path string, found *string) bool {
	_, err := os.Stat(path)
	*found = path
	return err == nil
}
