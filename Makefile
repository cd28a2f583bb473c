# Everything a checkout needs, on a Debian machine with Rust: `make demo`, `make test`.
# The lab (systemd as PID 1, in a container and in a virtual machine) needs root; `sudo make …` or a root shell.

TARGET  := x86_64-unknown-linux-gnu
CACHE   ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/appctl-lab
CARGO   ?= cargo
TOOLS   := $(CACHE)/tools
export APPCTL_LAB_CACHE := $(CACHE)
export PATH := $(TOOLS)/bin:$(PATH)

# The shim is paid once per instance: static and at a fixed address its private memory is half.
STATIC  := RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=static"
SHIPPED := --profile shim --no-default-features --target $(TARGET) --bin appctl-shim --bin appctl-generator

.PHONY: help demo fuzz fuzz-short test test-fast test-package test-lab present bench bench-staging bench-versions matrix torture deb lint fmt lab-shell packages clean

help:
	@echo "make demo       one box with systemd as PID 1: install, serve from 4 instances, roll under load, report"
	@echo "make test       all tests, by stage: lint, test-fast, test-package, test-lab"
	@echo "make lint       formatting, clippy, rustdoc, dependencies, shell scripts"
	@echo "make test-fast  unit, property and golden tests, the shim and the adapter; no root, installs nothing"
	@echo "make test-package   the .deb, and lintian on it"
	@echo "make test-lab   the .deb installed under systemd, on Debian 12 and 13, in containers and virtual machines"
	@echo "make bench      PM2 beside appctl in one box, about eighteen minutes; BENCH_QUICK=1 for a short run"
	@echo "make matrix     every shape of load on every way to roll, ten rollouts each, about five minutes"
	@echo "make torture    hours: the load and fault suite, killed deploys and installations with their full numbers (SEED=N)"
	@echo "make fuzz       each fuzz target for FUZZ_SECONDS (60), with coverage counters; what it finds is in fuzz/artifacts"
	@echo "make fuzz-short the same properties on some thousands of inputs, always the same; part of make test"
	@echo "make deb        target/debian/appctl_*.deb"
	@echo "make lab-shell  a shell in a box with the .deb installed (DEBIAN=13, MACHINE=1 for a whole machine)"
	@echo "make bench-versions OLD=FILE.deb   this checkout's package beside another one: throughput and rolling restarts"
	@echo "make bench-staging   what the second release of a large app costs, compared with the first"
	@echo "make fmt        formats the sources"
	@echo "make lint       formatting, clippy, rustdoc, shellcheck, types of the adapter (tsc), what dependencies may be (cargo-deny)"

demo: packages deb
	$(CARGO) run --quiet -p appctl-lab --bin lab -- demo

test: packages lint test-fast test-package test-lab

test-fast: present
	$(CARGO) build --no-default-features --bin appctl-shim --bin appctl-generator
	$(CARGO) test --workspace --lib --bins --quiet
	$(STATIC) $(CARGO) build $(SHIPPED)
	APPCTL_SHIM=$(CURDIR)/target/$(TARGET)/shim/appctl-shim $(CARGO) test --package appctl --test '*' --quiet
	node --test --test-concurrency=4 --test-timeout=120000 src/node/test/*.test.cjs

# Says what is missing instead of installing it.
present:
	@missing=; for tool in cc node; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	[ -z "$$missing" ] || { echo "missing:$$missing; 'make packages' installs it on Debian, as root" >&2; exit 1; }

test-package: packages deb
	lintian --fail-on error target/debian/*.deb

# Virtual machines compute for minutes and boxes mostly wait: two boxes at a time beside the machines, four once those are
# through. The matrix of all shapes of load wants both processors for itself, and for longer than every change can wait:
# `make matrix`.
MACHINES := machine
BESIDE   := any_app bad_input broken_config changes crash_loop deploy failures frameworks
ALONE    := $(filter-out $(MACHINES) $(BESIDE),$(basename $(notdir $(wildcard tests/lab/tests/*.rs))) \
              $(notdir $(patsubst %/main.rs,%,$(wildcard tests/lab/tests/*/main.rs))))
LAB      := $(CARGO) test --package appctl-lab --no-fail-fast

