"""The nearest ten of many vectors: usearch, hnswlib and faiss beside our own walk, on the same vectors, with one thread.

    python vectors.py DIRECTORY [--quick] [--only NAME]

Each folder of DIRECTORY is a set that `cargo bench -p index --bench vectors` has written: `base.npy` and `queries.npy` (f32, of unit
length), `exact.npy` (the true nearest ten of each query, by row of `base`), and `ours.json`: a list of
`{"engine", "ef", "qps", "recall"}` that was measured there. With `--make ROWS` a set is made here,
clustered and hard, for a look without that bench.

Every engine has M = 16 and ef_construction = 200, as ours has. Engines take turns, each at one width at a time, so that whatever else
the machine does in these minutes meets all of them. At the end stands what each does at equal recall, between measured points.
"""

import argparse
import json
import pathlib
import resource
import time

import numpy

M, EF_CONSTRUCTION, NEAREST = 16, 200, 10
WIDTHS = [16, 32, 64, 128, 256, 512]
RECALLS = [0.95, 0.99, 0.999]
DIMENSIONS, INTRINSIC, CLUSTERS = 768, 48, 200


class Usearch:
    name = "usearch f32"
    kind = "f32"

    def build(self, base):
        from usearch.index import Index

        self.index = Index(ndim=base.shape[1], metric="ip", dtype=self.kind, connectivity=M, expansion_add=EF_CONSTRUCTION)
        self.index.add(numpy.arange(len(base)), base, threads=1)

    def search(self, query, width):
        self.index.expansion_search = width
        return self.index.search(query, NEAREST, threads=1).keys


class UsearchI8(Usearch):
    name = "usearch i8"
    kind = "i8"


class Hnswlib:
    name = "hnswlib"

    def build(self, base):
        import hnswlib

        self.index = hnswlib.Index(space="ip", dim=base.shape[1])
        self.index.init_index(max_elements=len(base), M=M, ef_construction=EF_CONSTRUCTION, random_seed=1)
        self.index.set_num_threads(1)
        self.index.add_items(base, num_threads=1)

    def search(self, query, width):
        self.index.set_ef(width)
        return self.index.knn_query(query, k=NEAREST, num_threads=1)[0][0]


class Faiss:
    name = "faiss HNSW"

    def build(self, base):
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.IndexHNSWFlat(base.shape[1], M, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.add(base)

    def search(self, query, width):
        self.index.hnsw.efSearch = width
        return self.index.search(query[None], NEAREST)[1][0]


ENGINES = [Usearch, UsearchI8, Hnswlib, Faiss]


def make(place, rows):
    """Clusters of few dimensions in a space of many: where graphs lose points."""
    random = numpy.random.default_rng(7)
    inner = random.standard_normal((CLUSTERS, INTRINSIC)).astype(numpy.float32) * 2
    outer = random.standard_normal((INTRINSIC, DIMENSIONS)).astype(numpy.float32)

    def some(count):
        points = inner[random.integers(0, CLUSTERS, count)] + random.standard_normal((count, INTRINSIC)).astype(numpy.float32)
        vectors = points @ outer
        return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)

    base, queries = some(rows), some(500)
    exact = numpy.argsort(-(queries @ base.T), axis=1)[:, :NEAREST].astype(numpy.uint32)
    place.mkdir(parents=True, exist_ok=True)
    for name, array in (("base", base), ("queries", queries), ("exact", exact)):
        numpy.save(place / f"{name}.npy", array)


def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def built(engine, base):
    before, begun = memory(), time.monotonic()
    engine.build(base)
    engine.build_s = time.monotonic() - begun
    # An upper bound that only says something for who grows the process: the most it ever had.
    engine.bytes_per_vector = max(0, memory() - before) / len(base)
    print(f"  {engine.name:<14} built in {engine.build_s:7.1f} s, about {engine.bytes_per_vector:7,.0f} bytes a vector", flush=True)
    return engine


def measured(engine, queries, exact, width, seconds):
    found, times, begun = 0, 0, time.process_time()
    for query, true in zip(queries, exact):
        found += len(set(map(int, engine.search(query, width))) & set(map(int, true)))
        times += 1
    while time.process_time() - begun < seconds:
        engine.search(queries[times % len(queries)], width)
        times += 1
    spent = time.process_time() - begun
    return {"engine": engine.name, "ef": width, "qps": times / spent, "recall": found / (len(queries) * NEAREST)}


def at_recall(points, wanted):
    """Queries a second between the two points around a recall; none if an engine does not get there."""
    points = sorted(points, key=lambda point: point["recall"])
    for below, above in zip(points, points[1:]):
        if below["recall"] < wanted <= above["recall"]:
            share = (wanted - below["recall"]) / (above["recall"] - below["recall"])
            return below["qps"] ** (1 - share) * above["qps"] ** share
    if points and points[0]["recall"] >= wanted:
        return max(point["qps"] for point in points)
    return None


def compare(place, quick):
    base, queries, exact = (numpy.load(place / f"{name}.npy") for name in ("base", "queries", "exact"))
    base = numpy.ascontiguousarray(base, dtype=numpy.float32)
    if quick:
        queries, exact = queries[:200], exact[:200]
    print(f"\n{place.name}: {len(base):,} x {base.shape[1]}, {len(queries)} queries, M {M}, ef_construction {EF_CONSTRUCTION}, one thread")
    engines = [built(engine(), base) for engine in ENGINES]
    ours = json.loads((place / "ours.json").read_text()) if (place / "ours.json").exists() else []
    # Our walk at each width is one engine; what it does by itself is another.
    points = [{**point, "engine": "ours"} if point["engine"].endswith("wide") else point for point in ours]
    for width in WIDTHS:
        points += [measured(engine, queries, exact, width, 0.5 if quick else 2) for engine in engines]
    names = list(dict.fromkeys(point["engine"] for point in points))
    for name in names:
        curve = "  ".join(f"{point['ef']}: {point['qps']:,.0f} ({point['recall']:.4f})" for point in points if point["engine"] == name)
        print(f"  {name:<14} {curve}")
    print("  queries a second at equal recall: " + ", ".join(f"{wanted}" for wanted in RECALLS))
    for name in names:
        rates = [at_recall([point for point in points if point["engine"] == name], wanted) for wanted in RECALLS]
        print(f"  {name:<14} " + "  ".join("        -" if rate is None else f"{rate:9,.0f}" for rate in rates), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--make", type=int, metavar="ROWS")
    given = parser.parse_args()
    if given.make:
        make(given.directory / f"clustered-{given.make}", given.make)
    for place in sorted(path.parent for path in given.directory.glob("*/base.npy")):
        if given.only in (None, place.name):
            compare(place, given.quick)


if __name__ == "__main__":
    main()
