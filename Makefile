# A thin front for people who type "make". The truth is in CMakePresets.json:
# "make test" is cmake/setup.sh and then "cmake --workflow --preset NAME" for each preset below.

TEST_PRESETS := linux-asan linux-clang wine

SIM_SECONDS := 600
SIM_SEED := 1

.PHONY: help setup demo test lint bench flood sim clean distclean

help:
	@echo 'make setup      install the tools and build the libraries (Debian; root or sudo)'
	@echo 'make demo       build, install the service under Wine, hand handles over for real'
	@echo 'make test       build and run all tests: $(TEST_PRESETS)'
	@echo 'make lint       formatting, static analysis, a second compiler'
	@echo 'make bench      measure, and print the figures'
	@echo 'make flood      flood the service, and print what that costs others'
	@echo 'make sim        simulate for SIM_SECONDS (600) on all cores, from seed SIM_SEED (1) on'
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

lint: setup
	cmake/lint.sh

bench: setup
	cmake --preset wine
	cmake --build --preset wine
	tests/bench/bench.sh build/wine

flood: setup
	cmake --preset wine
	cmake --build --preset wine
	tests/bench/flood.sh build/wine

sim: setup
	cmake --preset linux-fast
	cmake --build --preset linux-fast --target hbk_sim
	tests/sim/sim.py long build/linux-fast/bin/hbk_sim $(SIM_SECONDS) $(SIM_SEED)

# A Wine server outlives the command that started it, and would go on in a removed folder.
clean:
	set -e; for prefix in build/*/wine; do \
		if [ -d "$$prefix" ]; then tests/wine/prefix.sh stop "$$prefix"; fi; done
	rm -rf build

distclean: clean
	rm -rf .deps
