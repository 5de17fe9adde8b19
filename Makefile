# A thin front for people who type "make". The truth is in CMakePresets.json:
# "make test" is cmake/setup.sh and then "cmake --workflow --preset NAME" for each preset below.

TEST_PRESETS := linux-asan linux-clang linux-bench wine

SIM_SECONDS ?= 600
SIM_SEED ?= 1
FUZZ_SECONDS ?= 240
# Hand-offs of "make soak".
SOAK ?= 1000000

.PHONY: help setup demo test test-wow64 sim fuzz lint coverage bench flood soak clean distclean

help:
	@echo 'make setup      install the tools and build the libraries (Debian; root or sudo)'
	@echo 'make demo       build, install the service under Wine, hand handles over for real'
	@echo 'make test       build and run all tests: $(TEST_PRESETS)'
	@echo 'make test-wow64 test programs of 32 bits against the service of 64 (fetches 150 MB)'
	@echo 'make fuzz       feed random input to codec and core: FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make lint       formatting, static analysis, a second compiler'
	@echo 'make coverage   what of protocol and core the tests execute; fails where it is too little'
	@echo 'make bench      measure, and print the figures'
	@echo 'make flood      flood the service, and print what that costs others'
	@echo 'make sim        simulate for SIM_SECONDS=$(SIM_SECONDS) on all cores, from seed SIM_SEED=$(SIM_SEED) on'
	@echo 'make soak       a million hand-offs (SOAK=N: so many), and what is left of them'
	@echo 'make clean      remove what was built of the project'
	@echo 'make distclean  remove that and the libraries'

setup:
	cmake/setup.sh

demo: setup
	cmake --preset wine
	cmake --build --preset wine
	client/examples/demo.sh build/wine

test: setup
	set -e; for preset in $(TEST_PRESETS); do cmake --workflow --preset $$preset; done

test-wow64:
	cmake/setup.sh --x86
	cmake --preset wine
	cmake --build --preset wine --target hbk_x64_for_x86
	cmake --workflow --preset wine-x86

fuzz: setup
	cmake --preset linux-fuzz
	cmake --build --preset linux-fuzz
	tests/fuzz/fuzz.sh build/linux-fuzz $(FUZZ_SECONDS)

lint: setup
	cmake/lint.sh

coverage: setup
	cmake --preset linux-coverage
	cmake --build --preset linux-coverage
	python3 tests/coverage/coverage.py build/linux-coverage

bench: setup
	set -e; for preset in linux-bench wine; do \
		cmake --preset $$preset; cmake --build --preset $$preset; done
	tests/bench/core_bench.sh build/linux-bench
	tests/bench/bench.sh build/wine

flood: setup
	cmake --preset wine
	cmake --build --preset wine
	tests/bench/flood.sh build/wine

soak: setup
	cmake --preset wine
	cmake --build --preset wine
	tests/bench/with_service.sh build/wine 7200 soak $(SOAK)

sim: setup
	cmake --preset linux-bench
	cmake --build --preset linux-bench --target hbk_sim
	tests/sim/sim.py long build/linux-bench/bin/hbk_sim $(SIM_SECONDS) $(SIM_SEED)

# A Wine server outlives the command that started it, and would go on in a removed folder.
clean:
	set -e; for prefix in build/*/wine; do \
		if [ -d "$$prefix" ]; then tests/wine/prefix.sh stop "$$prefix"; fi; done
	rm -rf build

distclean: clean
	rm -rf .deps
