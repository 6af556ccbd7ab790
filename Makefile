# The front door of Braid: `make help` lists what it can do.

PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
# Seconds that each fuzz target runs.
FUZZ_SECONDS ?= 60
# How many inputs it tries at most; -1 is no limit, and FUZZ_SECONDS=0 is none either.
FUZZ_RUNS ?= -1

RELEASE := swift build -c release --static-swift-stdlib -Xlinker -s -Xlinker --no-export-dynamic --product braid
BRAID := .build/release/braid
SWIFT_DIRECTORIES := $(wildcard Sources Tests Examples Fuzz Benchmarks/Sources)
FUZZERS := $(notdir $(wildcard Fuzz/Fuzz*))

.DEFAULT_GOAL := help
.PHONY: help run build release test soak tsan asan bench bench-paths lab fuzz $(FUZZERS) docs lint format install deb uninstall clean swift packages

help: ## this list
	@echo "make …"
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: release ## installs what is missing, builds, runs near and far end on loopback, and says what to try
	@Scripts/run $(BRAID)

build: release ## the same as release
release: swift packages ## the program as it is installed: .build/release/braid
	$(RELEASE)

test: release ## installs what is missing, builds, and runs every test in namespaces of their own
	@Scripts/install-packages test
	@Scripts/test-trees
	@Scripts/test
	@echo "Compiling the fuzz targets …"
	@for target in $(FUZZERS); do BRAID_FUZZ=1 swift build -q --target $$target || exit; done

soak: swift ## the tests, with those that take long, and the library's pages
	@Scripts/install-packages test
	@BRAID_SOAK=1 Scripts/test
	@Scripts/documentation .build/documentation

tsan: swift ## the tests under ThreadSanitizer
	@Scripts/install-packages test
	@SWIFT_BACKTRACE=enable=no TSAN_OPTIONS=halt_on_error=1 \
	    SWIFT_BUILD_FLAGS="--sanitize=thread --scratch-path .build/tsan" Scripts/test

asan: swift ## the tests under AddressSanitizer
	@Scripts/install-packages test
	@SWIFT_BACKTRACE=enable=no \
	    SWIFT_BUILD_FLAGS="--sanitize=address --scratch-path .build/asan" Scripts/test

bench: release ## benchmarks, with other proxies side by side (BENCH_ARGS="…" for options)
	@Scripts/install-packages bench
	cd Benchmarks && swift build -c release && .build/release/braid-bench $(BENCH_ARGS)

bench-paths: release ## two links together: kernel alone beside Braid (ROW=… for some rows, BENCH_ARGS="…" for options)
	@Scripts/install-packages test
	@swift build --product braid-path-bench
	@.build/debug/braid-path-bench --braid $(BRAID) $(foreach row,$(ROW),--row $(row)) $(BENCH_ARGS)

lab: swift ## a shell between two hosts with emulated links (LAB_ARGS="--links 3 --rate 20mbit" for options)
	@Scripts/install-packages test
	@swift build --product braid-lab
	@swift build --product braid
	@PATH="$(CURDIR)/.build/debug:$$PATH" .build/debug/braid-lab $(LAB_ARGS)

fuzz: $(FUZZERS) ## each fuzz target for FUZZ_SECONDS (60), with AddressSanitizer; FUZZERS=… for some of them

# The longest input, where 4096 bytes are too few to get past what the parser takes.
FuzzHTTPConnect: LONGEST := 17000
FuzzProxyHeader FuzzServiceAnswer: LONGEST := 66000

# The tests' view of a module: what reads is seldom public.
$(FUZZERS): swift packages
	@echo "$@"
	@BRAID_FUZZ=1 swift build -c release --scratch-path .build/fuzz --product $@ -Xswiftc -enable-testing \
	    -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld \
	    -Xcc -fsanitize=fuzzer-no-link,address -Xcxx -fsanitize=fuzzer-no-link,address
	@mkdir -p .build/fuzz/corpus/$@
	@.build/fuzz/release/$@ .build/fuzz/corpus/$@ $(firstword $(wildcard Fuzz/$@/Seeds) Config) \
	    -print_funcs=0 -max_len=$(or $(LONGEST),4096) -max_total_time=$(FUZZ_SECONDS) -runs=$(FUZZ_RUNS) -artifact_prefix=.build/fuzz/

docs: swift packages ## the pages of the MultipathTCP library: .build/documentation
	@Scripts/documentation .build/documentation

lint: swift ## whether the source is formatted and documented as .swift-format asks
	swift format lint --strict --parallel --recursive $(SWIFT_DIRECTORIES)

format: swift ## formats the source
	swift format --in-place --parallel --recursive $(SWIFT_DIRECTORIES)

install: ## program, units, examples, man pages, sysctl.d, completions (PREFIX=/usr/local DESTDIR=); after make release
	@test -x $(BRAID) || { echo "First, and not as root: make release" >&2; exit 1; }
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" SYSCONFDIR="$(SYSCONFDIR)" Scripts/install $(BRAID)

deb: release ## a Debian package: .build/deb
	@Scripts/install-packages test
	@Scripts/deb $(BRAID) .build/deb

uninstall: ## removes what install put there, but no configuration
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/braid lib/systemd/system/braid.service lib/systemd/system/braid@.service \
	    share/man/man1/braid.1 share/man/man1/braid-doctor.1 share/man/man5/braid.toml.5 share/man/man7/mptcp-relay.7 \
	    lib/sysctl.d/60-braid.conf lib/systemd/catalog/braid.catalog share/bash-completion/completions/braid \
	    share/zsh/site-functions/_braid share/fish/vendor_completions.d/braid.fish)
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/braid $(DESTDIR)$(PREFIX)/lib/braid

clean: ## removes everything that was built
	rm -rf .build Benchmarks/.build

swift:
	@Scripts/check-swift

packages:
	@Scripts/install-packages build
