#!/usr/bin/env python3
"""Runs campaigns of trials, each where it ended last, and sums what they found.

    tests/campaigns.py run [NAME[=COUNT]..] [--from SEED]    all, if none is named; 0 leaves one out
    tests/campaigns.py sum                                   into tests/simulation/RESULTS.md

What was done is kept in `campaigns.jsonl` in the target directory, a line for each minute. A campaign goes on behind the last
seed that is there; with `--from` it does those that it is told, and what was done before is not counted twice.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
LEDGER = TARGET / "campaigns.jsonl"
RESULTS = ROOT / "tests/simulation/RESULTS.md"
BEGINS, ENDS = "# Campaigns\n", "# Planted bugs\n"

# The tests that they are, what they do, and how much of it in a night.
CAMPAIGNS = {
    "cuts": ("simulation", "a_power_cut_loses_no_acknowledged_batch", "power cuts of the store", 100_000),
    "flips": ("simulation", "a_flipped_bit_is_never_a_silent_wrong_answer", "flipped bits in the store", 20_000),
    "disks": ("simulation", "a_failing_disk_stops_the_store", "failing disks under the store", 20_000),
    "clocks": ("appliance", "a_clock_that_jumps_loses_nothing_and_revives_nothing", "jumps of a node's clock", 1_000),
    "kills": ("appliance", "what_was_acknowledged_survives_every_kill", "kills of a node under load", 1_000),
    "faults": ("appliance", "a_fault_at_any_change_of_a_file_loses_nothing", "kills, power cuts and errors at changes of a node's files", 1_000),
    "restores": ("appliance", "a_cut_at_any_change_of_a_file_leaves_no_half", "restores and compactions, killed or with power cut", 1_000),
    "damages": ("appliance", "damage_is_found_wherever_it_is", "damaged files of a node", 5_000),
    "probes": ("appliance", "nobody_learns_anything_of_what_is_hidden", "leak probes", 500_000),
}
FOUND = {"at_open": "at open", "on_read": "on read", "by_scrub": "by scrub", "by_verify": "by verify"}
BROKEN = {"answered_over": "answered over", "lost": "lost", "silently_wrong": "silently wrong", "failed": "failed"}


def run(names, first):
    for name, count in names:
        if name not in CAMPAIGNS:
            sys.exit(f"error: no campaign is called `{name}`; there are {', '.join(CAMPAIGNS)}")
    failed = [name for name, count in names if count != 0 and not campaign(name, count, first)]
    if failed:
        sys.exit(f"FAILED: {', '.join(failed)}")


def campaign(name, count, first):
    target, test, _, a_night = CAMPAIGNS[name]
    first = first if first is not None else max((line["to"] for line in lines(name)), default=0)
    environment = os.environ | {
        "INTELGRAPH_SIM_FROM": str(first),
        "INTELGRAPH_SIM_COUNT": str(count or a_night),
        "INTELGRAPH_SIM_LEDGER": str(LEDGER),
        "INTELGRAPH_SIM_COMMIT": commit(),
        # What the store catches is told of in a line, and not with its stack.
        "RUST_BACKTRACE": "0",
    }
    # As in tests/run.sh, so that nothing is built twice; without the Explorer if there is none.
    features = ["--features", "ui"] if (ROOT / "ui/dist/files.rs").exists() else []
    command = ["cargo", "test", "--locked", "--workspace", *features, "--test", target, test, "--", "--nocapture"]
    print(f"== {name}, from seed {first}", flush=True)
    return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


def commit():
    git = lambda *args: subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!" + str(RESULTS.relative_to(ROOT)))
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def lines(name=None):
    text = LEDGER.read_text() if LEDGER.exists() else ""
    read = [json.loads(line) for line in text.splitlines()]
    return [line for line in read if name in (None, line["campaign"])]


def sum_up():
    rows = [row(name) for name in CAMPAIGNS if lines(name)]
    if not rows:
        sys.exit(f"error: there is nothing in `{LEDGER}`; run a campaign first")
    head = ["campaign", "seeds", "done", *FOUND.values(), *BROKEN.values(), "hours", "sources"]
    table = [head, ["---"] * len(head), *rows]
    about = [f"- `{name}`: {CAMPAIGNS[name][2]}. {also(name)}".rstrip() for name in CAMPAIGNS if lines(name)]
    text = [BEGINS, "Summed by `tests/campaigns.py sum` from the ledger of one machine; `make sim` adds to it.\n"]
    text += ["\n".join("| " + " | ".join(cells) + " |" for cells in table) + "\n", "\n".join(about) + "\n"]
    before = RESULTS.read_text()
    RESULTS.write_text("\n".join(text) + "\n" + before[before.index(ENDS):])
    print("\n".join(text))


def row(name):
    counted = once(name)
    counts = total(counted)
    of = lambda names: [f"{counts[key]:,}" if counts.get(key) else "0" if names is BROKEN else "" for key in names]
    done = f"{counts.get(counted[0]['unit'], 0):,} {counted[0]['unit']}"
    hours = f"{sum(line['seconds'] for line in counted) / 3600:.2f}"
    sources = ", ".join(dict.fromkeys(line["commit"] for line in counted))
    return [f"`{name}`", seeds(counted), done, *of(FOUND), *of(BROKEN), hours, sources]


def also(name):
    counted = once(name)
    named = {counted[0]["unit"], *FOUND, *BROKEN}
    return ", ".join(f"{what} {n:,}" for what, n in sorted(total(counted).items()) if what not in named)


def once(name):
    """Lines of which no seed was in an earlier one."""
    counted = []
    for line in lines(name):
        if all(line["to"] <= other["from"] or other["to"] <= line["from"] for other in counted):
            counted.append(line)
    return counted


def total(counted):
    counts = {}
    for line in counted:
        for what, n in line["counts"].items():
            counts[what] = counts.get(what, 0) + n
    return counts


def seeds(counted):
    ranges = []
    for line in sorted(counted, key=lambda line: line["from"]):
        if ranges and ranges[-1][1] == line["from"]:
            ranges[-1][1] = line["to"]
        else:
            ranges.append([line["from"], line["to"]])
    return ", ".join(f"{first}..{end}" for first, end in ranges)


def main(args):
    first = None
    if "--from" in args:
        at = args.index("--from")
        first = int(args[at + 1])
        del args[at : at + 2]
    match args:
        case ["run", *names]:
            named = [name.partition("=") for name in names or CAMPAIGNS]
            run([(name, int(count) if count else None) for name, _, count in named], first)
        case ["sum"]:
            sum_up()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
