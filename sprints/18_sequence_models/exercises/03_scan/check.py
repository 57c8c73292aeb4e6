"""Checks of `scan`: beside one step after the other, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from shared.lab.checking import expect
from shared.nn.linear_recurrence import recur


def rounds(
    decay: Tensor, inputs: Tensor, *, swapped: bool = False, joins: bool = True, first: bool = False,
    doubles: bool = True, early: bool = False,
) -> Tensor:  # fmt: skip
    """Return what a scan makes with a mistake in it."""
    distance = 1
    while (2 * distance if early else distance) < len(inputs):
        products = torch.cat([decay[:distance], decay[distance:] * decay[:-distance]])
        by = decay[:-distance] if swapped else (products if first else decay)[distance:]
        inputs = torch.cat([inputs[:distance], inputs[distance:] + by * inputs[:-distance]])
        decay = products if joins else decay
        distance = 2 * distance if doubles else distance + 1
    return inputs


def mistakes(decay: Tensor, inputs: Tensor) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    return {
        "The earlier input is multiplied by the earlier decay; the later piece comes behind it: b x + y.": rounds(
            decay, inputs, swapped=True
        ),
        "The decays are not joined: a piece of two tokens has the product of two decays.": rounds(
            decay, inputs, joins=False
        ),
        "The inputs are joined with the new decays; both new tensors are made of the old ones.": rounds(
            decay, inputs, first=True
        ),
        "The distance grows by 1; a piece is twice as long after each round.": rounds(decay, inputs, doubles=False),
        "It stops a round too early: what stands far in front is missing.": rounds(decay, inputs, early=True),
        "The decay multiplies the input as well; it is for the state alone.": recur(
            decay[None], (decay * inputs)[None]
        )[0][0],
        "The decays are ignored.": inputs.cumsum(dim=0),
    }


def compare(learner: Any, decay: Tensor, inputs: Tensor) -> None:
    expected = recur(decay[None], inputs[None])[0][0]
    expect(learner.scan, {"decay": decay, "inputs": inputs}, expected, mistakes(decay, inputs))


def check_four_tokens(learner: Any) -> None:
    """The four tokens of note 5."""
    compare(learner, torch.full((4, 1), 0.5), torch.tensor([[8.0], [4], [2], [6]]))


def check_any_length(learner: Any) -> None:
    """Seven tokens, each with a decay of its own, for two features."""
    decay = torch.tensor([[0.5, 1], [2, 0.5], [-1, 0], [0.5, 2], [1, -1], [0.5, 0.5], [-0.5, 1]])
    compare(learner, decay, torch.arange(14.0).reshape(7, 2).sub(5))


def check_one_token(learner: Any) -> None:
    """A text of one token: nothing to join."""
    compare(learner, torch.tensor([[0.5, 3]]), torch.tensor([[2.0, 7]]))


def check_long_text(learner: Any) -> None:
    """Two hundred tokens with a decay of 0.25: its 200th power is below any number of float32."""
    compare(learner, torch.full((200, 1), 0.25), torch.ones(200, 1))


class Products(TorchDispatchMode):
    """Count products of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += any(word in str(func) for word in ("mul", "addcmul", "mm"))
        return func(*args, **(kwargs or {}))


def check_few_rounds(learner: Any) -> None:
    """With 64 tokens six rounds are enough: two products in each."""

    def products(decay: Tensor, inputs: Tensor) -> str:
        with Products() as products:
            learner.scan(decay, inputs)
        return "at most 18 products of tensors" if products.count <= 18 else f"{products.count} products of tensors"

    given = {"decay": torch.full((64, 1), 0.5), "inputs": torch.ones(64, 1)}
    step = "64 products of tensors"
    mistakes = {"It goes from token to token: join all pieces of a round at once.": step}
    expect(products, given, "at most 18 products of tensors", mistakes)
