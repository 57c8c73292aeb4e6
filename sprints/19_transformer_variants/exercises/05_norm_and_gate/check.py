"""Checks of `rms_norm` and `swiglu`: beside PyTorch's functions, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def draw(*shape: int) -> Tensor:
    """Return numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(math.prod(shape))).mul(10).round().div(10)


def compare_norms(learner: Any, x: Tensor, epsilon: float) -> None:
    d_model = x.shape[-1]
    gain = 1 + draw(d_model) / 2
    right = functional.rms_norm(x, (d_model,), gain, epsilon)
    mean_square = x.square().mean(dim=-1, keepdim=True)
    mistakes = {
        "The mean is subtracted: this is layer norm. RMSNorm leaves the mean where it is.": functional.layer_norm(
            x, (d_model,), gain, None, epsilon
        ),
        "The tokens are divided by their length, the root of the *sum* of squares: take the mean.": (
            x / (x.square().sum(dim=-1, keepdim=True) + epsilon).sqrt() * gain
        ),
        "The epsilon is added to the root: it stands under it.": x / (mean_square.sqrt() + epsilon) * gain,
        "The root is missing: the tokens are divided by their mean square.": x / (mean_square + epsilon) * gain,
        "The mean is taken over the tokens: each token is normalised by itself.": (
            x / (x.square().mean(dim=1, keepdim=True) + epsilon).sqrt() * gain
        ),
        "The gain is added to 1: that is how Gemma stores it, but here the gain itself is given.": right
        / gain
        * (1 + gain),
        "The gain is missing.": right / gain,
    }
    expect(learner.rms_norm, {"x": x, "gain": gain, "epsilon": epsilon}, right, mistakes)


def compare_gates(learner: Any, x: Tensor, d_hidden: int) -> None:
    d_model = x.shape[-1]
    gate, expand, contract = (
        draw(d_model, d_hidden),
        draw(1, d_model, d_hidden + 1)[0, :, 1:],
        draw(d_hidden, d_model + 1),
    )
    contract = contract[:, 1:]
    opened, expanded, silu = x @ gate, x @ expand, functional.silu
    mistakes = {
        "The activation stands in the wrong half: it belongs to the gate.": (opened * silu(expanded)) @ contract,
        "The gate is a bare sigmoid. SiLU is z times the sigmoid of z.": (opened.sigmoid() * expanded) @ contract,
        "The gate has no activation.": (opened * expanded) @ contract,
        "Both halves go through the activation.": (silu(opened) * silu(expanded)) @ contract,
        "The activation comes after the product.": silu(opened * expanded) @ contract,
        "The halves are added: a gate multiplies.": (silu(opened) + expanded) @ contract,
        "The activation is GELU: this is GeGLU.": (functional.gelu(opened) * expanded) @ contract,
        "There is no gate: this is a plain network.": silu(expanded) @ contract,
    }
    given = {"x": x, "gate": gate, "expand": expand.contiguous(), "contract": contract.contiguous()}
    expect(learner.swiglu, given, (silu(opened) * expanded) @ contract, mistakes)


def check_one_token(learner: Any) -> None:
    """The token of note 9 has the root mean square 5."""
    compare_norms(learner, torch.tensor([[[2.0, 4, 4, 8]]]), 0.0)


def check_batch(learner: Any) -> None:
    """Two texts of three tokens."""
    compare_norms(learner, draw(2, 3, 4), 1e-6)


def check_large_epsilon(learner: Any) -> None:
    """An epsilon that matters, and a token of zeros."""
    x = draw(2, 3, 4)
    x[0, 1] = 0
    compare_norms(learner, x, 0.5)


def check_small_network(learner: Any) -> None:
    """One token of two features, two hidden features."""
    compare_gates(learner, torch.tensor([[[1.0, 2.0]]]), 2)


def check_wider_network(learner: Any) -> None:
    """Two texts of three tokens, eight hidden features."""
    compare_gates(learner, draw(2, 3, 4), 8)
