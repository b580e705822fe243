PROG       := lastport
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
DATADIR    ?= $(PREFIX)/share
CC         ?= cc
CLANG      ?= clang
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O2 -g
SAN        ?=
SETUP      ?= scripts/setup
RUN        ?= scenarios/leak.yaml
FUZZ_TIME  ?= 60
FUZZ_SAN   := address,undefined,float-cast-overflow

# A fresh machine: install what is missing, then go on. SETUP=: never installs.
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
ifneq ($(if $(SETUP),$(shell $(SETUP) $(MAKECMDGOALS) >&2 || echo failed)),)
$(error this machine lacks what is named above)
endif
endif

DEPS    := liburing yaml-0.1 libmnl jansson libcap libmd
VERSION := $(or $(shell git describe --tags --always --dirty 2>/dev/null),unknown)

# One build folder a variant, so that sanitized and plain objects never meet.
comma := ,
B     := build/$(or $(subst $(comma),-,$(SAN)),plain)

# What the code needs is `override`; what a packager may set is not.
override CPPFLAGS += -D_GNU_SOURCE -Iharness -DLIBRARY='"$(DATADIR)/$(PROG)/scenarios"' \
                     $(shell $(PKG_CONFIG) --cflags $(DEPS)) -MMD -MP
override CFLAGS   += -std=c11 -pthread -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
                     -Wpointer-arith -Wwrite-strings -Wvla
override LDLIBS   += $(shell $(PKG_CONFIG) --libs $(DEPS)) -lm
ifneq ($(SAN),)
override CFLAGS   += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
endif

