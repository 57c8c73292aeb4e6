"""Soft prompts and prefixes before a causal model of transformers: put there, trained, taken away.

The model is called as before, with the tokens of the text alone; two hooks add what stands before them. They say what
is easily forgotten: the mask grows, positions begin behind the prompt, labels and logits are those of the text.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from adaptation.prompt_hooks import add_prefix, add_prompt, by_name, cut_logits
from adaptation.soft_prompts import (
    EncodedPrefix,
    EncodedPrompt,
    KeyValueSizes,
    Prefix,
    SoftPrompt,
    SoftVectors,
    cut_into_layers,
    join_layers,
)  # fmt: skip

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel

Kind = Literal["prompt", "p_tuning", "prefix"]
NAME = "soft_prompt"  # of the module in the model


@dataclass(frozen=True)
class PromptConfig:
    """What stands before a text.

    Args:
        kind: "prompt" (vectors before the words), "p_tuning" (these made by a network), "prefix" (keys and values in
            every layer).
        length: places, P.
        hidden: features of the network that makes the vectors: P-tuning has one (default: d_model), a prefix may.
        words: tokens to start from, repeated until there are enough; without them the start is random.
        deviation: standard deviation of a random start (default: that of the model's word vectors).
        keep_positions: the text keeps positions 0, 1, ... behind a prefix; keys that are learnt have no position.

    Raises:
        ValueError: an unknown kind, an empty prompt, words for a network, positions that a prompt would share.
    """

    kind: Kind = "prompt"
    length: int = 10
    hidden: int | None = None
    words: tuple[int, ...] = ()
    deviation: float | None = None
    keep_positions: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("prompt", "p_tuning", "prefix"):
            raise ValueError(f"kinds are prompt, p_tuning and prefix; got {self.kind!r}")
        if self.length < 1:
            raise ValueError(f"a prompt must have at least one vector; got {self.length}: use the model without one")
        if self.hidden is not None and self.kind == "prompt":
            raise ValueError(f"a prompt has no network; got hidden={self.hidden}: take p_tuning, which has one")
        if self.words and (self.kind == "p_tuning" or self.hidden is not None):
            raise ValueError("what a network makes cannot start as words: take a prompt or a prefix without hidden")
        if self.keep_positions and self.kind != "prefix":
            raise ValueError("the vectors of a prompt take positions of their own: only a prefix can do without")


def inject(model: "PreTrainedModel", config: PromptConfig, generator: torch.Generator | None = None) -> nn.Module:
    """Freeze a model, put a prompt or prefix before every text that it reads, and return the model.

    Raises:
        ValueError: the model has one already, or the prompt leaves no room for a text.
    """
    room = model.config.max_position_embeddings
    if config.length >= room and not config.keep_positions:
        raise ValueError(f"a prompt must leave room in the {room} places of the model; got a length of {config.length}")
    refuse_if_there(model)
    return attach(model, make(model, config, generator).to(model.device), config)


def refuse_if_there(model: nn.Module) -> None:
    """Check that a model has no prompt.

    Raises:
        ValueError: it has one.
    """
    if hasattr(model, NAME):
        raise ValueError("the model has a prompt already: remove it first")


def prompt_of(model: nn.Module) -> SoftVectors:
    """Return what stands before a model's texts.

    Raises:
        ValueError: there is nothing.
    """
    if not hasattr(model, NAME):
        raise ValueError("the model has no prompt: inject one first")
    return cast(SoftVectors, model.get_submodule(NAME))


def attach(model: "PreTrainedModel", made: SoftVectors, config: PromptConfig) -> nn.Module:
    """Freeze a model, put a finished prompt or prefix before every text that it reads, and return the model."""
    frozen = [weight for weight in model.parameters() if weight.requires_grad]
    model.requires_grad_(False)
    model.add_module(NAME, made)
    room = None if config.keep_positions else model.config.max_position_embeddings

    def prepare(_: nn.Module, given: tuple, named: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        arguments, seen = by_name(given, named, config.length, room)
        if isinstance(made, Prefix | EncodedPrefix):
            numbers = made().to(model.dtype)
            add_prefix(arguments, seen, cut_into_layers(numbers, made.sizes), config.keep_positions)
        else:
            add_prompt(arguments, seen, made(), model.get_input_embeddings())
        return (), arguments

    def finish(_: nn.Module, __: tuple, named: dict[str, Any], output: Any) -> Any:
        return cut_logits(output, named, config.length)

    made.undo = [
        model.register_forward_pre_hook(prepare, with_kwargs=True).remove,
        model.register_forward_hook(finish, with_kwargs=True).remove,
        lambda: [weight.requires_grad_(True) for weight in frozen],
    ]
    return model


def remove(model: nn.Module) -> nn.Module:
    """Take the prompt or prefix away and return the model; what was trained before there was one is trained again.

    Raises:
        ValueError: there is none.
    """
    for undo in prompt_of(model).undo:
        undo()
    delattr(model, NAME)
    return model


def parameters_of(config: PromptConfig, d_model: int, sizes: KeyValueSizes) -> int:
    """Return how many numbers are trained: P d, 2 L P d, and those of a network."""
    hidden = d_model if config.hidden is None else config.hidden
    if config.kind == "p_tuning":
        return config.length * d_model + hidden * (2 * d_model + hidden + 2) + d_model
    if config.kind == "prompt":
        return config.length * d_model
    if config.hidden is None:
        return config.length * sizes.numbers
    width = sizes.heads * sizes.head_dim
    return config.length * width + hidden * (width + 1) + sizes.numbers * (hidden + 1)


def sizes_of(model: "PreTrainedModel") -> KeyValueSizes:
    """Return what a model keeps of a token: of GPT-2 all heads, of Llama the key-value heads."""
    config, fields = model.config, model.config.to_dict()
    heads = fields.get("num_key_value_heads") or config.num_attention_heads  # GPT-2 has no such field
    head_dim = fields.get("head_dim") or config.hidden_size // config.num_attention_heads
    return KeyValueSizes(config.num_hidden_layers, heads, head_dim)


def make(model: "PreTrainedModel", config: PromptConfig, generator: torch.Generator | None = None) -> SoftVectors:
    """Return a prompt or prefix for a model, which stays as it is."""
    table = model.get_input_embeddings().get_parameter("weight").detach().float()
    d_model, sizes = table.shape[1], sizes_of(model)
    deviation = table.std().item() if config.deviation is None else config.deviation
    if config.words:
        words = torch.tensor([config.words[place % len(config.words)] for place in range(config.length)])
        if config.kind == "prompt":
            return SoftPrompt(table[words.to(table.device)])
        return Prefix(read_words(model, words.to(table.device)), sizes)
    if config.kind == "prefix" and config.hidden is None:
        return Prefix(torch.empty(config.length, sizes.numbers).normal_(std=deviation, generator=generator), sizes)
    width = sizes.heads * sizes.head_dim if config.kind == "prefix" else d_model
    start = torch.empty(config.length, width).normal_(std=deviation, generator=generator)
    if config.kind == "prompt":
        return SoftPrompt(start)
    if config.kind == "p_tuning":
        return EncodedPrompt(start, config.hidden or d_model, generator)
    return EncodedPrefix(start, config.hidden or width, sizes, generator)


@torch.no_grad()
def read_words(model: "PreTrainedModel", words: Int[Tensor, " words"]) -> Float[Tensor, "words numbers"]:
    """Return the keys and values that a model makes of words, a row a word: as a prefix they do what the words do."""
    cache = model(input_ids=words[None], use_cache=True).cache
    return join_layers([(layer.keys[0], layer.values[0]) for layer in cache.layers]).float()
