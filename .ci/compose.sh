#!/usr/bin/env bash
# Installs Debian's docker compose plug-in where `docker compose` is missing or too old. It comes from the
# mirror that this machine's own apt sources name; Debian's signatures are verified, and nothing else moves.
set -euo pipefail

version=2.40.3-3
oldest=2.23.1 # the first that takes files in the text
plugin=/usr/libexec/docker/cli-plugins/docker-compose
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { echo "compose.sh: $*" >&2; }

found=$({ docker compose version --short || "$plugin" version --short; } 2>/dev/null || true)
if [[ -n $found ]] && printf '%s\n' "$oldest" "${found#v}" | sort -VC; then
    exit 0
fi
[[ $(id -u) -eq 0 ]] || { say "only root can install the plug-in"; exit 1; }
[[ -r $keyring ]] || { say "$keyring is missing: this is no Debian"; exit 1; }

# shellcheck disable=SC2016  # apt fills it in
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$' || true)
[[ -n $mirror ]] || { say "the apt sources of this machine name no Debian mirror"; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,cache/archives}/partial
echo "deb [signed-by=$keyring] $mirror sid main" >"$work/sources.list"

# apt with lists and a cache of its own: what the machine itself installs from stays as it is.
apart() {
    apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}

cd "$work"
apart update
apart download "docker-compose=$version"
dpkg -x docker-compose_*.deb unpacked
install -D "unpacked$plugin" "$plugin.new"
mv "$plugin.new" "$plugin"
"$plugin" version
