#!/usr/bin/env bash
# Plants one leak at a time into a copy of the sources and sees whether the leak probes find it: tests/planted.sh [PATCH...]
# A patch that no longer fits, or does not compile, fails as well: it plants nothing. What is built stays apart from what you run.
# Probes are drawn at random: twice as many as in the tests, since some leaks show in one id of one operation alone.
set -euo pipefail
cd "$(dirname "$0")/.."

place=$(realpath -m "${CARGO_TARGET_DIR:-target}")/planted
patches=("$@")
((${#patches[@]})) || patches=(tests/planted/*.patch)
export CARGO_TARGET_DIR=$place/target
export INTELGRAPH_TEST_PROBES=${INTELGRAPH_TEST_PROBES:-10000}
missed=()

plant() {
  rm -rf "$place/tree"
  mkdir -p "$place/tree"
  git ls-files -z | xargs -0 cp --parents -t "$place/tree"
  patch --directory "$place/tree" --strip 1 --fuzz 0 --silent <"$1"
}

# By what the probes say, not by how they end: a node that does not start finds nothing.
verdict() (
  plant "$1" || { echo "DOES NOT FIT" && exit; }
  cd "$place/tree"
  cargo test --quiet --locked --test appliance --no-run >"$place/log" 2>&1 || { echo "DOES NOT COMPILE" && exit; }
  ! cargo test --quiet --locked --test appliance leaks -- --nocapture >"$place/log" 2>&1 && grep -q ' leaks:$' "$place/log" && echo found && exit
  echo MISSED
)

for patch in "${patches[@]}"; do
  name=$(basename "$patch" .patch)
  began=$SECONDS
  is=$(verdict "$patch")
  [[ $is == found ]] || missed+=("$name")
  printf '%-28s %-16s %4d s\n' "$name" "$is" $((SECONDS - began))
done
echo "leaks found: $((${#patches[@]} - ${#missed[@]})) of ${#patches[@]}"
((${#missed[@]} == 0))
