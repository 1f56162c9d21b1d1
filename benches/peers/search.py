"""Search by words in the same texts: the node over HTTP, and SQLite's FTS5 in this process.

    python search.py PROGRAM [--texts 1000000] [--directory DIR]

The best ten by BM25 with snippets, of one type. SQLite has neither HTTP nor rights to see to, and the same file cache.
"""

import argparse
import json
import pathlib
import random
import sqlite3
import tempfile
import time

from node import Node

SYLLABLES = ["ka", "ron", "mi", "tal", "se", "vor", "du", "pin", "lo", "gar", "be", "zul", "hi", "fen", "cra", "tus"]
VOCABULARY = 30_000
TYPES = ["report", "malware", "campaign", "indicator"]
QUESTIONS = 300


def word(rank):
    rest, parts = rank + 17, []
    while rest:
        parts.append(SYLLABLES[rest % 16])
        rest //= 16
    return "".join(parts)


def words(count):
    return " ".join(word(int(VOCABULARY ** random.random()) - 1) for _ in range(count))


def texts(count):
    for number in range(count):
        yield f"{TYPES[number % 4]}--{number:08}", TYPES[number % 4], words(3), words(30)


def fill_sqlite(path, count):
    database = sqlite3.connect(path)
    database.execute("create virtual table texts using fts5(id unindexed, type unindexed, name, body, tokenize='porter unicode61')")
    random.seed(1)
    begun = time.monotonic()
    with database:
        database.executemany("insert into texts values (?, ?, ?, ?)", texts(count))
    return database, time.monotonic() - begun


def fill_node(node, path, count):
    random.seed(1)
    with path.open("w") as file:
        for identity, kind, name, body in texts(count):
            thing = {"id": identity, "type": kind, "attributes": {"name": name}, "texts": [{"text": body}]}
            file.write(json.dumps(thing) + "\n")
    return node.import_file(path, "texts")["seconds"]


def ask_sqlite(database, question, kind):
    match = " OR ".join(question.split())
    query = "select id, snippet(texts, 3, '[', ']', '...', 20) from texts where texts match ? and type = ? order by rank limit 10"
    return len(database.execute(query, (match, kind)).fetchall())


def measured(ask):
    begun = time.monotonic()
    ask()
    return (time.monotonic() - begun) * 1e3


def report(what, node, sqlite):
    at = lambda times, percent: sorted(times)[len(times) * percent // 100]
    print(
        f"{what:<18} node p50 {at(node, 50):7.2f} p95 {at(node, 95):7.2f} ms   SQLite p50 {at(sqlite, 50):7.2f} p95 {at(sqlite, 95):7.2f} ms   "
        f"ratio of p95 {at(node, 95) / at(sqlite, 95):.2f}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--directory")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory) as place:
        directory = pathlib.Path(place)
        node = Node(given.program, directory)
        database, sqlite_seconds = fill_sqlite(directory / "texts.sqlite", given.texts)
        node_seconds = fill_node(node, directory / "texts.jsonl", given.texts)
        print(f"{given.texts:,} texts searchable: node {node_seconds:.0f} s, SQLite {sqlite_seconds:.0f} s, this program's part included")
        for what, make in (
            ("one rare word", lambda: word(100 + random.randrange(VOCABULARY - 100))),
            ("one word", lambda: words(1)),
            ("two words", lambda: words(2)),
            ("five words", lambda: words(5)),
        ):
            node_times, sqlite_times = [], []
            for turn in range(QUESTIONS):
                question, kind = make(), TYPES[turn % 4]
                node_times.append(measured(lambda: node.search(question, [kind])))
                sqlite_times.append(measured(lambda: ask_sqlite(database, question, kind)))
            report(what, node_times, sqlite_times)
        node.stop()


if __name__ == "__main__":
    main()
