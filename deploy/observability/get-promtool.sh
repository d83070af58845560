#!/bin/sh
# Prints a directory that holds promtool, with which `make test` tests the alert rules.
# Where it is not installed, Debian's package is unpacked beside the build; nothing is installed
# and no service is started. Prints nothing and says why where that cannot be done.
set -eu
if found=$(command -v promtool); then
    dirname "$found"
    exit 0
fi
tools="$(cd "$(dirname "$0")/../.." && pwd)/.local/tools"
if [ ! -x "$tools/usr/bin/promtool" ]; then
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        echo "promtool is missing: it comes with Prometheus" >&2
        exit 0
    fi
    mkdir -p "$tools"
    cd "$tools"
    if ! apt-get download prometheus >apt.log 2>&1; then
        # A new machine knows no packages yet.
        if ! { apt-get update && apt-get download prometheus; } >>apt.log 2>&1; then
            echo "promtool is missing and the package prometheus could not be fetched" >&2
            exit 0
        fi
    fi
    dpkg-deb -x prometheus_*.deb .
    rm -f prometheus_*.deb
fi
echo "$tools/usr/bin"
