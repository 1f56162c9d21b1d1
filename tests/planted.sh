#!/usr/bin/env bash
# Plants one fault at a time into a copy of the sources and sees whether the tests find it: tests/planted.sh [leaks|bugs|PATCH...]
# A patch that no longer fits, or does not compile, fails as well: it plants nothing. What is built stays apart from what you run.
# The head of a bug says what is broken and which suites are to find it, the cheapest first:
#   Caught by: storage [FILE], index [FILE], simulation, node TESTS, appliance TESTS
set -euo pipefail
cd "$(dirname "$0")/.."

place=$(realpath -m "${CARGO_TARGET_DIR:-target}")/planted
export CARGO_TARGET_DIR=$place/target
# Compiled more often than run.
export CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_PROFILE_DEV_DEBUG=0
# Probes are drawn at random: twice as many as in the tests, since some leaks show in one id of one operation alone.
probes=${PROBES:-10000}
# What a bug shows at random is neither made small nor remembered for the next; and it may make a test wait for ever.
export PROPTEST_MAX_SHRINK_TIME=1 PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
seconds_max=1200

chosen() {
  (($#)) || set -- leaks bugs
  local one
  for one; do
    case $one in leaks | bugs) printf '%s\n' "tests/planted/$one"/*.patch ;; *) echo "$one" ;; esac
  done
}

copy() {
  rm -rf "$place/tree"
  mkdir -p "$place/tree"
  git ls-files -z | xargs -0 cp --parents -t "$place/tree"
}

plant() {
  patch --directory "$place/tree" --strip 1 --fuzz 0 --silent --dry-run <"$1" >/dev/null 2>&1 &&
    patch --directory "$place/tree" --strip 1 --fuzz 0 --silent <"$1"
}

# What was planted is taken out again, and is newer for it: only what has changed is built anew.
take_out() {
  local file
  sed -n 's|^+++ b/||p' "$1" | while read -r file; do cp "$file" "$place/tree/$file"; done
}

# The suites that are to find a fault, one a line.
suites() {
  case $1 in
    */leaks/*) echo leaks ;;
    *) sed -n 's/^Caught by: //p' "$1" | sed 's/, */\n/g' ;;
  esac
}

tests_of() {
  case $1 in
    storage | index) echo "-p $1" ;;
    storage\ * | index\ *) echo "-p ${1% *} --test ${1#* }" ;;
    simulation) echo "-p index --test simulation" ;;
    node\ *) echo "-p intelgraph --lib" ;;
    appliance\ * | leaks) echo "--test appliance" ;;
    *) echo "error: no suite is called $1" >&2 && return 1 ;;
  esac
}

# By the test that fails, not by how cargo ends: what does not compile, or does not start, finds nothing.
found_by() {
  local suite=$1 tests names=
  [[ $suite != leaks ]] || export INTELGRAPH_SIM_COUNT=$probes
  tests=$(tests_of "$suite")
  case $suite in leaks) names=leaks ;; node\ * | appliance\ *) names=${suite#* } ;; esac
  # shellcheck disable=SC2086 # several words each
  cargo test --quiet --locked $tests --no-run >"$place/log" 2>&1 || { echo "DOES NOT COMPILE" && return; }
  # shellcheck disable=SC2086
  timeout "$seconds_max" cargo test --locked $tests -- --nocapture --test-threads 2 $names >"$place/log" 2>&1 && return
  # What leaks is told by the probes; a node that does not start tells of none.
  [[ $suite != leaks ]] || grep -q ' leaks:$' "$place/log" || return 0
  grep -A 1000 '^failures:$' "$place/log" | sed -n 's/^    \([a-z][a-z0-9_:]*\)$/\1/p' | head -1
}

verdict() (
  plant "$1" || { echo "DOES NOT FIT" && exit; }
  cd "$place/tree"
  suites "$1" | while read -r suite; do
    found=$(found_by "$suite" </dev/null)
    [[ -z $found ]] || { echo "$found" && exit; }
  done
)

# A suite that fails on sound sources finds nothing.
sound() (
  cd "$place/tree"
  for patch in "${patches[@]}"; do suites "$patch"; done | sort -u | while read -r suite; do
    found=$(found_by "$suite" </dev/null)
    [[ -z $found ]] || { echo "error: $suite fails with no fault planted: $found; see $place/log" >&2 && exit 1; }
  done
)

missed=()
mapfile -t patches < <(chosen "$@" | xargs realpath)
copy
sound
for patch in "${patches[@]}"; do
  began=$SECONDS
  is=$(verdict "$patch")
  take_out "$patch"
  [[ $is == [a-z]* ]] || missed+=("$patch")
  printf '%-30s %4d s  %s\n' "$(basename "$patch" .patch)" $((SECONDS - began)) "${is:-MISSED}"
done
echo "found: $((${#patches[@]} - ${#missed[@]})) of ${#patches[@]}"
((${#missed[@]} == 0))
