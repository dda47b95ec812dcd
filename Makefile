# The whole build. `make help` lists the targets; `make` alone needs a compiler and downloads
# nothing. One Makefile, no recursion into folders: a folder's flags are said once, objects and
# tests are found by wildcard, header dependencies are kept by the compiler.
#
# What a caller may set:  CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR
#   MALLOC=libc      the C library's allocator in place of jemalloc
#   SODIUM=no        without signatures, for machines without libsodium
#   TLS=no           without TLS, for machines without OpenSSL
#   WERROR=1         warnings are errors (lint and CI)
#   BUILD=folder     where everything goes; a different compiler wants a different folder
#   DEPS=no          `make test` and `make demo` install nothing
#   T=kernel/fixed   one unit test for `make test`;  T=resp one target for `make fuzz`

VERSION := 0.1.0
COMMIT  := $(shell [ -e .git ] && git rev-parse --short HEAD 2>/dev/null)

BUILD     ?= build
PREFIX    ?= /usr/local
MALLOC    ?= jemalloc
SODIUM    ?= yes
TLS       ?= yes
DEPS      ?= yes
UNIT_FOLDERS ?= $(folders)

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
CFLAGS ?= -O2 -g

# As many jobs as processors, unless somebody above has decided.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDEXPANSION:

# --- The folders ------------------------------------------------------------------------
# uses_X: the libraries that X is linked with, itself first. utils/check-layers has the same
# table for includes.

folders      := base os kernel storage net engine server tools
uses_base    := base
uses_os      := os base
uses_kernel  := kernel base
uses_storage := storage os base
uses_net     := net os base
uses_engine  := engine storage kernel os base
uses_server  := server engine storage net kernel os base
uses_tools   := tools engine storage net kernel os base
uses_check   := tools engine storage kernel os base
uses_benchmark := tools engine storage kernel net os base

# --- The machine ------------------------------------------------------------------------
# The compiler says what it compiles for; files of other machines and systems are left out.

TARGET  := $(shell $(CC) -dumpmachine 2>/dev/null)
machine := $(firstword $(subst -, ,$(TARGET)))
foreign := $(if $(findstring linux,$(TARGET)),bsd_%,linux_%)
ifneq ($(machine),x86_64)
foreign += %_x86.c %_sse41.c %_avx2.c %_avx512.c %_vnni.c
endif
ifneq ($(machine),aarch64)
foreign += %_arm.c %_neon.c %_dotprod.c
endif
# Does not match bsd_poll.c by its path, so compare the name alone.
native = $(foreach f,$(1),$(if $(filter $(foreign),$(notdir $(f))),,$(f)))

main_files := src/server/main.c src/tools/check.c src/tools/benchmark.c
sources    := $(sort $(call native,$(foreach f,$(folders),$(wildcard src/$(f)/*.c src/$(f)/*/*.c))))
objects_in  = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(filter src/$(1)/%,$(sources)))
members_of  = $(filter-out $(main_files:src/%.c=$(BUILD)/obj/%.o),$(call objects_in,$(1)))
libs_for    = $(foreach f,$(uses_$(1)),$(BUILD)/lib$(f).a)

# --- Flags ------------------------------------------------------------------------------

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wcast-qual -Wwrite-strings -Wundef -Wvla -Wimplicit-fallthrough
strict   := -Wconversion -Wsign-conversion -Wcast-align
HARDENING ?= -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE
LINK_HARDENING ?= -pie -Wl,-z,relro,-z,now
# valori-check is linked statically where that works: it is wanted on bad days.
STATIC   ?= -static-pie

common := -std=c11 $(warnings) -fno-common -fno-omit-frame-pointer $(HARDENING) -Isrc \
	-DVALORI_VERSION='"$(VERSION)"' $(if $(WERROR),-Werror)
ifeq ($(MALLOC),jemalloc)
common += -DUSE_JEMALLOC
allocator_library := -ljemalloc
endif
ifeq ($(SODIUM),yes)
common += -DUSE_SODIUM
signing_library := -lsodium
endif
ifeq ($(TLS),yes)
common += -DUSE_OPENSSL
tls_library := -lssl -lcrypto
endif

