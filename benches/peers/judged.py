"""Judged collections for benches: documents, queries, and what is relevant; and how good a ranking is."""

import json
import math
import random


def read(place):
    """(id, title, text) of each document, id and text of each query, and the relevant ids of each query."""
    return cranfield(place) if (place / "cranqrel").exists() else beir(place)


def beir(place):
    lines = lambda name: map(json.loads, (place / name).read_text().splitlines())
    documents = [(line["_id"], line.get("title", ""), line["text"]) for line in lines("corpus.jsonl")]
    relevant = {}
    for row in (place / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, grade = row.split("\t")
        if int(grade) > 0:
            relevant.setdefault(query, set()).add(document)
    return documents, [(line["_id"], line["text"]) for line in lines("queries.jsonl") if line["_id"] in relevant], relevant


def records(text):
    for record in text.split(".I ")[1:]:
        number, _, rest = record.partition("\n")
        parts = {"T": [], "W": []}
        part = None
        for line in rest.splitlines():
            if len(line) == 2 and line[0] == ".":
                part = parts.get(line[1])
            elif part is not None:
                part.append(line.strip())
        yield number.strip(), " ".join(parts["T"]), "\n".join(parts["W"])


def cranfield(place):
    documents = list(records((place / "cran.all.1400").read_text()))
    queries = [(str(order + 1), text) for order, (_, _, text) in enumerate(records((place / "cran.qry").read_text()))]
    relevant = {}
    for query, document, grade in (row.split() for row in (place / "cranqrel").read_text().splitlines()):
        if 1 <= int(grade) <= 4:
            relevant.setdefault(query, set()).add(document)
    return documents, [(query, " ".join(text.split())) for query, text in queries if query in relevant], relevant


def padded(documents, rows):
    """More documents, of sentences of the others in new company: as near to the queries as the rest, and relevant to nobody."""
    drawn, sentences = random.Random(7), [part for _, _, text in documents for part in text.split(" . ") if len(part) > 20]
    more = [(f"pad-{number}", "", " . ".join(drawn.sample(sentences, 6))) for number in range(max(0, rows - len(documents)))]
    return documents + more


def ndcg(ranked, relevant):
    gain = sum(1 / math.log2(place + 2) for place, document in enumerate(ranked[:10]) if document in relevant)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(10, len(relevant))))
