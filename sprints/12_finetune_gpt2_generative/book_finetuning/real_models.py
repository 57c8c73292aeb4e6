"""Models of both families, GPT-2 and Llama: loaded, scored, sampled; and what suits a model of its size.

Theory: notes/09_a_real_model.md
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from shared.generation.decoding import generate
from shared.lab.files import replacing_folder
from shared.nn.gpt import GPT
from shared.nn.llama import Llama
from shared.nn.model_folders import seal
from shared.nn.pretrained import Logits, context_length, load_causal_model
from shared.text.batches import TextDataset
from shared.training.losses import evaluate_loss

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SMALL = 20_000_000  # parameters up to which a model is small: it has learnt little that could be lost
REAL_BLOCK = 256  # tokens of a block of a real model, which could read thousands, for want of memory
MOST_LOGITS = 25_000_000  # numbers that an evaluation's logits have at most: 100 MB
HIGHEST = 1e-3  # a rate of AdamW above which a real model loses all that it has learnt


class Rates(NamedTuple):
    """Peak learning rates of AdamW: to go on from pre-training with, and to begin from random weights with."""

    tuned: float
    scratch: float


# Those of the small model were found on its book. Those of a real one are where its users begin a search, and what
# Brown et al. 2020 (table 2.1) trained a model of 125 million parameters with.
SMALL_RATES, REAL_RATES = Rates(3e-3, 3e-3), Rates(3e-5, 6e-4)


def load_model(name: str, dropout: float = 0.0) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Return a model to tune, with this dropout, and its tokenizer.

    Raises:
        ValueError: it cannot be loaded, or is of another family.
    """
    model, tokenizer = load_causal_model(name)
    if model.config.model_type not in ("gpt2", "llama"):
        raise ValueError(f"a model must be a GPT-2 or a Llama, {name} is a {model.config.model_type}: name another")
    return prepared(model, dropout), tokenizer


def fresh_model(like: "PreTrainedModel", dropout: float = 0.0) -> "PreTrainedModel":
    """Return a model of the same shape with random weights, drawn from PyTorch's global generator.

    No token is declared to be padding. transformers would start its vector at zero, where the slope of an RMSNorm is
    1 / sqrt(eps), some hundreds; where padding is also the end token, as in SmolLM2, texts begin with it, and the
    slopes of sixty norms make a gradient that no float32 holds.
    """
    config = copy.deepcopy(like.config)
    config.pad_token_id = None
    return prepared(type(like)(config), dropout)


def prepared(model: "PreTrainedModel", dropout: float) -> "PreTrainedModel":
    """Return the model with this dropout, and with plain attention."""
    model.set_attn_implementation("eager")  # in bfloat16 on a CPU the fused kernel is slow in its backward pass
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout
    return model


def is_small(model: "PreTrainedModel") -> bool:
    """Return whether a model is of the size of the shipped one."""
    return model.num_parameters() <= SMALL


def rates_of(model: "PreTrainedModel", tuned: float | None = None, scratch: float | None = None) -> Rates:
    """Return the rates that were given, or else those that suit a model of this size.

    Raises:
        ValueError: a rate that would wreck a real model.
    """
    usual = SMALL_RATES if is_small(model) else REAL_RATES
    if tuned is not None and tuned > HIGHEST and not is_small(model):
        raise ValueError(
            f"--learning-rate {tuned:g} would destroy what a model of {model.num_parameters() / 1e6:,.0f} million "
            f"parameters has learnt: at most {HIGHEST:g}; {usual.tuned:g} is where to begin"
        )
    return Rates(tuned or usual.tuned, scratch or usual.scratch)


def block_length(model: "PreTrainedModel", given: int | None = None) -> int:
    """Return how many tokens a model reads at once: by default all it can, or if it is a real one, 256."""
    longest = context_length(model)
    return min(longest, given or (longest if is_small(model) else REAL_BLOCK))


def score(model: "PreTrainedModel", documents: Sequence[Sequence[int]], block: int) -> float:
    """Return the loss in nats per token, over blocks side by side; as many at once as 100 MB of logits hold."""
    rows = max(1, min(16, MOST_LOGITS // (block * model.config.vocab_size)))
    return evaluate_loss(Logits(model), TextDataset(documents, block).batches(rows))[0]


def sample(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompt: list[int],
    new_tokens: int,
    temperature: float,
    seed: int,
) -> str:
    """Return what a model writes after a prompt, decoded by our engine with its cache."""
    kind = GPT if model.config.model_type == "gpt2" else Llama
    ours = kind.from_transformers(model).to(model.device).eval()  # ty: ignore[invalid-argument-type]
    (ids,) = generate(
        ours,
        [prompt],
        max_new_tokens=new_tokens,
        end_token=tokenizer.eos_token_id,
        temperature=temperature,
        generator=torch.Generator(model.device).manual_seed(seed),
    )
    return str(tokenizer.decode(ids))


def save_model(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Write a model and its tokenizer as transformers does, whole or not at all."""
    with replacing_folder(folder) as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        seal(temporary)
