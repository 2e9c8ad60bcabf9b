#!/usr/bin/env bash
# The versions of all packages that are built in, including indirect dependencies: a name and a version per line. Commit
# ids are left out, since mirrors have others.
#
#   scripts/versions.sh            prints the resolved versions
#   scripts/versions.sh --check    compares them with packaging/versions.txt, and fails on a difference
#   scripts/versions.sh --write    writes them to packaging/versions.txt
set -euo pipefail
cd "$(dirname "$0")/.."
resolved=${KITH_RESOLVED:-Package.resolved}
list=${KITH_VERSIONS:-packaging/versions.txt}

[ -f "$resolved" ] || { echo "versions: there is no $resolved; run: swift package resolve" >&2; exit 1; }

# A package that was resolved to a branch or a commit has no version. It is listed, so that --check finds it.
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
        echo "versions: the resolved versions differ from $list; if that is intended, run: make versions" >&2
        exit 1
    fi
    ;;
*) echo "usage: scripts/versions.sh [--check|--write]" >&2; exit 64 ;;
esac
