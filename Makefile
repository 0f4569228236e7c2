# The Commission Portal. `make run` and `make test` need Go and make, and find,
# install or build everything else themselves.
#
# A recipe that needs root to install something says so where it is not.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

# Go may be installed and not in PATH, and may be older than go.mod asks for:
# then it fetches the right one (some distributions switch that off).
export PATH := $(PATH):/usr/local/go/bin
export GOTOOLCHAIN ?= auto

# Service accounts have no home; Go and the linter keep their caches in one.
ifeq ($(shell [ -d "$${HOME-}" ] && [ -w "$${HOME-}" ] && echo yes),)
export HOME := $(CURDIR)/var/.home
export GOFLAGS := $(GOFLAGS) -modcacherw
$(shell mkdir -p "$(HOME)")
endif

# Those that take longest begin first.
PACKAGES := ./internal/document/documentweb ./internal/app ./internal/account/accountweb $(foreach d,$(wildcard cmd internal migrations policies views),./$d/...)
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
JOBS     := $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))

TEMPL := go run github.com/a-h/templ/cmd/templ@v0.3.977

NFPM := go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0

LINT_VERSION := 2.15.0
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/commissionportal/tools
LINT  := $(or $(wildcard var/tools/golangci-lint-$(LINT_VERSION)),$(TOOLS)/golangci-lint-$(LINT_VERSION))

SQUAWK_VERSION := 2.66.0
SQUAWK         := $(TOOLS)/squawk-$(SQUAWK_VERSION)
# Those before 0036 ran everywhere before they were held to it.
MIGRATIONS     := $(wildcard migrations/003[6-9]_*.sql migrations/00[4-9]?_*.sql migrations/0[1-9]??_*.sql)

S3_VERSION := 1.8.0
S3         := $(TOOLS)/versitygw-$(S3_VERSION)
S3_PORT    ?= 7499

## run: the portal on this machine, with a database of its own under var/
.PHONY: run
run: build
	@exec var/portal dev

## build: the one static program, var/portal
.PHONY: build
build: go
	@CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X commissionportal/internal/app.Version=$(VERSION)" -o var/portal ./cmd/portal

