"""Durable inserts of the same records, on the same disk, by turns: the node and Postgres.

    python inserts.py PROGRAM [--rows 200000] [--directory DIR]

A record is a kilobyte of JSON under a random id. Postgres keeps it under a primary key and nothing else ("bare"), or with an index of its
words and a table of what was said before ("the same to do"); the node knows its claims, keeps their history, indexes its words and puts each record into a
Merkle tree. Neither answers before it is on disk. What is sent is made before the clock runs. In the last row the time ends when the records are found.
"""

import argparse
import json
import pathlib
import random
import tempfile
import threading
import time

from node import Client, Node
from postgres import Postgres

BATCH = "application/cloudevents-batch+json"
# The node makes records searchable behind its answer, Postgres writes pages: neither is to be beside the other's turn.
REST_SECONDS = 3
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


def begin(postgres, searchable):
    with postgres.connect() as connection:
        connection.execute("drop table if exists things")
        connection.execute(TABLE)
        if searchable:
            connection.execute(SEARCHABLE)


def seconds(work, shares):
    """How long it takes to do each share in a thread of its own."""
    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - begun


def values(rows):
    return [(row["id"], row["type"], json.dumps(row)) for row in rows]


def done_with(postgres):
    """What Postgres leaves for later is done before the node's turn, and so is what the node does in its rest."""
    with postgres.connect() as connection:
        connection.autocommit = True
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def postgres_rate(postgres, rows, size, clients=1, searchable=False):
    begin(postgres, searchable)
    connections = [postgres.connect() for _ in range(clients)]
    shares = [(connection, chunks(values(rows[at::clients]), size)) for at, connection in enumerate(connections)]

    def insert(share):
        connection, commits = share
        connection.autocommit = True
        for commit in commits:
            if size == 1:
                connection.execute("insert into things values (%s, %s, %s)", commit[0])
                continue
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany("insert into things values (%s, %s, %s)", commit)

    took = seconds(insert, shares)
    for connection in connections:
        connection.close()
    done_with(postgres)
    return len(rows) / took


def copy_rate(postgres, rows, searchable=False):
    begin(postgres, searchable)
    commits = chunks(values(rows), 16_384)
    with postgres.connect() as connection:
        begun = time.monotonic()
        for commit in commits:
            with connection.cursor() as cursor, cursor.copy("copy things from stdin") as writer:
                for row in commit:
                    writer.write_row(row)
            connection.commit()
        took = time.monotonic() - begun
    done_with(postgres)
    return len(rows) / took


def event(row):
    return {"specversion": "1.0", "id": row["id"], "source": "/bench", "type": "seen", "data": row}


def events_rate(node, rows, size, clients=1):
    made = []
    for at in range(clients):
        client = Client(node.url, node.token)
        bodies = [json.dumps([event(row) for row in chunk]).encode() for chunk in chunks(rows[at::clients], size)]
        made.append((client, [client.request("/api/v1/events?source=events", BATCH, body) for body in bodies]))

    def send(share):
        client, requests = share
        for request in requests:
            client.exchange(request)

    return len(rows) / seconds(send, made)


def import_rate(node, rows, directory, name, until="durable_seconds"):
    path = directory / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = node.import_file(path, name)
    path.unlink()
    return len(rows) / done[until]


def report(what, node, **peers):
    """`node` and each of `peers` measure when they are called, one after the other."""
    ours = node()
    time.sleep(REST_SECONDS)
    line = f"{what:<38} node {ours:>9,.0f}/s"
    for name, peer in peers.items():
        theirs = peer()
        line += f"   Postgres, {name.replace('_', ' ')} {theirs:>9,.0f}/s   ratio {ours / theirs:.2f}"
        time.sleep(REST_SECONDS)
    print(line, flush=True)


def events(what, rows, node, postgres, size, clients):
    report(
        what,
        lambda: events_rate(node, rows, size, clients),
        bare=lambda: postgres_rate(postgres, rows, size, clients),
        the_same_to_do=lambda: postgres_rate(postgres, rows, size, clients, searchable=True),
    )


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
            some = lambda count, seed: list(records(min(given.rows, count), 10 * turn + seed))
            events(f"turn {turn}: one a commit, one client", some(4_000, 1), node, postgres, 1, 1)
            events(f"turn {turn}: one a commit, 32 clients", some(20_000, 2), node, postgres, 1, 32)
            events(f"turn {turn}: 500 a commit, one client", some(50_000, 3), node, postgres, 500, 1)
            rows = some(given.rows, 4)
            report(
                f"turn {turn}: in bulk (import, COPY)",
                lambda: import_rate(node, rows, directory, f"bulk{turn}"),
                bare=lambda: copy_rate(postgres, rows),
            )
            rows = some(given.rows, 5)
            report(
                f"turn {turn}: in bulk until they are found",
                lambda: import_rate(node, rows, directory, f"found{turn}", "seconds"),
                the_same_to_do=lambda: copy_rate(postgres, rows, searchable=True),
            )
        node.stop()
        postgres.stop()


if __name__ == "__main__":
    main()
