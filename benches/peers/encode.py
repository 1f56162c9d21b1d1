"""Milliseconds for a text of so many tokens with onnxruntime, on one thread: what is possible with the same int8 weights.

    python encode.py MODEL.onnx
"""

import sys
import time

import numpy
import onnxruntime

ROUNDS, WARM_UP, TOKENS = 200, 20, [16, 64, 128, 256]
WORD = 3413

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
for tokens in TOKENS:
    ids = numpy.full((1, tokens), WORD, dtype=numpy.int64)
    given = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
    times = []
    for _ in range(WARM_UP + ROUNDS):
        begun = time.perf_counter()
        session.run(None, given)
        times.append((time.perf_counter() - begun) * 1e3)
    times = sorted(times[WARM_UP:])
    print(f"{tokens:>4} tokens, onnxruntime, int8: p50 {times[len(times) // 2]:.1f} ms, p95 {times[len(times) * 95 // 100]:.1f} ms")
