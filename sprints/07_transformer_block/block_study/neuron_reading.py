"""What goes on in the hidden layers of feed-forward networks: their activations, and how selective they are.

A neuron has a number that counts through all layers: neuron n is number n % d_hidden of layer n // d_hidden.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from block_study.labelled_recipes import LABELS, LabelledRecipes, labelled_recipes
from shared.lab.provenance import note_read
from shared.nn.gpt import GPT
from shared.nn.pretrained import load_causal_model
from shared.text.tokenizers import Tokenizer

ABOUT = ("the token read", "the token to come")


def load(folder: Path) -> tuple[GPT, Tokenizer]:
    """Return a GPT-2 in the format of transformers, and its tokenizer.

    Raises:
        ValueError: the folder holds none, or not all of it.
    """
    model: Any = load_causal_model(str(note_read(folder)))[0]
    return GPT.from_transformers(model).eval(), Tokenizer.load(folder)


class Recording(NamedTuple):
    """Of each layer, what its feed-forward network reads and its hidden activations: (batch, tokens, features)."""

    inputs: list[Tensor]
    hidden: list[Tensor]


@torch.no_grad()
def record(model: GPT, tokens: Tensor) -> Recording:
    """Return what the feed-forward networks of a model read and hold while it reads tokens."""
    recording, hooks = Recording([], []), []
    for block in model.blocks:
        for part, kept in (("expand", recording.inputs), ("contract", recording.hidden)):
            layer = block.get_submodule(f"feed_forward.{part}")
            hooks.append(layer.register_forward_pre_hook(lambda _layer, given, kept=kept: kept.append(given[0])))
    try:
        model(tokens)
    finally:
        for hook in hooks:
            hook.remove()
    return recording


@dataclass(frozen=True)
class Half:
    """Recipes, the places in them at which a token is read and another one follows, and the labels of both.

    Args:
        recipes: tokens and labels.
        places: True at such a place, (recipes, tokens - 1).
        labels: of the tokens at these places, by what they are about.
    """

    recipes: LabelledRecipes
    places: Tensor
    labels: dict[str, Tensor]


def read_half(tokenizer: Tokenizer, start: int, count: int) -> Half:
    """Return `count` recipes of the validation stream from number `start` on."""
    recipes = labelled_recipes(tokenizer, "validation", start, count)
    now, then = recipes.labels[:, :-1], recipes.labels[:, 1:]
    places = (now >= 0) & (then >= 0)
    return Half(recipes, places, dict(zip(ABOUT, (now[places], then[places]), strict=True)))


@contextmanager
def without(model: GPT, neurons: list[int], instead: list[Tensor]) -> Generator[None]:
    """Hold neurons at constants while the context lasts.

    Args:
        model: whose neurons.
        neurons: their numbers.
        instead: for each layer a constant for each neuron, for example its mean.
    """
    hooks, d_hidden = [], len(instead[0])
    for layer, block in enumerate(model.blocks):
        numbers = [neuron % d_hidden for neuron in neurons if neuron // d_hidden == layer]

        def hold(_part, given: tuple[Tensor], numbers: list[int] = numbers, values: Tensor = instead[layer]):
            held = given[0].clone()
            held[..., numbers] = values[numbers]
            return (held,)

        hooks.append(block.get_submodule("feed_forward.contract").register_forward_pre_hook(hold))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def random_directions(model: GPT, layer: int, inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Return what neurons with random keys would hold: keys of the same length as the layer's, the same biases."""
    expand = model.blocks[layer].get_submodule("feed_forward.expand")
    weight, bias = expand.get_parameter("weight").detach(), expand.get_parameter("bias").detach()
    keys = torch.randn(weight.shape, generator=generator)
    keys *= weight.norm(dim=1, keepdim=True) / keys.norm(dim=1, keepdim=True)
    return functional.gelu(inputs @ keys.T + bias, approximate="tanh")


def selectivity(activations: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return how well each neuron's activation finds each class, (neurons, classes): 1 perfectly, 0 as by chance.

    This is the average precision p of the tokens in the order of the activation, as (p - share) / (1 - share), where
    `share` is the share of the class: drawn at random, a token belongs to it with that probability.

    Args:
        activations: (tokens, neurons).
        labels: the class of each token; a class without tokens gets 0.
    """
    count = len(labels)
    order = activations.T.argsort(dim=1, descending=True)  # (neurons, tokens)
    ranks = torch.empty_like(order).scatter_(1, order, torch.arange(1, count + 1).expand_as(order))
    scores = torch.zeros(len(order), classes)
    for index in range(classes):
        members = (labels == index).nonzero()[:, 0]
        if 0 < len(members) < count:
            # After the k-th member stands at rank r, k of the first r tokens are members.
            precision = torch.arange(1, len(members) + 1) / ranks[:, members].sort(dim=1).values
            share = len(members) / count
            scores[:, index] = (precision.mean(dim=1) - share) / (1 - share)
    return scores


def rank_neurons(hidden: list[Tensor], half: Half, about: str) -> Tensor:
    """Return the selectivity of all neurons for all labels, (neurons of all layers, labels).

    Args:
        hidden: of each layer, the activations at the places of the half, (places, neurons).
        half: says what stands there.
        about: whether the label is that of the token read or that of the token to come.
    """
    return torch.cat([selectivity(layer, half.labels[about], len(LABELS)) for layer in hidden])
