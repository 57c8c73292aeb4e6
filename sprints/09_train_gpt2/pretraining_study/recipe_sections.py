"""The loss of a model and the least possible loss, section by section of a recipe."""

from typing import NamedTuple

import torch
from tqdm import trange

from shared.nn.gpt import GPT
from shared.text.batches import pad_rows
from shared.text.cookbook import Cookbook
from shared.text.grammar import Choice, Parser
from shared.text.tokenizers import Tokenizer, encode_documents
from shared.training.losses import token_losses

IMPROBABLE = 1e-3
SECTIONS = ("title and servings", "ingredients", "method", "tip")


class Tracer(Parser):
    """A parser that remembers where in the text each choice began and how improbable it was."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.trace: list[tuple[int, float]] = []

    def pick(self, options: Choice, rule: str) -> int:
        start = self.position
        index = super().pick(options, rule)
        self.trace.append((start, -options.log_probs[index]))
        return index


class RecipeScore(NamedTuple):
    """Of a recipe: its targets, the nats in each section, the least possible, and the mass of improbable tokens."""

    targets: int
    nats: list[float]
    optimum: list[float]
    improbable: float


@torch.no_grad()
def score_recipes(model: GPT, tokenizer: Tokenizer, cookbook: Cookbook, stream: str, count: int) -> list[RecipeScore]:
    """Return the scores of the first recipes of a stream."""
    device, end, scores = next(model.parameters()).device, tokenizer.end_token, []
    for start in trange(0, count, 50, unit="batch"):
        texts = [cookbook.recipe(stream, index).text for index in range(start, min(start + 50, count))]
        rows = encode_documents(texts, tokenizer)
        tokens = pad_rows(rows).tokens.to(device)
        logits = model(tokens)
        losses, probabilities = token_losses(logits, tokens), logits.softmax(dim=-1)
        rare = (probabilities * (probabilities < IMPROBABLE)).sum(dim=-1)  # (batch, tokens)
        for text, row, nats, masses in zip(texts, rows, losses.tolist(), rare.tolist(), strict=True):
            places, position = [], 0
            for token, loss in zip(row[1:], nats, strict=False):
                places.append((position, loss))
                position += len(tokenizer.decode([token])) if token != end else 0
            tracer = Tracer(text)
            cookbook.write(tracer)
            targets = len(row) - 1
            parts = sum_by_section(text, places), sum_by_section(text, tracer.trace)
            scores.append(RecipeScore(targets, *parts, sum(masses[:targets])))
    return scores


def sum_by_section(text: str, places: list[tuple[int, float]]) -> list[float]:
    """Return the sum of the values in each section of a recipe, given where in the text each value belongs."""
    starts, position = [], 0
    for part in text.split("\n\n"):
        starts.append(position)
        position += len(part) + 2
    sums = [0.0] * len(starts)
    for place, value in places:
        sums[sum(start <= place for start in starts) - 1] += value
    return sums