# -fbuiltin gives back what -ffreestanding takes: a memcpy of eight bytes is one move.
freestanding   := -ffreestanding -fbuiltin
flags_base     := $(strict) $(freestanding)
flags_kernel   := $(strict) $(freestanding) $(if $(filter -O2,$(CFLAGS)),-O3)
flags_os       := $(strict) -pthread
flags_storage  := $(strict)
flags_net      := $(strict)
flags_engine   := $(strict)
flags_server   := -DVALORI_COMMIT='"$(COMMIT)"'
flags_tools    := -DVALORI_COMMIT='"$(COMMIT)"'

# Instructions that not every processor has stay in files of their own; the ending tells.
# (gcc's own _mm512_reduce_add_epi64 adds signed numbers, where ours may wrap.)
suffix_flags = $(if $(filter %_avx512,$(1)),-mavx512f -mavx512bw -mavx512vl -mavx512dq \
	$(if $(findstring undefined,$(CFLAGS)),-fno-sanitize=signed-integer-overflow)) \
	$(if $(filter %_vnni,$(1)),-mavx512f -mavx512bw -mavx512vl -mavx512cd -mavx512vnni) \
	$(if $(filter %_avx2,$(1)),-mavx2) \
	$(if $(filter %_sse41,$(1)),-msse4.1) \
	$(if $(filter %_x86,$(1)),-msha -msse4.1 -mssse3) \
	$(if $(filter %_arm,$(1)),-march=armv8-a+crypto) \
	$(if $(filter %_dotprod,$(1)),-march=armv8.2-a+dotprod)

folder_of = $(firstword $(subst /, ,$(1)))
flags_of  = $(common) $(CFLAGS) $(flags_$(call folder_of,$(1))) $(strip $(call suffix_flags,$(1))) \
	$(CPPFLAGS)
