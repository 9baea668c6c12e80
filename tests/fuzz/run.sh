#!/bin/sh
# Runs each fuzz target for some seconds on its kept corpus: tests/fuzz/run.sh BUILD_DIR SECONDS
# New inputs go to a folder of the run's own; the input that broke a property is kept as BUILD_DIR/crash-TARGET-….
# The last line is "fuzz: N passed, M failed"; exit 1 when one failed or none ran.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 BUILD_DIR SECONDS" >&2
    exit 2
fi
build_dir=$1
seconds=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work_dir=$(mktemp -d)
trap 'rm -rf -- "$work_dir"' EXIT

passed=0
failed=0
for source in "$here"/fuzz_*.c; do
    name=$(basename "$source" .c)
    target=${name#fuzz_}
    mkdir -p "$work_dir/$target"
    if "$build_dir/tests/fuzz/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -max_len=65536 \
        -artifact_prefix="$build_dir/crash-$target-" -print_final_stats=0 -verbosity=0 \
        "$work_dir/$target" "$here/corpus/$target" >"$work_dir/$target.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok $name"
    else
        failed=$((failed + 1))
        echo "not ok $name"
        tail -n 40 "$work_dir/$target.log"
    fi
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
