#!/bin/sh
# Creates what every command needs, from the lock file alone: .venv for development, and
# .local/lambda-runtime, the interpreter that functions run on (what AWS puts there, and no more).
# Uses the uv on PATH, or one of its own under .local/. Never downloads a Python.
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
ready=.local/ready
runtime=.local/lambda-runtime
export UV_PYTHON_DOWNLOADS=never
unset VIRTUAL_ENV UV_PROJECT_ENVIRONMENT PYTHONHOME PYTHONPATH

say() { printf '%s\n' "$*" >&2; }

works() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }

if [ -e "$ready" ] && [ "$ready" -nt uv.lock ] && [ "$ready" -nt pyproject.toml ] &&
    [ "$ready" -nt tools/bootstrap.sh ] && works .venv/bin/python && works "$runtime/bin/python"; then
    exit 0
fi

find_python() {
    if command -v uv >/dev/null 2>&1 && uv python find --no-project 3.13 2>/dev/null; then
        return 0
    fi
    for candidate in python3.13 python3 python "$HOME"/.pyenv/versions/3.13.*/bin/python3.13; do
        if command -v "$candidate" >/dev/null 2>&1 && works "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

if ! python=$(find_python); then
    say "Python 3.13 is missing: the functions run on it in AWS, so nothing else will do here."
    say "It is not downloaded behind your back. Install it in one of these ways and run the command again:"
    say "  uv python install 3.13"
    say "  pyenv install 3.13"
    say "  your distribution: apt install python3.13 python3.13-venv | dnf install python3.13 | brew install python@3.13"
    exit 1
fi

# A package mirror: as the Makefile hands it on, or as pip is configured. uv does not read pip's configuration.
mirror=${UV_DEFAULT_INDEX:-$("$python" -m pip config get global.index-url 2>/dev/null || :)}
if [ -n "$mirror" ]; then
    export UV_DEFAULT_INDEX="$mirror" PIP_INDEX_URL="$mirror"
fi

mkdir -p .local
# Of two commands at once the second waits, and finds everything ready. macOS has no flock(1).
if [ -z "${SETUP_LOCKED:-}" ]; then
    SETUP_LOCKED=1 exec "$python" -c '
import fcntl, os
lock = os.open(".local/setup.lock", os.O_CREAT | os.O_WRONLY)
fcntl.flock(lock, fcntl.LOCK_EX)
os.set_inheritable(lock, True)
os.execlp("sh", "sh", "tools/bootstrap.sh")'
fi

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=.local/uv/bin/uv
    if ! "$uv" --version 2>/dev/null | grep -q "^uv $UV_VERSION"; then
        say "Installing uv $UV_VERSION into .local/uv (there is none on PATH)"
        if ! "$python" -m venv --clear .local/uv; then
            say "$python cannot create virtual environments. Install its venv module (Debian, Ubuntu:"
            say "apt install python3.13-venv), or install uv: https://docs.astral.sh/uv/"
            exit 1
        fi
        .local/uv/bin/python -m pip install --quiet --quiet --disable-pip-version-check "uv==$UV_VERSION"
    fi
fi

# The lock names the public index's files. Where there is a mirror its files are taken instead: by the same names and
# versions, each held to the lock's hash.
install() { # environment, options of uv that select dependency groups
    environment=$1
    shift
    if [ -z "$mirror" ]; then
        UV_PROJECT_ENVIRONMENT=$environment "$uv" sync --locked --quiet --python "$python" "$@"
        return
    fi
    "$uv" export --frozen --quiet --no-header --no-emit-local "$@" --output-file .local/locked.txt >/dev/null
    "$uv" venv --clear --quiet --python "$python" "$environment"
    "$uv" pip sync --quiet --require-hashes --python "$environment/bin/python" .local/locked.txt
}

say "Installing what uv.lock names into .venv ($("$python" -V))"
install .venv
[ -z "$mirror" ] || "$uv" pip install --quiet --no-deps --python .venv/bin/python --editable ./simulator
say "Installing what the Lambda runtime brings into $runtime"
export UV_COMPILE_BYTECODE=1
install "$runtime" --only-group lambda-runtime
touch "$ready"
