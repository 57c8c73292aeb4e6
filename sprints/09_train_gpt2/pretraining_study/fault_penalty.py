"""A penalty for the faults in what a model writes itself, beside the loss of the recipes that it learns from.

Theory: notes/12_the_shipped_model.md
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pretraining_study.wrong_tokens import first_wrong_token
from shared.generation.decoding import generate
from shared.nn.gpt import GPT
from shared.text.batches import Batch, DocumentBatches, pad_rows
from shared.text.corpora import CookbookCorpus
from shared.training.losses import language_model_loss, token_losses


class Lesson(NamedTuple):
    """Recipes to learn from, and texts of the model's own, each with the place of its first wrong token."""

    recipes: Batch
    faulty: Batch | None
    places: Tensor
    written: int


class Lessons(Iterator[Lesson]):
    """Batches of new recipes, each with its share of what the model has written meanwhile.

    Args:
        model: writes, as it is at that moment.
        recipes: an endless stream.
        corpus: judges what is written.
        texts: how many are written at a time (0: none).
        steps: optimizer steps that share them.
        generator: of the draws.
    """

    def __init__(
        self,
        model: GPT,
        recipes: DocumentBatches,
        corpus: CookbookCorpus,
        texts: int,
        steps: int,
        generator: torch.Generator,
    ) -> None:
        self.model, self.recipes, self.corpus, self.generator = model, recipes, corpus, generator
        self.texts, self.steps = texts, steps
        self.pending: list[Lesson] = []
        self.fault_rates: list[float] = []

    def __next__(self) -> Lesson:
        if self.texts == 0:
            return self._lesson([], 1)
        if not self.pending:
            self.pending = self.write()
        return self.pending.pop(0)

    def write(self) -> list[Lesson]:
        """Let the model write; return the lessons of the next steps."""
        end, count = self.corpus.tokenizer.end_token, self.texts
        self.model.eval()
        longest = self.model.config.context - 1
        rows = generate(self.model, [[end]] * count, max_new_tokens=longest, end_token=end, generator=self.generator)
        self.model.train()
        judged = [self._judge(row) for row in rows if len(row) < longest]
        self.fault_rates.append(sum(place is not None for _, place in judged) / count)
        share = count // self.steps
        return [
            self._lesson([(row, place) for row, place in judged[start : start + share] if place is not None], share)
            for start in range(0, count, share)
        ]

    def _judge(self, row: Sequence[int]) -> tuple[list[int], int | None]:
        """Return a text between its end tokens, and which of them is the first wrong one."""
        end = self.corpus.tokenizer.end_token
        place = first_wrong_token(row, self.corpus.tokenizer, self.corpus.cookbook)
        return [end, *row, end], None if place is None else place + 1

    def _lesson(self, faulty: list[tuple[list[int], int]], written: int) -> Lesson:
        rows, places = [row for row, _ in faulty], [place for _, place in faulty]
        return Lesson(next(self.recipes), pad_rows(rows) if rows else None, torch.tensor(places), written)


def loss_with_penalty(model: nn.Module, lesson: Lesson, penalty: float) -> tuple[Tensor, int]:
    """Return the loss of the recipes plus what faults cost, and the number of targets.

    Of a text that goes wrong at token w, the gradient of log p(w | the tokens before it), averaged over texts that the
    model has drawn, is the gradient of the probability to go wrong there (REINFORCE, Williams 1992, with the reward -1
    for the token w). So much is subtracted for each text, however few of the others are wrong.
    """
    loss, targets = language_model_loss(model, lesson.recipes)
    if lesson.faulty is None or penalty == 0:
        return loss, targets
    tokens, mask = lesson.faulty
    log_probs = -token_losses(model(tokens), tokens, mask)  # (texts, targets)
    wrong = log_probs.gather(1, lesson.places[:, None] - 1)
    recipes = len(lesson.recipes.tokens)
    # `loss` is a sum over the targets of `recipes` texts: faults per text, times as many texts.
    return loss + penalty * recipes * wrong.sum() / lesson.written, targets
