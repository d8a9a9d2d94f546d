#!/usr/bin/env bash
# Brings what the tests need and Python cannot: zsh. Missing, it is an error where CI=true, and a loud skip elsewhere.
set -u

if command -v zsh >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq zsh; } >/dev/null 2>&1
fi
if command -v zsh >/dev/null; then
    exit 0
fi
printf '\n*** zsh is not installed: the tests that need it are skipped ***\n\n' >&2
[ "${CI:-}" != true ]
