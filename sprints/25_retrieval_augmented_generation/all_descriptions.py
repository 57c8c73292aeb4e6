"""How long does it take to index 63,440 descriptions on a laptop, to ask them, and how much memory does it need?

    SPRINTS_DATA=... uv run sprints/25_retrieval_augmented_generation/all_descriptions.py
    SPRINTS_DATA=... uv run sprints/25_retrieval_augmented_generation/all_descriptions.py --preset all

Descriptions of Debian's packages; queries are the lines that sum them up. The vectors stay in the run's folder, where
speed_and_recall.py finds them. Needs the group models. Theory: notes/08_not_looking_at_all.md
"""

import random
import resource
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from retrieval.bi_encoder import encode, minilm
from retrieval.bm25 import BM25
from retrieval.measured_index import Recall, ask_by_stage, by_precision, encode_all, recall_of
from retrieval.vectors import Flat, VectorRetriever
from shared.lab.compare import TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.files import replacing
from shared.lab.ranges import PositiveInt
from shared.lab.run import run, run_folder
from shared.text.debian import read_packages

PRESETS = {"all": {"documents": 63_440, "queries": 1000, "compared": 5000}}
DEPTH = 100  # documents that each ranking gives to the fusion


@dataclass(frozen=True)
class Config(ScriptConfig):
    documents: PositiveInt = 1000  # descriptions that are indexed, drawn at random
    queries: PositiveInt = 200  # summaries that are asked
    compared: PositiveInt = 300  # descriptions that are encoded in float32 too
    precision: Literal["float32", "bfloat16"] = "bfloat16"  # of the model's products
    threads: PositiveInt = 2  # of PyTorch for encoding the descriptions
    query_threads: PositiveInt = 1  # of PyTorch for a query: NumPy's threads, which compare, want the same cores


@dataclass(frozen=True)
class Results:
    documents: int
    queries: int
    encoding_seconds: float
    words_seconds: float
    megabytes: dict[str, float]
    milliseconds: dict[str, list[float]]  # of a query, by stage: median, and what 95 of 100 stay below
    recalls: dict[str, Recall]
    compared: dict[str, Recall]  # of the smaller set, by precision
    same_ten: float  # share of the nearest ten that both precisions have


def drawn(config: Config) -> tuple[list[str], list[str]]:
    """Return descriptions, and queries: query 0 asks for description 0, and so on."""
    packages = [package for package in read_packages() if package.long]
    packages = random.Random(config.seed).sample(packages, min(config.documents, len(packages)))
    return [package.long for package in packages], [package.short for package in packages[: config.queries]]


def memory(vectors: np.ndarray, lexical: BM25, model: torch.nn.Module) -> dict[str, float]:
    """Return what parts of the index take in memory, in megabytes."""
    lists = (lexical.documents, lexical.counts, lexical.weights)
    return {
        "vectors": vectors.nbytes / 1e6,
        "lists of words": sum(one.nbytes for one in lists) / 1e6,
        "model": sum(one.numel() * one.element_size() for one in model.parameters()) / 1e6,
        "largest the process was": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def main(config: Config) -> Results:
    torch.set_num_threads(config.threads)
    texts, questions = drawn(config)
    model, tokens = minilm()
    start = time.perf_counter()
    vectors = encode_all(model, tokens, texts, config.precision)
    encoding = time.perf_counter() - start
    start = time.perf_counter()
    lexical = BM25(texts)
    counting = time.perf_counter() - start
    for name, array in (("vectors", vectors), ("queries", encode_all(model, tokens, questions, config.precision))):
        with replacing(run_folder(config, __file__) / f"{name}.npy") as temporary:
            np.save(temporary, array)
    dense = VectorRetriever(lambda asked: encode(model, tokens, asked).numpy(), Flat(vectors))
    torch.set_num_threads(config.query_threads)
    found, times = ask_by_stage(lexical, dense, questions, DEPTH)
    megabytes = memory(vectors, lexical, model)
    recalls = {name: recall_of(numbers, range(len(questions)), texts, config.seed) for name, numbers in found.items()}
    torch.set_num_threads(config.threads)
    few = texts[: config.compared]
    compared, same_ten = by_precision(model, tokens, few, questions[: len(few)], config.precision, config.seed)
    stages = {name: np.percentile(values, [50, 95]).tolist() for name, values in times.items()}
    print(
        f"{len(texts):,} documents in {config.precision}: {encoding / 60:.1f} min, {len(texts) / encoding:.0f} a second"
    )
    print("; ".join(f"{name} {value:,.0f} MB" for name, value in megabytes.items()))
    for name, (median, most) in stages.items():
        print(f"  {name}: {median:.1f} ms (95 % below {most:.1f})", end="")
        print(f", recall@1 {recalls[name].at_1[0]:.3f}, @10 {recalls[name].at_10[0]:.3f}" if name in recalls else "")
    shown = ", ".join(f"{name} {recall.at_1[0]:.3f}" for name, recall in compared.items())
    print(f"recall@1 of {len(few):,} documents: {shown}; {same_ten:.1%} of the nearest ten are the same")
    return Results(
        len(texts), len(questions), encoding, counting, megabytes, stages, recalls, compared, same_ten
    )  # fmt: skip


if __name__ == "__main__":
    tolerance = {"*": Tolerance(relative=0.02, absolute=0.01), "megabytes.largest*": TIMING, "milliseconds.*": TIMING}
    run(main, Config, presets=PRESETS, tolerance=tolerance)
