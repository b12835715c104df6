#!/bin/sh
# Makes the three locks anew from the three .in files, with one resolution, so that one .venv holds them all; and
# the reference application's own two, with the same versions.
# Needs uv. Versions in the present locks are kept where they fit; --upgrade, or --upgrade-package NAME, moves them.
set -eu
cd "$(dirname "$0")"

all=$(mktemp)
trap 'rm -f "$all"' EXIT
cat tool.txt local.txt dev.txt >"$all" 2>/dev/null || true # the versions to start from

compile() {
    # Settings that name a package host must not reach a lock.
    env -u PIP_FIND_LINKS -u UV_FIND_LINKS uv pip compile --quiet --universal --python-version 3.11 \
        --no-header --no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links "$@"
}

# Puts a new lock in place. The pips of Python 3.11 take no `name[extra]` for a `name` that another package asks for,
# nor the reverse: they look at the latest version, which has no hash here. So both lines stand in a lock.
put() {
    awk '
        /^[^ ]/ { printf "%s%s", plain, block; plain = block = ""; has_extra = /\[/ }
        { block = block $0 "\n" }
        has_extra { sub(/\[[^]]*\]/, ""); plain = plain $0 "\n" }
        END { printf "%s%s", plain, block }' "$1.new" >"$1"
    rm "$1.new"
}

compile tool.in local.in dev.in --output-file "$all" "$@"
for lock in tool local dev; do
    # To stdout: a lock that uv finds in place would have a say in the versions again.
    compile "$lock.in" --constraint "$all" --generate-hashes >"$lock.txt.new"
    put "$lock.txt"
done
for part in backend frontend; do
    lock=../reference_app/apps/$part/requirements
    compile "$lock.in" --constraint "$all" --generate-hashes >"$lock.txt.new"
    put "$lock.txt"
done
