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

compile tool.in local.in dev.in --output-file "$all" "$@"
for lock in tool local dev; do
    # To stdout: a lock that uv finds in place would have a say in the versions again.
    compile "$lock.in" --constraint "$all" --generate-hashes >"$lock.txt.new"
    mv "$lock.txt.new" "$lock.txt"
done
for part in backend frontend; do
    folder=../reference_app/apps/$part
    compile "$folder/requirements.in" --constraint "$all" --generate-hashes >"$folder/requirements.txt.new"
    mv "$folder/requirements.txt.new" "$folder/requirements.txt"
done