link      = $(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@
libraries = -Wl,--as-needed $(allocator_library) $(signing_library) $(tls_library) -pthread -lm

# --- Everything -------------------------------------------------------------------------

programs := $(if $(wildcard src/server/main.c),$(BUILD)/valori-server) \
	$(if $(wildcard src/tools/benchmark.c),$(BUILD)/valori-benchmark) \
	$(if $(wildcard src/tools/check.c),$(BUILD)/valori-check)

all: $(programs) $(foreach f,$(folders),$(BUILD)/lib$(f).a) ## Build the server, valori-benchmark and valori-check (the default)

$(BUILD)/valori-server: $(BUILD)/obj/server/main.o $$(call libs_for,server)
	$(link) $^ $(libraries)

$(BUILD)/valori-benchmark: $(BUILD)/obj/tools/benchmark.o $$(call libs_for,benchmark)
	$(link) $^ $(libraries)

$(BUILD)/valori-check: $(BUILD)/obj/tools/check.o $$(call libs_for,check)
	$(if $(STATIC),$(link) $(STATIC) $^ $(libraries) 2>/dev/null ||) $(link) $^ $(libraries)

# One library a folder, made anew whenever its list of files changes.
define library
$(BUILD)/lib$(1).a: $(call members_of,$(1)) $(BUILD)/sources
	@rm -f $$@
	@$(AR) rcs $$@ $(call members_of,$(1))
endef
$(foreach f,$(folders),$(eval $(call library,$(f))))

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(call flags_of,$*) -MMD -MP -c -o $@ $<
$(call objects_in,server) $(call objects_in,tools): $(BUILD)/commit

# Stamps: rewritten only when what they hold has changed, so that a new flag compiles anew.
stamp_flags   = $(CC) $(foreach f,$(folders),$(flags_$(f))) $(common) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS)
stamp_commit  = $(COMMIT)
stamp_sources = $(sources)
$(BUILD)/flags $(BUILD)/commit $(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$(subst ",,$(filter-out -DVALORI_COMMIT%,$(stamp_$(@F))))" > $@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@

# --- Test programs ----------------------------------------------------------------------

unit_sources   := $(wildcard $(foreach f,$(UNIT_FOLDERS),tests/unit/$(f)/test_*.c))
golden_sources := $(wildcard tests/golden/golden_*.c)
fuzz_sources   := $(wildcard tests/fuzz/fuzz_*.c)
bench_sources  := $(wildcard tests/bench/bench_*.c)
crash_sources  := $(wildcard tests/crash/*.c)
sim_sources    := $(wildcard tests/sim/*.c)
client_sources := $(wildcard tests/clients/*.c)

unit_programs   := $(unit_sources:%.c=$(BUILD)/%)
golden_programs := $(golden_sources:%.c=$(BUILD)/%)
bench_programs  := $(bench_sources:%.c=$(BUILD)/%)
crash_program   := $(if $(crash_sources),$(BUILD)/tests/crash/crash)
fuzz_programs   := $(fuzz_sources:%.c=$(BUILD)/%)
client_programs := $(client_sources:%.c=$(BUILD)/%)

$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(common) $(CFLAGS) $(if $(filter golden/%,$*),$(freestanding)) -Itests -Itests/unit $(CPPFLAGS) -MMD -MP -c -o $@ $<

# A unit test is linked with its folder and those below: reaching up fails here too.
# Storage's are run over the simulated disk.
simulator := $(sim_sources:%.c=$(BUILD)/%.o)
$(unit_programs): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o \
		$$(if $$(findstring storage/,$$*),$(simulator)) $$(call libs_for,$$(call folder_of,$$*))
	$(link) $^ $(libraries)

$(golden_programs): %: %.o $(BUILD)/tests/golden/harness_posix.o $$(call libs_for,kernel)
	$(link) $^

# The crash laboratory is one program: tests/crash with the simulated system of tests/sim.
$(crash_program): $(crash_sources:%.c=$(BUILD)/%.o) $(simulator) $$(call libs_for,server)
	$(link) $^ $(libraries)

$(bench_programs): %: %.o $$(call libs_for,server)
	$(link) $^ $(libraries)

$(fuzz_programs): %: %.o $(simulator) $$(call libs_for,server)
	$(link) -fsanitize=fuzzer $^ $(libraries)

$(client_programs): %: %.o
	$(link) $^ -lhiredis

-include $(sources:src/%.c=$(BUILD)/obj/%.d)
-include $(patsubst %.c,$(BUILD)/%.d,$(unit_sources) $(golden_sources) $(bench_sources) \
	$(crash_sources) $(sim_sources) $(fuzz_sources) $(client_sources))

# Golden programs as WebAssembly: no C library, no import. For tests/arch/run, with its CC.
wasm_programs := $(golden_programs:%=%.wasm)
$(wasm_programs): %.wasm: %.o $(BUILD)/tests/golden/harness_wasm.o $(call objects_in,kernel) \
		$(call objects_in,base)
	wasm-ld --no-entry --gc-sections $(addprefix --export=,golden_run golden_text golden_text_size) \
		-z stack-size=1048576 -o $@ $^ $$($(CLANG) --target=wasm32-wasi -print-libgcc-file-name)

test-programs: $(unit_programs) $(golden_programs)
wasm-programs: $(wasm_programs)
crash-program: $(crash_program)
bench-programs: $(bench_programs)
fuzz-programs: $(fuzz_programs)
client-programs: $(client_programs)

# For tests/bugs/run: compile SOURCE with -DBUG_$(BUG), and link a program with OBJECTS before
# its libraries, so that they are taken instead of the sound ones.
planted-object:
	@$(CC) $(call flags_of,$(SOURCE:src/%.c=%)) -DBUG_$(BUG) -w -c -o $(OUTPUT) $(SOURCE)
planted-server: $(BUILD)/obj/server/main.o $(call libs_for,server)
	@$(CC) $(CFLAGS) $(LINK_HARDENING) -o $(OUTPUT) $(PLANTED) $^ $(libraries)
planted-crash: $(crash_sources:%.c=$(BUILD)/%.o) $(simulator) $(call libs_for,server)
	@$(CC) $(CFLAGS) $(LINK_HARDENING) -o $(OUTPUT) $(PLANTED) $^ $(libraries)
planted-unit: $(BUILD)/tests/unit/$(PROGRAM).o $(simulator) $(call libs_for,server)
	@$(CC) $(CFLAGS) $(LINK_HARDENING) -o $(OUTPUT) $(PLANTED) $^ $(libraries)

# --- Trying it --------------------------------------------------------------------------

need = $(if $(filter no,$(DEPS)),:,deps/install --install)

demo: ## See it work: build, load real data, kill the server, start again, damage the log
	@$(need) build demo
	@$(MAKE) --no-print-directory -s all
	@BUILD=$(BUILD) utils/demo

run: all ## Start a server on port 8256 with valori.conf; its data is in build/data
	@mkdir -p -m 700 $(BUILD)/data
	$(BUILD)/valori-server valori.conf --dir $(BUILD)/data

deps: ## Install every system package that is missing
	@deps/install --install

# --- Tests ------------------------------------------------------------------------------

# What tests/run runs. The sanitizers leave out what they cannot see or what takes hours.
SUITES ?= style unit golden arch server tls clients crash python tools docs bugs

ifdef T
test: $(BUILD)/tests/unit/$(dir $(T))test_$(notdir $(T)) ## Run all tests, or one: T=kernel/fixed
	@$<
else
test:
	@BUILD=$(BUILD) $(need) build test arch lint
	@$(MAKE) --no-print-directory -s test-suites
endif

test-suites: all test-programs crash-program client-programs
	@BUILD=$(BUILD) tests/run $(SUITES)

test-arch: ## Unit and golden tests on aarch64, riscv64, big-endian s390x (qemu) and wasm32 (node)
	@$(need) build arch
	@tests/arch/run

sanitized = $(MAKE) --no-print-directory -s BUILD=$(BUILD)/$@ MALLOC=libc STATIC= \
	HARDENING=-fPIE LINK_HARDENING=-pie CFLAGS='-O1 -g -DVALORI_CHECK_SLOW $(1)' \
	SUITES='unit golden server' test-suites

asan: ## The tests under the address sanitizer, in build/asan
	@$(call sanitized,-fsanitize=address)

ubsan: ## The tests under the undefined behaviour sanitizer, in build/ubsan
	@UBSAN_OPTIONS=print_stacktrace=1 \
	 $(call sanitized,-fsanitize=undefined -fno-sanitize-recover=all)

tsan: ## The tests under the thread sanitizer, in build/tsan (without address randomisation)
	@setarch -R $(call sanitized,-fsanitize=thread)

coverage: ## Lines that the tests run, by folder
	@rm -rf $(BUILD)/coverage/obj
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)/coverage STATIC= HARDENING=-fPIE \
		CFLAGS='-O0 -g --coverage' SUITES='unit golden server crash python' test-suites
	@utils/coverage $(BUILD)/coverage

FUZZ_SECONDS ?= 60
fuzz: ## Fuzz every target for a minute, or one: T=resp FUZZ_SECONDS=3600
	@$(need) build fuzz
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)/fuzz CC=$(CLANG) MALLOC=libc \
		HARDENING=-fPIE LINK_HARDENING=-pie \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined' fuzz-programs
	@FUZZ_SECONDS=$(FUZZ_SECONDS) BUILD=$(BUILD)/fuzz utils/fuzz $(T)

attack: all ## Perform every attack of the README's table, and print what catches each
	@ATTACKS=1 BUILD=$(BUILD) tests/server/run 47-attacks

bench: all ## Curves of recall and rate over real data, beside PEER=host:port (a Redis) if given
	@BUILD=$(BUILD) PEER='$(PEER)' PEER_PROGRAM='$(PEER_PROGRAM)' tests/bench/run

# The random histories end; the laboratory does not.
soak: all crash-program $(BUILD)/tests/unit/engine/test_random ## Random histories, then the crash laboratory until it is stopped or finds something
	@RANDOM_ROUNDS=40 RANDOM_SEED=$$(date +%s) $(BUILD)/tests/unit/engine/test_random
	@BUILD=$(BUILD) tests/crash/run --soak

# --- Lint -------------------------------------------------------------------------------

lint: ## Layers, kernel purity, globals, style, warnings of gcc and clang, kqueue, cppcheck
	@$(MAKE) --no-print-directory -sk BUILD=$(BUILD)/lint WERROR=1 lint-built lint-clang lint-kqueue lint-cppcheck

# The part of lint that is a test as well; it needs the objects of this build.
lint-built: lint-layers lint-style lint-errors lint-exported lint-globals lint-kernel
lint-objects := $(sources:src/%.c=$(BUILD)/obj/%.o)

lint-layers:
	@utils/check-layers
lint-style:
	@utils/check-style
lint-errors:
	@utils/check-errors
lint-exported: $(lint-objects)
	@utils/check-style --exported $(BUILD)
lint-globals: $(lint-objects)
	@utils/check-globals $(BUILD)

# Built once more without hardening and, but for the SIMD files, without a floating point
# register, so that what is undefined in these objects is what the code itself asks for.
purity_sources := $(filter src/base/% src/kernel/%,$(sources))
purity_objects := $(purity_sources:src/%.c=$(BUILD)/purity/%.o)
is_simd = $(strip $(filter %_avx512 %_vnni %_avx2 %_sse41 %_x86 %_neon %_dotprod %_arm,$(1)))
$(BUILD)/purity/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(call flags_of,$*) -fno-stack-protector -U_FORTIFY_SOURCE -fno-pie \
		$(if $(call is_simd,$*),,-mgeneral-regs-only) -MMD -MP -c -o $@ $<
-include $(purity_objects:.o=.d)
lint-kernel: $(purity_objects)
	@utils/check-kernel $(BUILD)/purity $(purity_objects)

clang_checks := $(sources:src/%.c=$(BUILD)/clang/%.ok)
$(BUILD)/clang/%.ok: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CLANG) $(call flags_of,$*) -fsyntax-only -MMD -MP -MF $(@:.ok=.d) -MT $@ $<
	@touch $@
-include $(clang_checks:.ok=.d)
lint-clang: $(clang_checks)

lint-kqueue: $(wildcard src/os/bsd_*.c)
	@$(if $^,$(CC) $(call flags_of,os/bsd_poll) -fsyntax-only -Itests/fake_bsd $^)

lint-cppcheck: | $(BUILD)/flags
	@mkdir -p $(BUILD)/cppcheck
	@cppcheck --quiet -j2 --std=c11 --language=c --enable=warning,portability --inline-suppr \
		--suppressions-list=utils/cppcheck.allow --max-configs=2 \
		--cppcheck-build-dir=$(BUILD)/cppcheck --error-exitcode=1 \
		--template='{file}:{line}: {message} ({id})' -DVALORI_VERSION='""' -Isrc src

format: ## Lay out the changed lines with clang-format (everything, where there is no git)
	@if [ -e .git ] && git rev-parse --quiet --verify HEAD >/dev/null; then \
		git clang-format --extensions c,h; \
	else clang-format -i $$(find src tests -name '*.[ch]'); fi

# --- Installing -------------------------------------------------------------------------

bindir  := $(DESTDIR)$(PREFIX)/bin
sysconfdir := $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
confdir := $(DESTDIR)$(sysconfdir)/valori
unitdir := $(DESTDIR)$(PREFIX)/lib/systemd/system

install: all ## Install under PREFIX (default /usr/local), within DESTDIR; keeps an existing valori.conf
	install -d $(bindir) $(confdir) $(unitdir)
	install $(programs) $(bindir)
	[ -e $(confdir)/valori.conf ] || install -m 644 valori.conf $(confdir)/valori.conf
	sed 's|/usr/local/bin|$(PREFIX)/bin|; s|/usr/local/etc|$(sysconfdir)|' conf/valori.service \
		> $(unitdir)/valori.service
	chmod 644 $(unitdir)/valori.service

uninstall: ## Remove what install has put there; valori.conf stays
	rm -f $(addprefix $(bindir)/,valori-server valori-benchmark valori-check)
	rm -f $(unitdir)/valori.service

clean: ## Remove the build folder
	rm -rf $(BUILD)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

FORCE:

.PHONY: all demo run deps test test-suites test-programs wasm-programs test-arch crash-program bench-programs \
	fuzz-programs client-programs asan ubsan tsan coverage fuzz bench attack soak lint lint-built lint-layers \
	lint-style lint-errors lint-exported lint-globals lint-kernel lint-clang lint-kqueue lint-cppcheck format install \
	uninstall clean help
