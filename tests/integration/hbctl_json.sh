#!/usr/bin/env bash
# Has hbctl_json.py compare what the commands of hbctl print with --json to client/man/hbctl.schema.json.
#
#     hbctl_json.sh BUILD PYTHON
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
[ $# -eq 2 ] || {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}
build=$(cd -- "$1" && pwd -P)

# The one that CMake has found need not be the one that Debian's package is for.
for python in "$2" /usr/bin/python3; do
    ! "$python" -c 'from jsonschema import Draft202012Validator' 2>/dev/null || break
    [ "$python" != /usr/bin/python3 ] || {
        printf 'hbctl_json.sh: python3-jsonschema was not found; run cmake/setup.sh\n' >&2
        exit 1
    }
done

# shellcheck source=tests/wine/env.sh
. "$here/../wine/env.sh"
hbk_wine_env "$build/wine"
exec "$python" "$here/hbctl_json.py" "$HBK_WINE" "$build/bin/hbctl.exe" "$here/../../client/man/hbctl.schema.json"
