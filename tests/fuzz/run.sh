#!/bin/sh
# Runs fuzz targets for some seconds each on their kept corpora: tests/fuzz/run.sh BUILD_DIR SECONDS [TARGET...]
# New inputs go to a folder of the run's own, and with FUZZ_KEEP=yes those that reach something new to the corpus
# afterwards; the input that broke a property is kept as BUILD_DIR/crash-TARGET-….
# The last line is "fuzz: N passed, M failed"; exit 1 when one failed or none ran.
set -eu

if [ $# -lt 2 ]; then
    echo "usage: $0 BUILD_DIR SECONDS [TARGET...]" >&2
    exit 2
fi
build_dir=$1
seconds=$2
shift 2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ $# -eq 0 ]; then
    for source in "$here"/fuzz_*.c; do
        name=$(basename "$source" .c)
        set -- "$@" "${name#fuzz_}"
    done
fi
work_dir=$(mktemp -d)
trap 'rm -rf -- "$work_dir"' EXIT

passed=0
failed=0
for target; do
    program=$build_dir/tests/fuzz/fuzz_$target
    corpus=$here/corpus/$target
    log=$work_dir/$target.log
    mkdir -p "$work_dir/$target"
    if "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -max_len=65536 \
        -artifact_prefix="$build_dir/crash-$target-" -print_final_stats=1 -verbosity=0 \
        "$work_dir/$target" "$corpus" >"$log" 2>&1 &&
        { [ "${FUZZ_KEEP:-}" != yes ] || "$program" -merge=1 -verbosity=0 "$corpus" "$work_dir/$target" >>"$log" 2>&1; }; then
        passed=$((passed + 1))
        echo "ok fuzz_$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | head -n 1) inputs"
    else
        failed=$((failed + 1))
        echo "not ok fuzz_$target"
        tail -n 40 "$log"
    fi
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
