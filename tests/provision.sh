#!/usr/bin/env bash
# Brings what the tests need and Python cannot: zsh, fish, and a PostgreSQL server. Missing, it is an error where CI=true, and a loud skip
# elsewhere.
set -u

has_postgres() {
    command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

missing() {
    command -v zsh >/dev/null || printf 'zsh '
    command -v fish >/dev/null || printf 'fish '
    has_postgres || printf 'postgresql '
}

# Debian's package would otherwise make a cluster of its own and start it, which nobody has asked for.
keep_quiet() {
    [ -e /etc/postgresql-common/createcluster.conf ] && return
    mkdir -p /etc/postgresql-common
    printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.conf
}

read -r -a wanted <<<"$(missing)"
[ "${#wanted[@]}" = 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    keep_quiet
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}"; } >/dev/null 2>&1
fi
left=$(missing)
[ -z "$left" ] && exit 0
printf '\n*** not installed: %s; the tests that need it are skipped ***\n\n' "$left" >&2
[ "${CI:-}" != true ]
