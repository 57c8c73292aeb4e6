"""What fits a model, by its family and size: names of its modules, learning rates, tokens of a block, rows at once.

The rates for the small model were found on its validation texts. Those for a real one are what its users begin with; a
rate made for the small model would wreck all that a real one has learnt. Theory: notes/08_a_real_model.md
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from shared.nn.pretrained import context_length

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

Group = Literal["attention", "linear", "ends"]
Trained = Literal["full", "lora", "head"]  # what a rate is searched for
SMALL = 20_000_000  # parameters up to which a model is small: it has learnt little that could be lost
REAL_BLOCK = 256  # tokens of a block of a real model, which could read thousands, for want of memory
LOGITS = 25_000_000  # numbers that an evaluation's logits have at most: 100 MB


class Modules(NamedTuple):
    """What a family calls the modules that LoRA can adapt."""

    attention: tuple[str, ...]  # the projections to queries, keys and values
    linear: tuple[str, ...]  # all linear layers of a block
    ends: tuple[str, str]  # the embedding and the head


FAMILIES = {
    "gpt2": Modules(("c_attn",), ("c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"), ("wte", "lm_head")),
    "llama": Modules(
        ("q_proj", "k_proj", "v_proj"),
        ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        ("embed_tokens", "lm_head"),
    ),
}
SMALL_RATES = {"full": 3e-3, "lora": 2e-2, "head": 1e-2, "embedding": 1e-2}
REAL_RATES = {"full": 3e-5, "lora": 1e-3, "head": 3e-4, "embedding": 3e-5}


def modules_of(model: "PreTrainedModel") -> Modules:
    """Return the names of a model's modules.

    Raises:
        ValueError: a family that is not known here.
    """
    family = model.config.model_type
    if family not in FAMILIES:
        raise ValueError(f"the model is of the family {family}; this sprint knows {' and '.join(FAMILIES)}: choose one")
    return FAMILIES[family]


def find_names(model: "PreTrainedModel", targets: Sequence[str] | None) -> tuple[str, ...]:
    """Return names of modules for groups ("attention", "linear", "ends") and names.

    Args:
        model: whose family decides.
        targets: groups or names (None: all linear layers; of a small model, which has words to learn, the ends, too).
    """
    if targets is None:
        targets = ("linear", "ends") if is_small(model) else ("linear",)
    names: list[str] = []
    for target in targets:
        names += modules_of(model)._asdict()[target] if target in Modules._fields else (target,)
    return tuple(dict.fromkeys(names))


def matrices_of(model: "PreTrainedModel") -> tuple[str, ...]:
    """Return the names of all matrices in the blocks, and of the embedding."""
    return (*modules_of(model).linear, modules_of(model).ends[0])


def in_a_block(name: str) -> bool:
    """Return whether a module stands in a block, which has a number."""
    return re.search(r"\.\d+\.", f".{name}") is not None


def short_name(name: str) -> str:
    """Return the name of a module without that of the whole model."""
    return re.sub(r"^(?:transformer|model)\.", "", name)


def is_small(model: "PreTrainedModel") -> bool:
    """Return whether a model is of the size of the shipped one."""
    return model.num_parameters() <= SMALL


def rate_of(model: "PreTrainedModel", method: str, given: float | None = None) -> float:
    """Return the learning rate that was given, or else the one that suits the model."""
    return given or (SMALL_RATES if is_small(model) else REAL_RATES)[method]


def rates_around(model: "PreTrainedModel", trained: Trained, given: Sequence[float] | None = None) -> tuple[float, ...]:
    """Return the rates that were given, or else three, a factor of three apart, around the one that suits the model."""
    middle = rate_of(model, trained)
    return tuple(given or (float(f"{middle / 3:.1g}"), middle, float(f"{middle * 3:.1g}")))


def block_length(model: "PreTrainedModel", given: int | None = None) -> int:
    """Return how many tokens a model reads at once: by default all it can, or if it is a real one, 256."""
    longest = context_length(model)
    return min(longest, given or (longest if is_small(model) else REAL_BLOCK))


def rows_at_once(model: "PreTrainedModel", tokens: int, most: int = 16) -> int:
    """Return how many rows of so many tokens are evaluated at once, so that their logits fit into memory."""
    return max(1, min(most, LOGITS // (tokens * model.config.vocab_size)))
