#!/usr/bin/env bash
# Fuzzes every decoder with libFuzzer.
#
#   Fuzz/run.sh [SECONDS [TARGET...]]   each target (default: all) for SECONDS (default 60), eight at a time
#   SANITIZE=address Fuzz/run.sh        with AddressSanitizer, in the dependencies too
#   Fuzz/run.sh merge                   adds the inputs that earlier runs found to the corpus, and minimizes it
#
# An input that breaks a target is kept under Fuzz/crashes. To reproduce the failure, pass it to the program:
#   KITH_FUZZ_TARGET=TARGET .build-fuzz/fuzzer/release/KithFuzz FILE
#
# Dependencies are built as for use, so KITH_FUZZ_SCRATCH=.build takes them from there. The project's own modules are then
# rebuilt by the next build for use.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=${KITH_FUZZ_SCRATCH:-.build-fuzz/${SANITIZE:-fuzzer}}
KITH_FUZZ=1 scripts/release.sh --scratch-path "$scratch" --product KithFuzz ${SANITIZE:+--sanitize "$SANITIZE"}
# Swift holds enums with boxed payloads in tagged pointers, which the leak checker does not follow.
export ASAN_OPTIONS=detect_leaks=0
# With Swift's own crash report, libFuzzer would not get to keep the input.
export SWIFT_BACKTRACE=enable=no
fuzzer=$PWD/$scratch/release/KithFuzz
mapfile -t all < <(KITH_FUZZ_TARGET=none "$fuzzer" || true)
mkdir -p Fuzz/work Fuzz/crashes

merge() {
    local target=$1 merged
    merged=$(mktemp -d)
    mkdir -p "Fuzz/corpus/$target" "Fuzz/work/$target"
    KITH_FUZZ_TARGET=$target "$fuzzer" -merge=1 -max_len=2048 -rss_limit_mb=4096 \
        "$merged" "Fuzz/corpus/$target" "Fuzz/work/$target" 2> "Fuzz/work/$target.log"
    rm -rf "Fuzz/corpus/$target" "Fuzz/work/$target"
    mv "$merged" "Fuzz/corpus/$target"
    chmod 755 "Fuzz/corpus/$target"
    echo "$target: $(find "Fuzz/corpus/$target" -type f | wc -l) inputs"
}

fuzz() {
    local target=$1 log=Fuzz/work/$1.log
    mkdir -p "Fuzz/work/$target" "Fuzz/corpus/$target"
    # New inputs go to the first folder; the corpus is only read.
    if KITH_FUZZ_TARGET=$target "$fuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=4096 -len_control=20 \
        -print_final_stats=1 -artifact_prefix="Fuzz/crashes/$target-" \
        "Fuzz/work/$target" "Fuzz/corpus/$target" > "$log" 2>&1; then
        printf '%-14s ok, %s inputs, %s per second\n' "$target" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
            "$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")"
    else
        printf '%-14s FAILED\n' "$target"
        tail -n 40 "$log"
        return 1
    fi
}

if [ "${1:-}" = merge ]; then
    for target in "${all[@]}"; do merge "$target"; done
    exit
fi

seconds=${1:-60}
shift || true
export fuzzer seconds
export -f fuzz
[ $# -gt 0 ] || set -- "${all[@]}"
printf '%s\n' "$@" | xargs -P 8 -I{} bash -c 'fuzz {}'
