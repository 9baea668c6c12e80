#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that `./dev test` runs, step by step, each counted; the last line is "N passed, N failed, N skipped", and before it
# each test that failed has one. Output of each step: build-test/log/STEP.log. Name steps to run only those: tests/run.sh unit http
set -uo pipefail
cd "$(dirname "$0")/.." || exit

# The names in the calls of step() below.
list_steps() { sed -nE 's/^([a-z_]+\(\) \{ .*)?step ([a-z][a-z-]*) ".*/\2/p' tests/run.sh; }

usage() {
    cat <<'END'
usage: ./dev test [STEP...]
  Without a step all are run. Steps named build-... always are, for the others need them.
  --list   the names of all steps
Output of each step: build-test/log/STEP.log. FUZZ_SECONDS is the time of each fuzz target (10).
END
}

for name; do
    case $name in
        --list) list_steps && exit ;;
        --help | -h) usage && exit ;;
    esac
    list_steps | grep -qxF -e "$name" || { usage && printf '\ndev: there is no test step "%s"\n' "$name" && exit 2; } >&2
done

root=$PWD
out=$root/build-test
log=$out/log
tally=$out/tally
failed=$out/failed
rm -rf "$log" "$tally" "$failed"
mkdir -p "$log" "$tally" "$failed"
python=/usr/bin/python3
wanted=" $* "

# Why a step failed: of pytest's log the part about that, of others the end.
show_failures() { # log
    local part
    part=$(sed -nE '/^=+ (ERRORS|FAILURES) =+$/,/^=+ (PASSES|short test summary info) =+$/p' "$1")
    if [ -n "$part" ]; then
        tail -n 150 <<<"$part"
        tail -n 1 "$1"
    else
        tail -n 40 "$1"
    fi
}

# Runs a step unless others were named. A step without counts of its own counts as one.
step() { # name description command...
    local name=$1 what=$2 started=$SECONDS
    shift 2
    if [ "$wanted" != "  " ] && [[ $wanted != *" $name "* ]] && [[ $name != build-* ]]; then return; fi
    printf '%-12s %s ... ' "$name" "$what"
    if "$@" >"$log/$name.log" 2>&1; then
        [ -e "$tally/$name" ] || echo "1 0 0" >"$tally/$name"
        printf 'ok (%ss)\n' $((SECONDS - started))
    else
        [ -e "$tally/$name" ] && awk '{exit !($2 == 0)}' "$tally/$name" && rm "$tally/$name"
        [ -e "$tally/$name" ] || echo "0 1 0" >"$tally/$name"
        printf 'FAILED (%ss), see %s\n' $((SECONDS - started)) "${log#"$root"/}/$name.log"
        [ -e "$failed/$name" ] || echo "see its log" >"$failed/$name"
        show_failures "$log/$name.log" | sed 's/^/    /'
    fi
}

# Adds up a JUnit file, and keeps who failed: "passed failed skipped".
count_junit() { # step file
    "$python" tests/junit_count.py "$2" "$failed/$1" >"$tally/$1" || return 1
    sed -n 's/^skipped: /    skipped: /p' "$log/$1.log"
}

# Runs functions that run steps, several at the same time, in this order: their tests wait more than they compute.
# What one prints comes in one piece when it has ended.
together() { # functions...
    local name
    for name; do
        while [ "$(jobs -rp | wc -l)" -ge $(($(nproc) * 2)) ]; do wait -n; done
        { "$name" >"$log/$name.out" && flock "$log" cat "$log/$name.out"; } &
    done
    wait
}

setup() { # folder meson-options...
    local folder=$1
    shift
    [ -f "$folder/build.ninja" ] || meson setup "$folder" --werror "$@"
}

build_gcc() { setup "$out/asan" --buildtype=debugoptimized -Db_sanitize=address,undefined -Dtests=true -Dtest_hooks=true && meson compile -C "$out/asan"; }
build_tsan() { setup "$out/tsan" --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false -Dtests=true -Dtest_hooks=true && meson compile -C "$out/tsan"; }
build_clang() {
    CC=clang setup "$out/clang" --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dtests=true -Dtest_hooks=true -Dfuzz=true &&
        meson compile -C "$out/clang"
}
build_release() { setup "$out/release" --buildtype=release -Db_ndebug=true && meson compile -C "$out/release"; }
build_analyzer() { setup "$out/analyzer" --buildtype=debug -Dc_args=-fanalyzer && meson compile -C "$out/analyzer"; }

meson_tests() { # step build-folder
    local status=0
    meson test -C "$2" --print-errorlogs --timeout-multiplier 5 || status=1
    count_junit "$1" "$2/meson-logs/testlog.junit.xml" && return $status
}

run_pytest() { # step files...
    local name=$1 status=0
    shift
    NOTES_BUILD=$out/${build:-asan} NOTES_TEST_ENGINE=${engine:-} NOTES_TEST_REDIS=${redis:-} "$python" -m pytest -q -rs -p no:cacheprovider \
        --junitxml="$out/$name.xml" "$@" || status=1
    count_junit "$name" "$out/$name.xml" && return $status
}

# All threads of whole services: hub, bus, workers, drivers, while everything breaks.
threads() {
    build=tsan engine=mariadb PROPERTY_SEEDS=4 run_pytest threads tests/http/test_bus.py tests/http/test_live_events.py \
        tests/http/test_redis_sessions.py tests/http/test_page_cache.py tests/replicas/test_cache.py tests/replicas/test_property.py
}

