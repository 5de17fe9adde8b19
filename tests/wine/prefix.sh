#!/usr/bin/env bash
# Makes and ends a private Wine prefix.
#
#     prefix.sh start PREFIX    create PREFIX if needed, then start its server afresh
#     prefix.sh stop PREFIX     end every Windows process of PREFIX, its server included
#
# PREFIX is a folder of its own, by habit build/PRESET/wine. It exists only when it is whole: it is
# made under another name and renamed last.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/wine/env.sh
. "$here/env.sh"

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# What a prefix is made of; a prefix of another recipe is made anew.
recipe() {
    # Programs for x86 run only where it was made with their DLLs.
    printf '1 %s ' "${WINEDLLPATH:-}"
    "$HBK_WINE" --version
}

# Ends this prefix's processes and no others: wineserver knows its clients by WINEPREFIX.
stop_server() {
    [ -d "$WINEPREFIX" ] || return 0
    # It fails when there is no server, which is as good.
    "$HBK_WINESERVER" -k 2>/dev/null || true
    timeout 30 "$HBK_WINESERVER" -w || {
        printf 'prefix.sh: the server of %s does not end\n' "$WINEPREFIX" >&2
        return 1
    }
}

create() {
    local final=$1 log
    log=$final.log
    hbk_wine_env "$final.part"
    stop_server
    rm -rf "$WINEPREFIX"
    mkdir -p "$WINEPREFIX"
    printf 'creating the Wine prefix %s\n' "$final"
    # The server must have written the registry before the folder moves.
    if ! {
        timeout 300 "$HBK_WINE" wineboot --init &&
            # A fresh prefix says that it is Windows 7.
            timeout 60 "$HBK_WINE" winecfg -v win10 &&
            # A crash must end the process; the default starts a debugger, which waits.
            timeout 60 "$HBK_WINE" reg add \
                'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug' \
                /v Debugger /t REG_SZ /d '' /f
    } >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        stop_server
        printf 'prefix.sh: creating %s failed\n' "$final" >&2
        return 1
    fi
    stop_server
    local file files=(system.reg user.reg drive_c/windows/system32/{kernel32.dll,sc.exe})
    [ -z "${WINEDLLPATH:-}" ] || files+=(drive_c/windows/syswow64/kernel32.dll)
    for file in "${files[@]}"; do
        if [ ! -s "$WINEPREFIX/$file" ]; then
            cat "$log" >&2
            printf 'prefix.sh: Wine made no %s\n' "$file" >&2
            return 1
        fi
    done
    recipe >"$WINEPREFIX/.handlebroker-recipe"
    rm -rf "$final" "$XDG_RUNTIME_DIR" "$log"
    mv "$WINEPREFIX" "$final"
}

start() {
    local prefix=$1
    hbk_wine_env "$prefix"
    mkdir -p "$(dirname "$prefix")"
    exec 9>"$prefix.lock"
    flock 9
    # What an interrupted run left behind must not be met by the next.
    stop_server
    if [ "$(cat "$prefix/.handlebroker-recipe" 2>/dev/null)" != "$(recipe)" ]; then
        create "$prefix"
        hbk_wine_env "$prefix"
    fi
    # Persistent, or services die seconds after the last ordinary process has ended. It must not
    # inherit the lock, which would then be held for as long as it lives.
    "$HBK_WINESERVER" -p 9>&- </dev/null >/dev/null 2>&1
    # The first process starts the prefix's services.exe; let that not be part of a test's time.
    timeout 120 "$HBK_WINE" wineboot 9>&- </dev/null >/dev/null 2>&1
}

[ $# -eq 2 ] || usage
case $2 in
/*) prefix=$2 ;;
*) prefix=$PWD/$2 ;;
esac
case $1 in
start) start "$prefix" ;;
stop)
    hbk_wine_env "$prefix"
    stop_server
    rm -rf "$XDG_RUNTIME_DIR"
    ;;
*) usage ;;
esac