test-lab: packages deb
	$(CARGO) test --package appctl-lab --tests --no-run
	@trap 'pkill -P $$machines; kill $$machines' INT TERM; \
	{ $(LAB) $(addprefix --test ,$(MACHINES)) -- --test-threads=1; first=$$?; \
	  $(LAB) --test deploy power:: ; exit $$((first + $$?)); } >target/machines.log 2>&1 & machines=$$!; \
	$(LAB) $(addprefix --test ,$(BESIDE)) -- --test-threads=2 --skip power:: ; beside=$$?; \
	wait $$machines; machines=$$?; cat target/machines.log; \
	$(LAB) $(addprefix --test ,$(ALONE)) -- --test-threads=4 --skip every_shape:: ; exit $$((beside + machines + $$?))

bench: packages deb
	$(CARGO) run --quiet --package appctl-lab --bin bench

matrix: packages deb
	$(LAB) --test strict -- --nocapture --test-threads=1 control:: every_shape::

FUZZ_TARGETS := adapter archive config journal variables
FUZZ_SECONDS ?= 60

fuzz: packages $(TOOLS)/bin/cargo-fuzz
	for target in $(FUZZ_TARGETS); do \
	  mkdir -p fuzz/grown/$$target; \
	  $(CARGO) fuzz run --fuzz-dir fuzz --sanitizer none $$target fuzz/grown/$$target fuzz/corpus/$$target \
	    -- -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 || exit 1; \
	done

fuzz-short:
	$(CARGO) test --package appctl --test fuzz

torture: packages deb
	$(MAKE) fuzz FUZZ_SECONDS=1800
	APPCTL_TORTURE=full $(if $(SEED),APPCTL_SEED=$(SEED)) \
	$(LAB) --test strict --test deploy -- --nocapture --test-threads=2
	APPCTL_TORTURE=full $(LAB) --test hostile -- --nocapture left_behind::uninstall_and_install_again

deb: packages $(TOOLS)/bin/cargo-deb
	$(CARGO) build --release --bin appctl
	$(STATIC) $(CARGO) build $(SHIPPED)
	rm -rf target/debian
	$(CARGO) deb --no-build --no-strip --package appctl

bench-versions: packages deb
	$(CARGO) run --quiet --package appctl-lab --bin versions-bench -- $(OLD) target/debian/appctl_*.deb

bench-staging: packages
	$(CARGO) build --release --bin appctl
	$(CARGO) run --quiet -p appctl-lab --bin staging-bench -- target/release/appctl

# Types of the oldest Node that the adapter is for.
TSC_VERSION   := 5.9.3
TYPES_VERSION := 18.19.130
TSC           := $(TOOLS)/typescript-$(TSC_VERSION)-node-$(TYPES_VERSION)

BINS    := appctl appctl-shim appctl-generator
SCRIPTS := .ci/run $(wildcard tests/lab/*.sh tests/lab/image/*.sh packaging/deb/post* packaging/deb/pre*)

lint: packages $(TOOLS)/bin/cargo-deny $(TSC)/node_modules/.bin/tsc
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	$(CARGO) clippy --no-default-features --bin appctl-shim --bin appctl-generator --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --lib --no-deps --document-private-items --quiet
	for bin in $(BINS); do \
	  $(CARGO) rustdoc --bin $$bin --quiet -- -D warnings --document-private-items || exit 1; \
	done
	$(CARGO) deny --log-level error check bans licenses sources
	shellcheck $(SCRIPTS)
	$(TSC)/node_modules/.bin/tsc --project src/node --typeRoots $(TSC)/node_modules/@types

fmt:
	$(CARGO) fmt --all

lab-shell: packages deb
	$(CARGO) run --quiet -p appctl-lab --bin lab -- shell --debian $(or $(DEBIAN),12) $(if $(MACHINE),--machine)

# On a stable compiler: coverage counters need no sanitizer.
$(TOOLS)/bin/cargo-fuzz:
	$(CARGO) install --quiet --debug --locked --root $(TOOLS) --version 0.13.2 cargo-fuzz

# A debug build, as of the packager.
$(TOOLS)/bin/cargo-deny:
	$(CARGO) install --quiet --debug --locked --root $(TOOLS) --version 0.20.2 cargo-deny

# Of npm's packages these two only, and nothing that they would run.
$(TSC)/node_modules/.bin/tsc:
	npm install --prefix $(TSC) --silent --no-save --no-audit --no-fund --ignore-scripts \
	  typescript@$(TSC_VERSION) @types/node@$(TYPES_VERSION)

# A debug build of the packager: it runs for a second, and builds three times as fast.
$(TOOLS)/bin/cargo-deb:
	$(CARGO) install --quiet --debug --locked --root $(TOOLS) --version 3.8.0 cargo-deb

packages:
	@tests/lab/packages.sh

clean:
	$(CARGO) clean
