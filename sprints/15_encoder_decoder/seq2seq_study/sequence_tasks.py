"""Reversal, copying and sorting of short sequences: data that training never sees, loss, and two ways to score.

Both rows of a pair are padded on the right: the source is the symbols and the end token, the target is the begin
token, the answer and the end token. In letters, for reversal: "abc." and ">cba.".
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from tqdm import tqdm

from shared.generation.beam_search import decode
from shared.nn.seq2seq import EncoderDecoder, Seq2SeqConfig
from shared.text.batches import Batch
from shared.training.loop import train_steps
from shared.training.losses import count_targets, token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

PAD, BEGIN, END, FIRST = 0, 1, 2, 3
LETTERS = "_>.abcdefghijklmnopqrstuvwxyz"


class Pair(NamedTuple):
    """Sources and their targets."""

    source: Batch
    target: Batch

    def change(self, function: Callable[[Tensor], Tensor]) -> "Pair":
        """Return the pair with a function applied to all tokens and masks."""
        source, target = (
            Batch(function(batch.tokens), None if batch.mask is None else function(batch.mask)) for batch in self
        )
        return Pair(source, target)

    def to(self, device: torch.device) -> "Pair":
        """Return the pair on a device."""
        return self.change(lambda part: part.to(device))


def write(row: Tensor) -> str:
    """Return a row of tokens as letters: _ is padding, > begins, . ends."""
    return "".join(LETTERS[token] for token in row.tolist())


def read(text: str, symbols: int = 26) -> Tensor:
    """Return a row of symbols for a word of letters.

    Raises:
        ValueError: no letters, or one that is no symbol.
    """
    known = LETTERS[FIRST : FIRST + symbols]
    unknown = sorted(set(text) - set(known))
    if not text or unknown:
        raise ValueError(
            f"a source must have letters from {known[0]} to {known[-1]}; got {text!r}: {unknown or 'none'}"
        )
    return torch.tensor([LETTERS.index(letter) for letter in text])


def reverse(rows: Tensor, lengths: Tensor) -> Tensor:
    """Return each row of symbols backwards, its padding still on the right."""
    places = lengths[:, None] - 1 - torch.arange(rows.shape[1], device=rows.device)
    return rows.gather(1, places.clamp(min=0)).masked_fill(places < 0, PAD)


def order(rows: Tensor, lengths: Tensor) -> Tensor:
    """Return each row of symbols sorted, its padding still on the right."""
    real = torch.arange(rows.shape[1], device=rows.device) < lengths[:, None]
    return rows.masked_fill(~real, rows.max() + 1).sort(dim=1).values.masked_fill(~real, PAD)


TASKS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "reversal": reverse,
    "copying": lambda rows, lengths: rows,  # noqa: ARG005 (every task takes the lengths)
    "sorting": order,
}


def make_pair(rows: Tensor, lengths: Tensor, task: str = "reversal") -> Pair:
    """Return rows of symbols, padded with 0, as sources, and what the task makes of them as targets."""

    def ended(rows: Tensor) -> Tensor:
        return pad(rows, (0, 1)).scatter(1, lengths[:, None], END)

    def real(rows: Tensor, more: int) -> Tensor:
        return torch.arange(rows.shape[1], device=rows.device) < lengths[:, None] + more

    source, target = ended(rows), pad(ended(TASKS[task](rows, lengths)), (1, 0), value=BEGIN)
    return Pair(Batch(source, real(source, 1)), Batch(target, real(target, 2)))


class Sequences:
    """Random sequences of symbols; those held out are distinct, and training never draws them.

    Args:
        symbols: distinct symbols.
        shortest, longest: lengths are drawn uniformly between them.
        held_out: sequences for each of validation and test.
        generator: draws everything.

    Raises:
        ValueError: sequences cannot be told apart by a number of 63 bits.
    """

    def __init__(self, symbols: int, shortest: int, longest: int, held_out: int, generator: torch.Generator) -> None:
        if (FIRST + symbols) ** longest >= 2**63:
            raise ValueError(
                f"{symbols} symbols at {longest} places are more than 2^63 sequences: take fewer of either"
            )
        self.symbols, self.shortest, self.longest, self.generator = symbols, shortest, longest, generator
        rows, lengths = self._draw(4 * held_out)
        new = sorted({key: place for place, key in enumerate(self.keys(rows).tolist())}.values())[: 2 * held_out]
        if len(new) < 2 * held_out:
            raise ValueError(f"there are too few different sequences to hold out 2 x {held_out}: take longer ones")
        self.validation = rows[new[:held_out]], lengths[new[:held_out]]
        self.test = rows[new[held_out:]], lengths[new[held_out:]]
        self._held_out = self.keys(rows[new])

    def keys(self, rows: Tensor) -> Tensor:
        """Return a number for each row, equal for equal rows alone."""
        return (rows * (FIRST + self.symbols) ** torch.arange(rows.shape[1])).sum(dim=1)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Return rows of symbols and their lengths, none of them held out."""
        rows, lengths = self._draw(count)
        while (taken := torch.isin(self.keys(rows), self._held_out)).any():
            rows[taken], lengths[taken] = self._draw(int(taken.sum()))
        return rows, lengths

    def _draw(self, count: int) -> tuple[Tensor, Tensor]:
        lengths = torch.randint(self.shortest, self.longest + 1, (count,), generator=self.generator)
        rows = FIRST + torch.randint(self.symbols, (count, self.longest), generator=self.generator)
        return rows * (torch.arange(self.longest) < lengths[:, None]), lengths

    def batches(self, batch_size: int, task: str, device: torch.device) -> Iterator[Pair]:
        """Yield pairs without end."""
        while True:
            yield make_pair(*self.draw(batch_size), task).to(device)


