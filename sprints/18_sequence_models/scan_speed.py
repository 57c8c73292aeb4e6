"""How fast is our Mamba beside transformers' slow path, and Mamba-2, whose chunks are matrix products?

    uv run sprints/18_sequence_models/scan_speed.py
    uv run sprints/18_sequence_models/scan_speed.py --tokens 2048 --rounds 5

Without its kernels for graphics cards transformers steps through the text too. All get the same weights, in turns.
Theory: notes/09_mamba2.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from tqdm import trange

from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.mamba import mamba_from_transformers
from shared.nn.mamba2 import mamba2_from_transformers
from shared.nn.sequence_model import SequenceModel


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: PositiveInt = 512  # of a text
    batch: PositiveInt = 1  # texts
    d_model: PositiveInt = 64  # features of a token
    layers: PositiveInt = 1  # of each model
    rounds: PositiveInt = 3  # timings of each kind, in turns, behind one that is not counted


@dataclass(frozen=True)
class Results:
    """Medians over rounds of what a model takes, and of transformers' time divided by it in the same round."""

    seconds: dict[str, dict[str, float]]
    times_as_fast: dict[str, dict[str, float]]
    largest_difference: float


def logits_of_theirs(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    return model(tokens, use_cache=False).logits


def logits_of_ours(model: SequenceModel, tokens: torch.Tensor) -> torch.Tensor:
    return model(tokens)[0]


def build(config: Config) -> dict[str, dict[str, Callable[[torch.Tensor], torch.Tensor]]]:
    """Return the models by kind and by how they read, each as a function from tokens to logits."""
    from transformers import Mamba2Config, Mamba2ForCausalLM, MambaConfig, MambaForCausalLM

    sizes: dict[str, Any] = {
        "vocab_size": 256, "hidden_size": config.d_model, "num_hidden_layers": config.layers, "state_size": 16
    }  # fmt: skip
    heads: dict[str, Any] = {"num_heads": config.d_model // 16, "head_dim": 32, "n_groups": 1, "chunk_size": 64}
    models: dict[str, dict[str, Callable[[torch.Tensor], torch.Tensor]]] = {}
    for kind, theirs, convert in (
        ("Mamba", MambaForCausalLM(MambaConfig(**sizes)), mamba_from_transformers),
        ("Mamba-2", Mamba2ForCausalLM(Mamba2Config(**heads, **sizes)), mamba2_from_transformers),
    ):
        theirs.train()  # without dropout it is the same, and no cache is kept
        models[kind] = {"transformers": partial(logits_of_theirs, theirs)}
        for way in ("tokens", "scan", "chunks"):
            models[kind][way] = partial(logits_of_ours, convert(theirs, way))
    return models


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    tokens = torch.randint(256, (config.batch, config.tokens), generator=generator)
    models, difference = build(config), 0.0
    times: dict[str, dict[str, list[float]]] = {}
    for kind, ways in models.items():
        for way, read in ways.items():
            with torch.no_grad():
                difference = max(difference, (read(tokens) - ways["transformers"](tokens)).abs().max().item())
            times |= {f"{kind}, {what}": times.get(f"{kind}, {what}", {}) | {way: []} for what in ("reads", "learns")}
    for turn in trange(config.rounds + 1):
        for kind, ways in models.items():
            for way, read in ways.items():
                begin = time.perf_counter()
                with torch.no_grad():
                    read(tokens)
                middle = time.perf_counter()
                read(tokens).sum().backward()
                if turn:
                    times[f"{kind}, reads"][way].append(middle - begin)
                    times[f"{kind}, learns"][way].append(time.perf_counter() - middle)
    seconds, fast = {}, {}
    for what, ways in times.items():
        seconds[what] = {way: statistics.median(values) for way, values in ways.items()}
        fast[what] = {
            way: statistics.median(slow / own for slow, own in zip(ways["transformers"], values, strict=True))
            for way, values in ways.items()
        }
        print(f"{what:<16}", *(f"{way} {1000 * seconds[what][way]:.0f} ms ({fast[what][way]:.1f} x)" for way in ways))
    return Results(seconds, fast, difference)


if __name__ == "__main__":
    run(main, Config, tolerance={"seconds.*": TIMING, "times_as_fast.*": TIMING, "largest_difference": TIMING})
