"""Recipes whose every token has a label: the grammar that wrote them knows what it is."""

from typing import NamedTuple

import torch
from torch import Tensor

from shared.text.batches import pad_rows
from shared.text.cookbook import Cookbook
from shared.text.grammar import Choice, Parser
from shared.text.tokenizers import Tokenizer, encode_documents

LABELS = (
    "heading",
    "line break",
    "style",
    "dish",
    "ingredient in the title",
    "servings",
    "amount",
    "unit",
    "cut",
    "ingredient in the list",
    "step number",
    "first word of a step",
    "ingredient in a step",
    "free choice in a step",
    "other word of a step",
    "ingredient in the tip",
    "other word of the tip",
    "end",
)
# What the grammar fills into a sentence that is no ingredient.
WORDS = ("wording", "minutes", "dish", "servings", "double")


class Span(NamedTuple):
    """Where a piece of text ends, the rule that wrote it, whether it was a choice, and its section of the recipe."""

    end: int
    rule: str
    chosen: bool
    section: int


class Labeller(Parser):
    """A parser that remembers which rule of the grammar wrote which piece of the text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.spans: list[Span] = []

    def pick(self, options: Choice, rule: str) -> int:
        index = super().pick(options, rule)
        self._note(rule, chosen=True)
        return index

    def write(self, text: str, rule: str = "wording") -> None:
        super().write(text, rule)
        self._note(rule, chosen=False)

    def _note(self, rule: str, chosen: bool) -> None:
        self.spans.append(Span(self.position, rule, chosen, self.text.count("\n\n", 0, self.position)))


def label(piece: str, span: Span, before: list[str]) -> str:
    """Return the label of a token: its text, the span that it ends in, and the labels of the tokens before it."""
    word = piece.strip()
    if not word:
        return "line break"
    if span.rule == "amount that fits the servings":
        return "amount" if word.isdigit() else "unit"
    if span.section == 0 and span.rule in ("style", "servings"):
        return span.rule
    if span.rule == "dish that suits the style":
        return "dish"
    if span.rule == "cut":
        return "cut"
    if span.rule not in WORDS and word not in ("and", "the"):
        return "ingredient in " + ("the title", "the list", "a step", "the tip")[span.section]
    return _label_of_wording(word, span, before)


def _label_of_wording(word: str, span: Span, before: list[str]) -> str:
    if span.section < 2 or word in ("Ingredients", "Method", "Tip") or (word, before[-1]) == (":", "heading"):
        return "heading"
    if span.section == 3:
        return "other word of the tip"
    if before[-1] == "line break" or (word, before[-1]) == (".", "step number"):
        return "step number"
    if before[-1] == "step number":
        return "first word of a step"
    return "free choice in a step" if span.chosen else "other word of a step"


def labels_of(text: str, pieces: list[str], cookbook: Cookbook) -> list[str]:
    """Return the label of each token of a recipe, given the text of each."""
    labeller = Labeller(text)
    cookbook.write(labeller)
    labels, end, spans = [], 0, iter(labeller.spans)
    span = next(spans)
    for piece in pieces:
        end += len(piece)
        while span.end < end:
            span = next(spans)
        labels.append(label(piece, span, labels))
    return labels


class LabelledRecipes(NamedTuple):
    """Recipes as one batch.

    Args:
        tokens: (recipes, tokens), each recipe between two end tokens, padded with the end token.
        labels: index into LABELS of each token; -1 at padding.
    """

    tokens: Tensor
    labels: Tensor


def labelled_recipes(tokenizer: Tokenizer, stream: str, start: int, count: int) -> LabelledRecipes:
    """Return `count` recipes of a stream from number `start` on, with labels."""
    cookbook, rows, labels = Cookbook(), [], []
    for index in range(start, start + count):
        text = cookbook.recipe(stream, index).text
        pieces = tokenizer.tokens(text)
        rows += encode_documents([text], tokenizer)
        names = ["end", *labels_of(text, pieces, cookbook), "end"]
        labels.append([LABELS.index(name) for name in names])
    batch = pad_rows(rows)
    table = torch.full(batch.tokens.shape, -1)
    for row, of_recipe in enumerate(labels):
        table[row, : len(of_recipe)] = torch.tensor(of_recipe)
    return LabelledRecipes(batch.tokens, table)
