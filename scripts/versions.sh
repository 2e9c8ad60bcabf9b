#!/usr/bin/env bash
# The versions of all packages that are built in, those that packages need themselves included: names and versions, one a
# line. Commit ids are left out: mirrors have others.
#
#   scripts/versions.sh            prints what was resolved
#   scripts/versions.sh --check    compares it with packaging/versions.txt, and fails on a difference
#   scripts/versions.sh --write    takes it as the new list
set -euo pipefail
cd "$(dirname "$0")/.."
resolved=${KITH_RESOLVED:-Package.resolved}
list=${KITH_VERSIONS:-packaging/versions.txt}

[ -f "$resolved" ] || { echo "versions: there is no $resolved; run: swift package resolve" >&2; exit 1; }

# A package that was resolved to a branch or a commit has no version: it is listed, so that it makes a difference.
current=$(awk -F'"' '
    $2 == "identity" { if (name != "") print name, version; name = $4; version = "without-version" }
    $2 == "version" && $4 != "" { version = $4 }
    END { if (name != "") print name, version }' "$resolved" | LC_ALL=C sort)
[ -n "$current" ] || { echo "versions: $resolved names no packages" >&2; exit 1; }

case ${1:-} in
"") echo "$current" ;;
--write) echo "$current" >"$list" ;;
--check)
    if ! diff -u "$list" <(echo "$current") >&2; then
        echo "versions: what was resolved is not what $list says; if that is meant, run: make versions" >&2
        exit 1
    fi
    ;;
*) echo "usage: scripts/versions.sh [--check|--write]" >&2; exit 64 ;;
esac
