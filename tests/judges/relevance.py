"""Judges an evaluation by trec_eval's own code: every measure of every query, from the judgements and the rankings alone.

    python relevance.py QRELS REPORT RUN [RUN..]

QRELS are TREC's four columns, REPORT is the document of `search evaluate --json`, and each RUN is one of its `--run-files`.
"""

import json
import pathlib
import sys

import pytrec_eval

CLOSE = 1e-5  # trec_eval computes with 32 bits here and there


def qrels(path):
    judged = {}
    for query, _, document, grade in (line.split() for line in path.read_text().splitlines()):
        judged.setdefault(query, {})[document] = int(grade)
    return judged


def ranking(path):
    """By place: trec_eval gives equal scores an order of its own."""
    ranked = {}
    for query, _, document, place, _, _ in (line.split() for line in path.read_text().splitlines()):
        ranked.setdefault(query, {})[document] = -float(place)
    return ranked


def of_the_first_ten(ranked):
    best = sorted(ranked.items(), key=lambda item: -item[1])[:10]
    return dict(best)


def judge(judged, run):
    evaluator = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut_10", "recall_100"})
    first = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"})
    measured, reciprocal = evaluator.evaluate(run), first.evaluate({query: of_the_first_ten(ranked) for query, ranked in run.items()})
    return {query: (measured[query]["ndcg_cut_10"], reciprocal[query]["recip_rank"], measured[query]["recall_100"]) for query in measured}


def main():
    judged, report = qrels(pathlib.Path(sys.argv[1])), json.loads(pathlib.Path(sys.argv[2]).read_text())
    compared, wrong = 0, []
    for path in map(pathlib.Path, sys.argv[3:]):
        found = judge(judged, ranking(path))
        for query in report["per_query"]:
            run = next(run for run in query["runs"] if path.stem in (run["mode"], f"{run['mode']}-{run['weight']:.2f}"))
            ours = run["ndcg_at_10"], run["mrr_at_10"], run["recall_at_100"]
            # What is found by nothing is in no ranking.
            theirs = found.get(query["query"], (0, 0, 0))
            compared += 1
            if any(abs(a - b) > CLOSE for a, b in zip(ours, theirs)):
                wrong.append(f"{path.stem} {query['query']}: ours {ours}, theirs {theirs}")
    print("\n".join(wrong[:20]))
    print(f"{compared} results compared, {len(wrong)} differ")
    sys.exit(1 if wrong or not compared else 0)


if __name__ == "__main__":
    main()
