# shellcheck shell=bash
# The environment of a private Wine prefix. To be sourced, not run:
#
#     . tests/wine/env.sh
#     hbk_wine_env PREFIX       # absolute or not; it need not exist yet
#     "$HBK_WINE" program.exe …
#
# Everything that touches Wine goes through here, so that no test ever meets the user's own prefix.

hbk_wine_env() {
    local prefix=${1:?hbk_wine_env: which prefix?}
    case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
    esac
    export WINEPREFIX=$prefix
    export WINEARCH=win64
    # Wine's own chatter would drown a test's output; set it for a run to look into Wine itself.
    export WINEDEBUG=${WINEDEBUG:--all}
    # No windows: what needs none works without, and nothing can pop up and wait for a click.
    export DISPLAY=
    unset WAYLAND_DISPLAY
    # No offers to download Mono and Gecko, no menu entries in the user's home.
    export WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d'
    export XDG_RUNTIME_DIR=$prefix.run
    mkdir -p "$XDG_RUNTIME_DIR"
    chmod 700 "$XDG_RUNTIME_DIR"
    HBK_WINE=$(hbk_wine_tool wine)
    HBK_WINESERVER=$(hbk_wine_tool wineserver)
    export HBK_WINE HBK_WINESERVER
}

hbk_wine_tool() {
    command -v "$1" || {
        printf '%s was not found; run cmake/setup.sh\n' "$1" >&2
        return 1
    }
}

# The Windows spelling of a Unix path. Wine maps Z: to / in every prefix that prefix.sh makes.
hbk_windows_path() {
    local path=$1
    case $path in
    /*) ;;
    *) path=$PWD/$path ;;
    esac
    printf 'Z:%s\n' "${path//\//\\}"
}