def logits_of(model: nn.Module, pair: Pair) -> Tensor:
    """Return the logits (rows, answers, vocab) under teacher forcing: each answer is asked for after the true ones."""
    return model(pair.source.tokens, pair.target.tokens[:, :-1], pair.source.mask)


def maximum_likelihood(model: nn.Module, pair: Pair) -> tuple[Tensor, int]:
    """Return the summed loss of a batch and the number of its answers, as `train_steps` wants them."""
    losses = token_losses(logits_of(model, pair), *pair.target)
    return losses.sum(), count_targets(*pair.target)


def small_size(vocab: int, *, d_model: int = 64, layers: int = 2, context: int = 32) -> Seq2SeqConfig:
    """Return the size of this sprint's models: pre-norm, sinusoidal positions, four heads."""
    return Seq2SeqConfig(vocab, vocab, context, context, layers, layers, 4, d_model)


def small_model(vocab: int, generator: torch.Generator, *, d_model: int = 64, layers: int = 2) -> EncoderDecoder:
    """Return a model of this sprint's size."""
    return EncoderDecoder(small_size(vocab, d_model=d_model, layers=layers), generator)


def train(
    model: nn.Module, batches: Iterator[Pair], steps: int, learning_rate: float = 3e-3, name: str | None = None
) -> list[float]:
    """Train by maximum likelihood with a linear warm-up and decay; return the loss of each step."""
    progress = train_steps(
        model,
        batches,
        loss_function=maximum_likelihood,
        optimizers=make_optimizers(model, learning_rate=learning_rate),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=max(1, steps // 20)),
    )
    losses = [loss for _, loss in tqdm(progress, total=steps, desc=name, disable=name is None)]
    model.eval()
    return losses


@torch.no_grad()
def teacher_forced(model: nn.Module, pair: Pair) -> Tensor:
    """Return which rows (rows) are right at every place when each is asked for after the true answers."""
    right = logits_of(model, pair).argmax(dim=-1) == pair.target.tokens[:, 1:]
    return right.logical_or(~pair.target.mask[:, 1:]).all(dim=1) if pair.target.mask is not None else right.all(dim=1)


def answers(model: EncoderDecoder, pair: Pair, **options: Any) -> Tensor:
    """Return what the model says on its own, as wide as the targets: longer answers are wrong and are cut."""
    said = decode(model, *pair.source, max_new_tokens=pair.target.tokens.shape[1] - 1, **options)
    return pad(said.tokens, (0, pair.target.tokens.shape[1] - said.tokens.shape[1]))


def free_running(model: EncoderDecoder, pair: Pair, **options: Any) -> Tensor:
    """Return which rows (rows) are right when each answer is asked for after the model's own."""
    return (answers(model, pair, **options) == pair.target.tokens).all(dim=1)
