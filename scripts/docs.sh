#!/usr/bin/env bash
# Renders the documentation of a module into .build/docs: docs.sh MODULE [RE-EXPORTED-MODULE,…]. Any warning is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
module=$1
exported=${2:-}
swift build --target "$module"
build=$(swift build --show-bin-path)
target=$(swift -print-target-info | python3 -c 'import json, sys; print(json.load(sys.stdin)["target"]["triple"])')
graphs=.build/docs/$module.symbols
rm -rf "$graphs" && mkdir -p "$graphs"

# The C modules below the module, as the build found them.
options=()
for map in "$build"/*.build/module.modulemap .build/checkouts/*/Sources/*/include/module.modulemap \
    .build/checkouts/GRDB.swift/Sources/GRDBSQLite/module.modulemap Sources/C*/module.modulemap; do
    case $map in *SQLCipher*) ;; *) [ -e "$map" ] && options+=(-Xcc "-fmodule-map-file=$map") ;; esac
done
for folder in .build/checkouts/*/Sources/*/include; do options+=(-I "$folder"); done
[ -z "$exported" ] || options+=("-experimental-allowed-reexported-modules=$exported")

swift symbolgraph-extract -module-name "$module" -I "$build/Modules" "${options[@]}" -target "$target" \
    -minimum-access-level public -skip-inherited-docs -output-dir "$graphs"
docc convert "Sources/$module/$module.docc" --additional-symbol-graph-dir "$graphs" --warnings-as-errors \
    --fallback-display-name "$module" --fallback-bundle-identifier "$module" \
    --output-path ".build/docs/$module.doccarchive"
echo "rendered .build/docs/$module.doccarchive"