## deb: the package for Debian and Ubuntu, var/deb/commissionportal_*.deb, and a look at what is in it
# A tag v1.2.3 makes 1.2.3; what is none, a version before every release.
DEB_ARCH    ?= $(shell go env GOARCH)
DEB_VERSION ?= $(shell git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null | sed 's/^v//' | grep . || git log -1 --format='0.0~git%cd.%h' --date=format:%Y%m%d%H%M)
.PHONY: deb
deb: go
	@rm -rf var/deb && mkdir -p var/deb
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(DEB_ARCH) go build -trimpath -ldflags "-s -w -X commissionportal/internal/app.Version=$(VERSION)" -o var/deb/portal ./cmd/portal
	@DEB_ARCH=$(DEB_ARCH) DEB_VERSION=$(DEB_VERSION) SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(NFPM) package -f deploy/nfpm.yaml -p deb -t var/deb/
	@deploy/deb/check var/deb/*.deb

## deb-try: the package installed, started, upgraded, removed and purged in a Debian of its own, as root
# About two minutes, and packages from Debian's mirror.
.PHONY: deb-try
deb-try:
	@command -v debootstrap >/dev/null || { $(call install,debootstrap); } || { echo "A Debian to try it in is missing: apt-get install debootstrap" >&2; exit 1; }
	@rm -rf var/try && mkdir -p var/try
	@$(MAKE) --no-print-directory DEB_VERSION=0.0.1 deb && mv var/deb/*.deb var/try/
	@$(MAKE) --no-print-directory DEB_VERSION=0.0.2 deb
	@deploy/deb/try var/try/*.deb var/deb/*.deb

## test: all that is checked: generated files, format, vet, lint, tests
.PHONY: test
test: generated format vet lint tests

## tests: the tests alone; ARGS="-run TestX" for some of them
# A server for all packages. Go serves from its cache a package whose code, variables
# and files in the checkout are as they were: real files are therefore opened by a link
# in it, and what saw a database, a browser or a kernel reads TEST_RUN, and runs each
# time (private.Uncached). ARGS=-count=1 runs all of them.
# Memory is collected less often than elsewhere (GOGC): the tests hold little.
# The race detector watches without checkptr, which it brings along: there is one unsafe
# pointer, of a system call.
# Children that read files are the portal itself, and the style sheets are compressed
# and passwords hashed without the race detector watching: it took many times as long. (Not so for a
# library that uses sync.Map or atomic.Pointer: its copies of them, not watched, serve
# the whole program, and what they order looks like a race.)
.PHONY: tests
tests: go cc chromium pgbouncer
	@go build -o var/test/portal ./cmd/portal
	@if data=$$(realpath -e "$${SHARED_DATA:-../shared/data}" 2>/dev/null); then \
	  ln -sfn "$$data" var/test/data; export SHARED_DATA="$(CURDIR)/var/test/data"; fi; \
	TEST_RUN=$$(date +%s.%N) CGO_ENABLED=1 APPTEST_PORTAL="$(CURDIR)/var/test/portal" GORACE=atexit_sleep_ms=0 GOGC=400 go run ./internal/postgres/private/serve -- \
	  go run .ci/tally.go go test -json -race -gcflags=all=-d=checkptr=0 -gcflags=github.com/andybalholm/brotli=-race=false -gcflags=golang.org/x/crypto/argon2=-race=false -vet=off -p=$(JOBS) -parallel=4 -timeout=10m $(ARGS) $(PACKAGES)

## test-s3: the file store, and uploads that two portals take in turn, on a real server that speaks S3, built once
.PHONY: test-s3
test-s3: go $(S3)
	@data=$$(mktemp -d); \
	ROOT_ACCESS_KEY=test ROOT_SECRET_KEY=testtest $(S3) -q -p 127.0.0.1:$(S3_PORT) posix "$$data" >/dev/null & server=$$!; \
	trap 'kill $$server; rm -rf "$$data"' EXIT; \
	mkdir "$$data/tests"; \
	until (: </dev/tcp/127.0.0.1/$(S3_PORT)) 2>/dev/null; do kill -0 $$server; sleep 0.1; done; \
	export S3_URL='s3://tests?region=us-east-1&use_path_style=true&endpoint=http://127.0.0.1:$(S3_PORT)' AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=testtest; \
	go test -count=1 $(ARGS) ./internal/blob && \
	go run ./internal/postgres/private/serve -- go test -count=1 -run 'TestResumable$$' ./internal/document/documentweb

## measure-uploads: peak memory of the portal while files of 2 GiB, and ten of 200 MiB side by side, are sent to it
# Writes up to 9 GB into TMPDIR and removes them.
.PHONY: measure-uploads
measure-uploads: build
	@MEASURE=1 APPTEST_PORTAL="$(CURDIR)/var/portal" go run ./internal/postgres/private/serve -- \
	  go test -count=1 -v -timeout=60m -run 'TestMeasureUploads$$' ./internal/document/documentweb

## measure-downloads: peak memory of the portal while 20 GiB are downloaded from it as one ZIP, and ten of 1 GiB side by side
# Writes 400 MB into TMPDIR and removes them.
.PHONY: measure-downloads
measure-downloads: build
	@MEASURE=1 APPTEST_PORTAL="$(CURDIR)/var/portal" go run ./internal/postgres/private/serve -- \
	  go test -count=1 -v -timeout=60m -run 'TestMeasureDownloads$$' ./internal/document/documentweb

## world: a convention as large as the world, to measure the portal on; SCALE=0.01 is a hundredth. `var/portal dev --world` serves it
# Kept under var/world, about 19 GB at scale 1, 6 of them what Postgres logs ahead; made anew each time.
SCALE ?= 1
.PHONY: world
world: build
	@rm -rf var/world
	@var/portal world --scale $(SCALE)

## bench: the portal with that world in it against what the machine can do, in turns; writes docs/bench.md
# About 50 minutes, with nothing else running. ARGS="-run roster -rounds 3 -out -" looks at some of it.
VEGETA_VERSION := 12.13.0
VEGETA         := $(TOOLS)/vegeta-$(VEGETA_VERSION)
.PHONY: bench
bench: build $(VEGETA)
	@command -v wrk >/dev/null || { $(call install,wrk); } || { echo "The load generator is missing: apt-get install wrk" >&2; exit 1; }
	@go build -o var/bench ./.ci/bench && exec var/bench -vegeta $(VEGETA) $(ARGS)

## cluster: three portals, HAProxy, PgBouncer, a Postgres primary and its replica and a store that speaks S3, on loopback; breaks each and says what people noticed
# About six minutes. ARGS=-stay leaves it up, to be looked at; ARGS=-measure measures
# one, two and three portals (docs/scaling.md); ARGS="-run primary" breaks that alone.
# What Debian starts of itself as it installs is stopped: it serves nobody.
.PHONY: cluster
cluster: build $(S3)
	@export PATH=$$PATH:/usr/sbin; \
	{ command -v haproxy && command -v pgbouncer && { command -v wrk || [[ "$(ARGS)" != *measure* ]]; }; } >/dev/null || { $(call install,haproxy pgbouncer wrk) && \
	  { { systemctl disable --now haproxy pgbouncer || { service haproxy stop; service pgbouncer stop; }; } >/dev/null 2>&1 || true; }; } || \
	{ echo "Parts are missing: apt-get install haproxy pgbouncer wrk" >&2; exit 1; }
	@go build -o var/clusters ./.ci/cluster && exec var/clusters -s3 $(S3) $(ARGS)

## plans: the tests' look at the plans of every statement, in a world of a twentieth
.PHONY: plans
plans: go
	@PLANS=0.05 go run ./internal/postgres/private/serve -- go test -count=1 -v -timeout=30m -run 'TestWorld$$' ./internal/app

## prove: a million decisions about random rules, and every route as everybody, compared with oracles that know no Casbin
.PHONY: prove
prove: go
	@PROVE=1 go test -count=1 -v -run 'TestRulesByOracle$$' ./internal/access
	@PROVE=1 go run ./internal/postgres/private/serve -- go test -count=1 -v -run 'Test(Matrix|States|RightsMachine)$$' ./internal/app

## mutants: every call that asks for a right taken out, and every row of the policies dropped and widened: what no test notices
# ARGS="-run EXPR" for those whose name matches, -again with the programs of the last run.
.PHONY: mutants
mutants: go
	@go build -o var/test/portal ./cmd/portal
	@APPTEST_PORTAL="$(CURDIR)/var/test/portal" go run ./internal/postgres/private/serve -- go run ./.ci/mutants $(ARGS)

## attack: wapiti and sqlmap over the sample, signed in as a member; fails if they find anything
# About 15 minutes, on a server and in a folder of its own (var/attack has the
# reports); MINUTES=60 looks longer. What docs/security.md says of findings is in .ci/attack.go.
MINUTES ?= 14
.PHONY: attack
attack: build scanners
	@env -u TEST_DATABASE_URL go run ./internal/postgres/private/serve -- go run .ci/attack.go -minutes $(MINUTES)

## lint: golangci-lint, with the import order of the house, and squawk over new migrations
.PHONY: lint
lint: go $(LINT) $(if $(MIGRATIONS),$(SQUAWK))
	@$(LINT) run --allow-parallel-runners $(PACKAGES)
	@$(if $(MIGRATIONS),$(SQUAWK) $(MIGRATIONS))

## generate: the Go files of the views
.PHONY: generate
generate: go
	@$(TEMPL) generate -path views -log-level warn

.PHONY: generated
generated: go
	@sum() { find views -name '*_templ.go' -print0 | sort -z | xargs -0r sha256sum; }; \
	before=$$(sum); $(TEMPL) generate -path views -log-level warn; \
	if [ "$$before" != "$$(sum)" ]; then \
	  echo "Generated files were out of date and have been renewed: commit them."; \
	  diff <(echo "$$before") <(sum) | sed -n 's/^> [0-9a-f]* / /p'; exit 1; fi

.PHONY: format
format: go
	@files=$$(gofmt -l cmd internal $(wildcard migrations policies views)); \
	if [ -n "$$files" ]; then echo "Not formatted (gofmt -w):"; echo "$$files"; exit 1; fi

.PHONY: vet
vet: go
	@go vet $(PACKAGES)

## clean: remove what was built and what tests left; var/postgres, your data, stays
.PHONY: clean
clean:
	@rm -rf var/portal var/bench var/cluster var/clusters var/test var/attack var/deb var/try var/shots var/tools

.PHONY: help
help:
	@sed -n 's/^## \([a-z0-9-]*\): /  make \1\t/p' Makefile

.PHONY: go
go:
	@command -v go >/dev/null || { echo "Go is missing: install it from https://go.dev/dl/ or with apt-get install golang-go" >&2; exit 1; }

# install PACKAGES: with apt-get if we are root, else fails.
install = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && export DEBIAN_FRONTEND=noninteractive && \
	{ apt-get install -y --no-install-recommends $1 || { apt-get update && apt-get install -y --no-install-recommends $1; }; }

# The race detector is linked with a C compiler.
.PHONY: cc
cc: go
	@command -v $$(CGO_ENABLED=1 go env CC) >/dev/null || { $(call install,gcc libc6-dev); } || \
	{ echo "The race detector needs a C compiler: apt-get install gcc libc6-dev" >&2; exit 1; }

.PHONY: scanners
scanners:
	@{ command -v wapiti && command -v sqlmap; } >/dev/null || { $(call install,wapiti sqlmap); } || \
	{ echo "The scanners are missing: apt-get install wapiti sqlmap" >&2; exit 1; }

# Without a browser its journeys skip, or fail where CI is set: not here. The one
# that has no windows at all does the same in two thirds of the time.
.PHONY: chromium
chromium:
	@there() { for name in "$$@"; do if command -v "$$name" >/dev/null; then return 0; fi; done; return 1; }; \
	if there "$${CHROMIUM:-/usr/lib/chromium/chromium-headless-shell}"; then exit 0; fi; \
	if there chromium chromium-browser google-chrome google-chrome-stable; then \
	  if [ "$$(id -u)" = 0 ]; then DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium-headless-shell >/dev/null 2>&1 || true; fi; \
	  exit 0; fi; \
	{ $(call install,chromium-headless-shell fonts-dejavu-core); } || { $(call install,chromium fonts-dejavu-core); } || \
	echo "No browser for the journeys in it: apt-get install chromium" >&2

# Without a pooler its tests skip, or fail where CI is set.
.PHONY: pgbouncer
pgbouncer:
	@command -v pgbouncer /usr/sbin/pgbouncer >/dev/null || { $(call install,pgbouncer); } || \
	echo "No pooler to test with: apt-get install pgbouncer" >&2

$(TOOLS)/golangci-lint-$(LINT_VERSION):
	@echo "Building golangci-lint $(LINT_VERSION), once: it takes about five minutes …"
	@mkdir -p "$(@D)/new"
	@CGO_ENABLED=0 GOBIN="$(@D)/new" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(LINT_VERSION)
	@mv "$(@D)/new/golangci-lint" "$@" && rmdir "$(@D)/new"

$(SQUAWK):
	@command -v npm >/dev/null || { $(call install,npm); } || { echo "What looks at migrations comes from npm: apt-get install npm" >&2; exit 1; }
	@mkdir -p "$(@D)/new"
	@cd "$(@D)/new" && npm pack --silent "@squawk-cli/$$(go env GOOS)-$$(go env GOARCH | sed s/amd64/x64/)@$(SQUAWK_VERSION)" >/dev/null && tar xzf squawk-cli-*.tgz
	@mv "$(@D)/new/package/bin/squawk" "$@" && rm -r "$(@D)/new"

$(VEGETA):
	@mkdir -p "$(@D)/new"
	@CGO_ENABLED=0 GOBIN="$(@D)/new" go install github.com/tsenart/vegeta/v12@v$(VEGETA_VERSION)
	@mv "$(@D)/new/vegeta" "$@" && rmdir "$(@D)/new"

$(S3):
	@echo "Building versitygw $(S3_VERSION), once …"
	@mkdir -p "$(@D)/new"
	@CGO_ENABLED=0 GOBIN="$(@D)/new" go install github.com/versity/versitygw/cmd/versitygw@v$(S3_VERSION)
	@mv "$(@D)/new/versitygw" "$@" && rmdir "$(@D)/new"