SRC   := $(sort $(wildcard harness/*.c harness/*/*.c))
SYS   := $(filter harness/sys/%,$(SRC))
HOUSE := $(filter-out $(SYS) harness/main.c,$(SRC))
TESTS := $(sort $(wildcard tests/*/*.c))
FUZZ  := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
ALL_C := $(wildcard harness/*.[ch] harness/*/*.[ch] tests/*/*.[ch])
# What the analyzer may look at of one function: its own limit is 225000, in which it takes five times as long.
LINT_NODES := 60000
obj    = $(patsubst %.c,$(B)/%.o,$(1))
in     = $(call obj,$(filter tests/$(1)/%,$(TESTS)))
link   = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
ifneq ($(V),1)
say = @printf '  %-5s %s\n' $(1) $@;
endif

.PHONY: all run test test-netns bench bench-setup bench-curves bench-reference hunt golden fuzz lint format install clean help
.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

all: $(B)/$(PROG) ## build; V=1 shows the commands, SAN=address,undefined,float-cast-overflow sanitizes

run: $(B)/$(PROG) ## run a scenario, or RUN='arguments of lastport run'
	$< run $(RUN)

test: $(B)/$(PROG) $(B)/unit $(B)/netns $(B)/hunt $(FUZZ:%=$(B)/replay_%) ## everything; what this machine forbids is skipped, loudly
	@sh tests/run.sh $(B)/unit $(B)/netns 'sh tests/golden.sh $<' 'sh tests/readme.sh' 'sh tests/schema.sh $<' '$(B)/hunt --turn --place $(B)/hunted $<' \
		$(foreach t,$(FUZZ),'$(B)/replay_$t tests/fuzz/corpus/$t/*')

test-netns: $(B)/$(PROG) $(B)/netns ## the real kernel alone, in namespaces of our own
	@sh tests/run.sh $(B)/netns

bench: $(B)/bench ## against the simplest C loop, other programs and the kept reference; BENCH='--rounds 9 reset'
	$< $(BENCH)

bench-curves: $(B)/bench ## how a fill grows with the range, destinations and connections: data and pictures, in a few minutes
	$< --curves results/reference $(BENCH)

bench-reference: $(B)/bench $(B)/$(PROG) ## measure anew all that results/reference keeps of speed; for a quiet machine
	$< --rounds 7 --json results/reference/bench.json $(BENCH)
	$< --full --curves results/reference
	$(RM) -r results/reference/cliff
	$(B)/$(PROG) run -q -o results/reference/cliff scenarios/cliff.yaml
	$(B)/$(PROG) report --svg results/reference/cliff >results/reference/cliff.svg
	@sh tests/golden.sh $(B)/$(PROG) --write && sh tests/readme.sh --write

hunt: $(B)/hunt $(B)/$(PROG) ## scenarios drawn from a seed, each planned, run and held against its plan; HUNT='--seed 4049 --count 1'
	$< $(HUNT) $(B)/$(PROG)

bench-setup: ## install the programs that make bench compares with: wrk, ab, hey, httperf, stress-ng
	sh scripts/bench-setup

golden: $(B)/$(PROG) ## write tests/golden/*/out and README's blocks anew; review the diff
	@sh tests/golden.sh $< --write
	@sh tests/readme.sh --write

fuzz: $(FUZZ:%=build/fuzz/%) build/fuzz/keys.dict ## each libFuzzer target for FUZZ_TIME=60 seconds
	@for t in $(FUZZ); do mkdir -p build/fuzz/found/$$t; \
		build/fuzz/$$t -max_total_time=$(FUZZ_TIME) -dict=build/fuzz/keys.dict \
			-artifact_prefix=build/fuzz/$$t- build/fuzz/found/$$t tests/fuzz/corpus/$$t || exit 1; done

lint: ## floors, format, clang-tidy, cppcheck, shellcheck
	sh scripts/floors.sh
	@echo clang-format --dry-run; clang-format --dry-run -Werror $(ALL_C)
	@echo clang-tidy; printf '%s\n' $(SRC) | xargs -P $$(nproc) -n 4 sh -c \
		'clang-tidy --quiet "$$@" -- -D_GNU_SOURCE -Iharness -DLIBRARY=__FILE__ -DVERSION=__FILE__ -std=c11 \
			-Xclang -analyzer-config -Xclang max-nodes=$(LINT_NODES) 2>/dev/null' tidy
	cppcheck --quiet --enable=warning,portability --error-exitcode=1 --std=c11 -Iharness harness
	shellcheck scripts/setup scripts/bench-setup $(wildcard scripts/*.sh tests/*.sh)

format: ## rewrite the sources in the house format
	clang-format -i $(ALL_C)

install: $(B)/$(PROG) $(B)/scenario.schema.json ## into $(DESTDIR)$(PREFIX)
	install -D -m 0755 $< $(DESTDIR)$(BINDIR)/$(PROG)
	install -d $(DESTDIR)$(DATADIR)/$(PROG)/scenarios
	install -m 0644 -t $(DESTDIR)$(DATADIR)/$(PROG)/scenarios scenarios/*.yaml
	install -m 0644 -t $(DESTDIR)$(DATADIR)/$(PROG) $(B)/scenario.schema.json

clean: ## remove build/
	$(RM) -r build

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t24

$(B)/$(PROG): $(B)/harness/main.o $(call obj,$(SYS)) $(B)/house.a
	$(call say,LD)$(link)

$(B)/scenario.schema.json: $(B)/$(PROG)
	$(call say,GEN)$< help schema >$@

# The unit tests are the kernel: tests/fake/ stands in for harness/sys/.
PURE_BENCH := $(patsubst %,$(B)/tests/bench/%.o,figure reference curve)
$(B)/unit: $(call in,unit) $(call in,fake) $(PURE_BENCH) $(B)/house.a
	$(call say,LD)$(link) -lcunit

$(B)/netns: $(call in,netns) $(B)/tests/unit/runner.o $(call obj,$(SYS)) $(B)/house.a
	$(call say,LD)$(link) -lcunit

$(B)/bench: $(call in,bench) $(call obj,$(SYS)) $(B)/house.a | $(B)/$(PROG)
	$(call say,LD)$(link)

$(B)/hunt: $(call in,hunt) $(B)/house.a
	$(call say,LD)$(link)

$(B)/replay_%: $(B)/tests/fuzz/replay.o $(B)/tests/fuzz/fuzz_%.o $(call obj,$(SYS)) $(B)/house.a
	$(call say,LD)$(link)

$(B)/house.a: $(call obj,$(HOUSE)) # an archive, so that fakes are needed only for what a test reaches
	$(call say,AR)$(RM) $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The version alone changes with each commit: only its own object is made anew.
$(B)/harness/cmd/version.o: override CPPFLAGS += -DVERSION='"$(VERSION)"'
$(B)/harness/cmd/version.o build/fuzz/harness/cmd/version.o: build/version
build/fuzz/harness/cmd/version.o: override CPPFLAGS += -DVERSION='"$(VERSION)"'
build/version: force
	@mkdir -p build; echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
.PHONY: force

build/fuzz/%: build/fuzz/tests/fuzz/fuzz_%.o $(patsubst %.c,build/fuzz/%.o,$(SYS) $(HOUSE))
	$(call say,LD)$(CLANG) -pthread -fsanitize=fuzzer,$(FUZZ_SAN) -o $@ $^ $(LDLIBS)

build/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(CLANG) $(CPPFLAGS) -std=c11 -g -O1 -fsanitize=fuzzer-no-link,$(FUZZ_SAN) -c -o $@ $<

build/fuzz/keys.dict: harness/words/keys.def harness/words/choices.def harness/words/measures.def
	@mkdir -p $(@D)
	sed -n 's/^[A-Z_]*([^"]*"\([^"]*\)".*/"\1"/p' $^ | sed 's/\./"\n"/g' | sort -u | grep -v '^""$$' >$@

-include $(patsubst %.c,$(B)/%.d,$(SRC) $(TESTS)) $(patsubst %.c,build/fuzz/%.d,$(SRC) $(filter tests/fuzz/%,$(TESTS)))