# The release build, under its filter of system calls, which sanitizers exclude.
hardened() {
    build=release run_pytest hardened tests/hardened tests/http/test_pages_comments.py tests/http/test_live_events.py \
        tests/http/test_userauth_users.py tests/providers/test_trust.py
}
hardened_servers() {
    build=release engine=mariadb redis=1 run_pytest hardened-servers tests/http/test_pages_comments.py tests/http/test_sessions.py
}

http() { step http "black box over HTTP" run_pytest http tests/http; }
on_mariadb() {
    engine=mariadb run_pytest http-mariadb tests/http tests/cli tests/security/test_statements.py \
        tests/providers/test_sign_in.py tests/providers/test_linking.py tests/providers/test_forged_sign_in.py
}
http_mariadb() { step http-mariadb "the same on a private MariaDB" on_mariadb; }
http_mysql() { engine=mysql redis=1 step http-mysql "and on a private MySQL, with Redis" run_pytest http-mysql tests/http tests/cli tests/security/test_statements.py; }

docker_mysql() { step docker "containers, with MySQL" run_pytest docker -rsP tests/docker; } # with what they measured
docker_mariadb() { engine=mariadb step docker-mariadb "and with MariaDB" run_pytest docker-mariadb tests/docker; }
containers() { docker_mysql; docker_mariadb; }

cli() { step cli "userauth-cli" run_pytest cli tests/cli; }
browser() { step browser "Chromium" run_pytest browser tests/browser; }
attacks() { step attacks "as a stranger would" run_pytest attacks tests/security; }
replicas() { step replicas "several processes as one site, while everything breaks" run_pytest replicas tests/replicas; }
live_threads() { step threads "live services, TSan" threads; }
soak() { step soak "a short soak, ASan; the long one is ./dev soak" run_pytest soak tests/soak; }
fuzz() { step fuzz "fuzz targets, ${FUZZ_SECONDS:-10} s each" run_fuzz; }
unit_tsan() { step unit-tsan "unit tests, TSan" meson_tests unit-tsan "$out/tsan"; }
providers() { step providers "signing in at providers, real ones and a lying one" run_pytest providers tests/providers; }

run_fuzz() {
    local status=0
    tests/fuzz/run.sh "$out/clang" "${FUZZ_SECONDS:-10}" | tee "$out/fuzz.out" || status=1
    sed -n 's/^fuzz: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2 0/p' "$out/fuzz.out" >"$tally/fuzz"
    [ -s "$tally/fuzz" ] && return $status
}

sources() { git ls-files "$@"; }
check_format() { sources '*.c' '*.h' | xargs clang-format --dry-run -Werror; }
check_tidy() {
    sources 'common/*.c' 'userauth-svc/*.c' 'notes-svc/*.c' |
        xargs -P "$(nproc)" -n 4 clang-tidy -p "$out/clang" --quiet --warnings-as-errors='*'
}
check_cppcheck() {
    cppcheck --enable=warning,portability --inline-suppr --error-exitcode=1 --quiet --std=c11 --suppress=missingInclude \
        --suppressions-list=tests/lint/cppcheck.txt -D__GNUC__ -DNOTES_VERSION='"x"' -Icommon -Inotes-svc -Iuserauth-svc common userauth-svc notes-svc
}
check_hooks() { ! grep -rqa NOTES_TEST_HOOK "$out/release/notes-svc/notes-svc" "$out/release/userauth-svc/userauth-svc"; }
check_shell() { sources dev '*.sh' '*.bash' .ci/run | xargs shellcheck; }
check_python() { sources '*.py' | xargs "$python" -m pyflakes; }

step build-gcc "gcc, -Werror, AddressSanitizer and UBSan" build_gcc
step build-clang "clang, -Werror, sanitizers, fuzz targets" build_clang
step build-tsan "gcc, ThreadSanitizer" build_tsan
step build-release "release build, -Werror" build_release
step analyzer "gcc -fanalyzer" build_analyzer
step format "clang-format" check_format
step layers "who may include whom" "$python" tests/lint/check_layers.py .
step sizes "functions, files, nesting" "$python" tests/lint/check_sizes.py .
step words "banned calls, heads of files" "$python" tests/lint/check_words.py .
step events "docs/EVENTS.md and what is logged" "$python" tests/lint/check_events.py .
step security "docs/SECURITY.md and FAULTS.md, and the tests that they name" "$python" tests/lint/check_security.py .
step tidy "clang-tidy" check_tidy
step cppcheck "cppcheck" check_cppcheck
step hooks "no test hooks in the release" check_hooks
step shellcheck "shell scripts" check_shell
step python "pyflakes" check_python
step unit "unit tests, ASan and UBSan" meson_tests unit "$out/asan"
step tools "build-time compilers" run_pytest tools tests/unit
step hardened "release build: what it gives up, and that it works so" hardened
step hardened-servers "the same on MariaDB and Redis" hardened_servers
together containers http_mariadb http_mysql http replicas live_threads providers attacks browser cli soak fuzz unit_tsan
step bench "what ./dev bench writes" run_pytest bench tests/bench

(cd "$failed" && grep -r "" . | sed 's|^./|failed: |')
cat "$tally"/* | awk '{p += $1; f += $2; s += $3} END {printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0}'
