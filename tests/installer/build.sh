#!/usr/bin/env bash
# Makes what the other tests here install: the MSI and the zip, and an MSI that calls itself older.
#
#     build.sh BUILD_DIR
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
build=${1:?build.sh: which build?}
rm -rf "$build/installer"
"$here/../../installer/build.sh" "$build" --version 0.0.9
"$here/../../installer/build.sh" "$build"
if "$here/../../installer/build.sh" "$build" --version 1.2 2>/dev/null; then
    printf 'build.sh: a version of two numbers was taken\n' >&2
    exit 1
fi
