"""A world in which attention has to look at the right thing: sort the digits of a row, upwards or downwards.

A row is a sign, digits, an equals sign, and the digits in order:  > 4 0 7 4 = 0 4 4 7. The sign `>` asks for the
smallest first, `<` for the largest first, `?` says nothing. The task is that of Petrov, Torr & Bibi (2024).
"""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.nn.gpt import GPT, GPTConfig
from shared.nn.pretrained import Logits
from shared.training.loop import train_steps
from shared.training.losses import Batch, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel

DIGITS = 10
EQUALS, UP, DOWN, BLANK = range(DIGITS, DIGITS + 4)
SIGNS = {EQUALS: "=", UP: ">", DOWN: "<", BLANK: "?"}
Order = Literal["up", "down", "both"]


def sorting_rows(
    count: int, length: int, order: Order, sign: int | None, generator: torch.Generator
) -> Int[Tensor, "count tokens"]:
    """Return rows: sign, digits, equals sign, sorted digits.

    Args:
        count: rows.
        length: digits of a row.
        order: in which they are sorted; "both" draws it for each row.
        sign: at the beginning (None: the one that says the order).
        generator: draws the digits, and orders.
    """
    digits = torch.randint(DIGITS, (count, length), generator=generator)
    down = torch.rand(count, generator=generator) < {"up": 0.0, "both": 0.5, "down": 1.0}[order]
    ascending = digits.sort(dim=1).values
    answers = torch.where(down[:, None], ascending.flip(1), ascending)
    first = torch.where(down, DOWN, UP) if sign is None else torch.full((count,), sign)
    return torch.cat([first[:, None], digits, torch.full((count, 1), EQUALS), answers], dim=1)


def scored(rows: Int[Tensor, "count tokens"]) -> Batch:
    """Return rows and a mask that is True on their answers alone."""
    length = rows.shape[1] // 2 - 1
    return rows, (torch.arange(rows.shape[1]) > length + 1).expand(len(rows), -1)


def show_row(row: Int[Tensor, " tokens"]) -> str:
    """Return a row as one reads it."""
    return " ".join(SIGNS.get(token, str(token)) for token in row.tolist())


def make_sorter(length: int, d_model: int, heads: int, generator: torch.Generator) -> "PreTrainedModel":
    """Return an untrained GPT-2 of one layer that can read rows of so many digits."""
    config = GPTConfig(
        vocab_size=DIGITS + 4, context=2 * length + 2, layers=1, heads=heads, d_model=d_model, dropout=0.0,
        tie_weights=False,
    )  # fmt: skip
    return GPT(config, generator).to_transformers()


def learn_to_sort(
    model: "PreTrainedModel",
    length: int,
    order: Order,
    sign: int | None,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
) -> Iterator[tuple[int, float]]:
    """Train what is trainable on fresh rows; yield as `train_steps` does."""
    batches = (scored(sorting_rows(batch_size, length, order, sign, generator)) for _ in itertools.repeat(None))
    return train_steps(
        Logits(model),
        batches,
        loss_function=language_model_loss,
        optimizers=make_optimizers(model, learning_rate=learning_rate),
        steps=steps,
        schedule=lambda step: warmup_linear(step, steps=steps, warmup=max(1, steps // 20)),
    )


@torch.no_grad()
def answers_right(model: "PreTrainedModel", rows: Int[Tensor, "count tokens"]) -> tuple[float, float]:
    """Return the share of rows answered without a mistake, and the share of digits that are right behind right ones.

    Greedy decoding is not needed: it writes the right answer exactly if every next digit is the most probable one.
    """
    model.eval()
    hit = Logits(model)(rows[:, :-1]).argmax(dim=-1) == rows[:, 1:]
    answers = hit[:, rows.shape[1] // 2 :]
    return answers.all(dim=1).double().mean().item(), answers.double().mean().item()


@torch.no_grad()
def attention_over_content(
    model: "PreTrainedModel", rows: Int[Tensor, "count tokens"], prefix: int
) -> Float[Tensor, "count heads queries keys"]:
    """Return how each token that answers shares its attention out among the tokens, whatever a prefix takes of it."""
    model.eval()
    model.set_attn_implementation("eager")  # the fused kernel makes no weights
    (weights,) = model(input_ids=rows[:, :-1], output_attentions=True, use_cache=False).attentions
    over_tokens = weights[:, :, rows.shape[1] // 2 :, prefix:].double()
    return over_tokens / over_tokens.sum(dim=-1, keepdim=True)
