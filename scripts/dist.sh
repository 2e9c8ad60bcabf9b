#!/usr/bin/env bash
# Packs the program, with Swift's runtime inside it, so that it runs where Swift is not installed.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/.*static let number = "\(.*\)".*/\1/p' Sources/kith/KithProgram.swift)
name="kith-${version:?no version in Sources/kith/KithProgram.swift}-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)"

scripts/release.sh --product kith --static-swift-stdlib
rm -rf "dist/$name"
mkdir -p "dist/$name"
cp .build/release/kith LICENSE README.md CHANGELOG.md "dist/$name/"
strip "dist/$name/kith"
"dist/$name/kith" --version >/dev/null
tar -C dist -czf "dist/$name.tar.gz" "$name"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "dist/$name.tar.gz"
