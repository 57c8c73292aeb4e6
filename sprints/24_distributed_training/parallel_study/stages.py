"""The memory of a training that processes share in stages (ZeRO, Rajbhandari et al. 2020), counted from sizes."""

import math
from dataclasses import dataclass
from typing import Literal

Stage = Literal[0, 1, 2, 3]
STAGES: tuple[Stage, ...] = (0, 1, 2, 3)
SHARED = {0: "nothing", 1: "states", 2: "states and gradients", 3: "states, gradients and weights"}


@dataclass(frozen=True)
class Bytes:
    """Bytes for each parameter: its weight, its gradient, and what the optimizer keeps."""

    weight: float
    gradient: float
    states: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.weight + self.gradient + self.states


# AdamW has two averages. With mixed precision it keeps a copy of the weight in float32 besides.
PRECISIONS = {"float32": Bytes(4, 4, 8), "mixed": Bytes(2, 2, 12)}


def shared(whole: Bytes, stage: Stage, processes: float) -> Bytes:
    """Return what a process keeps for each parameter of the model at a stage."""
    return Bytes(
        whole.weight / (processes if stage == 3 else 1),
        whole.gradient / (processes if stage >= 2 else 1),
        whole.states / (processes if stage >= 1 else 1),
    )


def fewest_processes(parameters: int, whole: Bytes, stage: Stage, memory: float) -> int | None:
    """Return how many processes are needed until each one's share fits into its memory, or None if it never does."""
    common = shared(whole, stage, math.inf).total * parameters  # what stays, however many share the rest
    if common >= memory:
        return None
    rest = whole.total * parameters - common
    return max(1, -int(-rest // (memory - common)))


def gpt2_parameters(layers: int, d_model: int, vocab_size: int = 50_257, context: int = 1024) -> int:
    """Return the number of parameters of a GPT-2."""
    blocks = layers * (12 * d_model * d_model + 13 * d_model)
    return blocks + (vocab_size + context) * d_model + 2 * d_model


def llama_parameters(layers: int, d_model: int, d_hidden: int, key_width: int, vocab_size: int = 32_000) -> int:
    """Return the number of parameters of a Llama: no biases, three matrices in a feed-forward network, untied output.

    Args:
        layers: blocks.
        d_model: features of a token.
        d_hidden: hidden features.
        key_width: features of all keys of a token; fewer than d_model if queries share keys.
        vocab_size: tokens of the vocabulary.
    """
    attention = 2 * d_model * d_model + 2 * d_model * key_width
    return layers * (attention + 3 * d_model * d_hidden + 2 * d_model) + 2 * vocab_size * d_model + d_model


MODELS = {
    "GPT-2 small": gpt2_parameters(12, 768),
    "GPT-2 XL": gpt2_parameters(48, 1600),
    "Llama 2 7B": llama_parameters(32, 4096, 11_008, 4096),
    "Llama 2 13B": llama_parameters(40, 5120, 13_824, 5120),
    "Llama 2 70B": llama_parameters(80, 8192, 28_672, 1024),
}
