"""Makes the vectors of texts with the programs that publishers of models use.

    python vectors.py onnx MODEL.onnx TOKENIZER.json TOKENS_MAX     # onnxruntime, tokenizers
    python vectors.py network FOLDER TOKENS_MAX                     # transformers, tensorflow

Texts come as lines of JSON on standard input, vectors go out the same way: tokens, network, mean, unit length, as
sentence-transformers does it.
"""

import json
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")

import numpy
from tokenizers import Tokenizer


def tokens_of(path, most):
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    return lambda text: numpy.array([tokenizer.encode(text).ids])


def onnx(model, tokenizer, most):
    import onnxruntime

    session = onnxruntime.InferenceSession(model)
    tokens = tokens_of(tokenizer, int(most))
    names = {entry.name for entry in session.get_inputs()}

    def rows(text):
        ids = tokens(text)
        given = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
        return session.run(None, {name: given[name] for name in names})[0][0]

    return rows


def network(folder, most):
    import transformers

    with open(f"{folder}/config.json") as file:
        kind = json.load(file)["model_type"]
    family = {"bert": transformers.TFBertModel, "mpnet": transformers.TFMPNetModel}[kind]
    model = family.from_pretrained(folder)
    tokens = tokens_of(f"{folder}/tokenizer.json", int(most))
    return lambda text: model(tokens(text)).last_hidden_state.numpy()[0]


rows = {"onnx": onnx, "network": network}[sys.argv[1]](*sys.argv[2:])
for line in sys.stdin:
    mean = rows(json.loads(line)).mean(axis=0)
    print(json.dumps((mean / numpy.linalg.norm(mean)).tolist()))
