"""Durable inserts of the same records, on the same disk, by turns: the node and Postgres.

    python inserts.py PROGRAM [--rows 200000] [--directory DIR]

A record is a kilobyte of JSON under a random id. Postgres keeps it under a primary key and nothing else; the node also
knows its claims, keeps their history, and puts each into a Merkle tree. Neither answers before it is on disk. In the last row
Postgres has an index of the words and a table of what was said before, too, and the time of both ends when the records are found.
"""

import argparse
import json
import pathlib
import random
import tempfile
import time

from node import Node
from postgres import Postgres

WORDS = [f"{a}{b}{c}" for a in ("ka", "ron", "mi", "tal") for b in ("se", "vor", "du", "pin") for c in ("lo", "gar", "be")]


def records(rows, seed):
    random.seed(seed)
    for _ in range(rows):
        name, text = " ".join(random.choices(WORDS, k=3)), " ".join(random.choices(WORDS, k=120))
        yield {"id": f"{random.getrandbits(128):032x}", "type": "report", "attributes": {"name": name}, "texts": [{"text": text}]}


def chunks(rows, size):
    return [rows[at : at + size] for at in range(0, len(rows), size)]


TABLE = "create table things (id text primary key, type text not null, body jsonb not null)"
SEARCHABLE = """
create index on things using gin (to_tsvector('english', jsonb_path_query_array(body, '$.**.text')));
create table if not exists history (id text not null, at timestamptz not null default now(), body jsonb not null, primary key (id, at));
create or replace function keep() returns trigger language plpgsql as
  $$ begin insert into history (id, body) select id, body from new; return null; end $$;
create trigger keeps after insert on things referencing new table as new for each statement execute function keep();
"""


def postgres_rate(postgres, rows, size, copy, searchable=False):
    with postgres.connect() as connection:
        connection.execute("drop table if exists things")
        connection.execute(TABLE)
        if searchable:
            connection.execute(SEARCHABLE)
        connection.commit()
        values = [(row["id"], row["type"], json.dumps(row)) for row in rows]
        begun = time.monotonic()
        for chunk in chunks(values, size):
            with connection.cursor() as cursor:
                if copy:
                    with cursor.copy("copy things from stdin") as writer:
                        for row in chunk:
                            writer.write_row(row)
                else:
                    cursor.executemany("insert into things values (%s, %s, %s)", chunk)
            connection.commit()
        return len(rows) / (time.monotonic() - begun)


def event(row):
    return {"specversion": "1.0", "id": row["id"], "source": "/bench", "type": "seen", "data": row}


def events_rate(node, rows, size):
    content_type = "application/cloudevents-batch+json"
    begun = time.monotonic()
    for chunk in chunks(rows, size):
        node.post("/api/v1/events?source=events", content_type, [event(row) for row in chunk])
    return len(rows) / (time.monotonic() - begun)


def import_rate(node, rows, directory, name, until="durable_seconds"):
    path = directory / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = node.import_file(path, name)
    path.unlink()
    return len(rows) / done[until]


def report(what, node, postgres):
    print(f"{what:<38} node {node:>9,.0f}/s   Postgres {postgres:>9,.0f}/s   ratio {node / postgres:.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--directory")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory) as place:
        directory = pathlib.Path(place)
        postgres, node = Postgres(directory), Node(given.program, directory)
        print(f"{given.rows:,} records of 1 KB; Postgres {postgres.version()}")
        (directory / "none.jsonl").write_text("")
        node.import_file(directory / "none.jsonl", "events")
        for turn in (1, 2):
            rows = list(records(given.rows, turn))
            few = list(records(min(given.rows, 2_000), turn + 10))
            report(f"turn {turn}: one a commit, one client", events_rate(node, few, 1), postgres_rate(postgres, few, 1, False))
            some = list(records(min(given.rows, 50_000), turn + 20))
            report(f"turn {turn}: 500 a commit, one client", events_rate(node, some, 500), postgres_rate(postgres, some, 500, False))
            report(f"turn {turn}: in bulk (import, COPY)", import_rate(node, rows, directory, f"bulk{turn}"), postgres_rate(postgres, rows, 16_384, True))
            rows = list(records(given.rows, turn + 30))
            ours = import_rate(node, rows, directory, f"found{turn}", "seconds")
            report(f"turn {turn}: in bulk until they are found", ours, postgres_rate(postgres, rows, 16_384, True, searchable=True))
        node.stop()
        postgres.stop()


if __name__ == "__main__":
    main()
