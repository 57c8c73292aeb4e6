"""The best that retrieval can do among N pairs of a scene and a caption: the exact posterior, and ties as random.

A caption was written for one of N scenes, each as probable as any: scene j has a posterior proportional to
P(caption | scene j). A scene has one of N captions: caption i has a posterior proportional to P(scene | caption i),
so to P(caption i | scene) / P(caption i): a rare caption that fits says more than a frequent one. The logarithm of this
quotient, the pointwise mutual information, ranks both ways, because P(caption) is the same for all scenes.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from seeing.captions import Facts, log_probability_without_picture, read_caption
from seeing.scenes import COLOURS, KINDS, RELATIONS, SIZES, Scene

TIE = 1e-9  # nats


class Optimum(NamedTuple):
    """Recall of the best ranking: on these pairs, and what its posteriors expect of it."""

    found: float
    expected: float


def log_probabilities(captions: Sequence[str], scenes: Sequence[Scene]) -> Float64[Tensor, "captions scenes"]:
    """Return log P(caption | scene) of every caption and every scene, as `captions.log_probability` has it.

    Raises:
        ValueError: a text that is no caption.
    """
    facts = [_read(text) for text in captions]
    items = torch.stack([_table(scene) for scene in scenes])  # (scenes, kinds, 4)
    said = torch.stack([_said(fact) for fact in facts])[:, None]  # (captions, 1, kinds, 2)
    colour, size, row, column = items.unbind(-1)
    fits = (said[..., 0] == colour) & ((said[..., 1] == -1) | (said[..., 1] == size))
    compatible = fits.all(dim=-1)  # (captions, scenes)
    true = torch.stack([_true(fact, row, column) for fact in facts])  # (captions, scenes, 4)
    relation = torch.tensor([RELATIONS.index(fact.relation[1]) if fact.relation else -1 for fact in facts])
    has_pair = relation >= 0
    holds = true.take_along_dim(relation.clamp(min=0)[:, None, None], dim=-1)[..., 0]
    compatible &= holds | ~has_pair[:, None]
    counts = torch.tensor([len(fact.mentions) for fact in facts], dtype=torch.float64)
    nats = torch.lgamma(counts + 1) + counts * math.log(2)
    nats += torch.where(has_pair, (counts * (counts - 1)).clamp(min=1).log(), 0.0)
    of_relation = torch.where(has_pair[:, None], true.sum(dim=-1).clamp(min=1).double().log(), 0.0)
    return (-(nats[:, None] + of_relation)).masked_fill(~compatible, -math.inf)


def scores(captions: Sequence[str], scenes: Sequence[Scene]) -> Float64[Tensor, "captions scenes"]:
    """Return log P(caption | scene) - log P(caption): the best score of a pair, for both directions."""
    alone = torch.tensor([log_probability_without_picture(text) for text in captions], dtype=torch.float64)
    return log_probabilities(captions, scenes) - alone[:, None]


def recall_at(scores: Float64[Tensor, "queries candidates"], k: int) -> float:
    """Return the share of queries whose own candidate (the diagonal) is among the k best; ties are drawn at random."""
    own = scores.diagonal()[:, None]
    # The same factors multiplied in another order differ in their last digits: that is a tie as well.
    better, tied = (scores > own + TIE).sum(dim=1), ((scores - own).abs() <= TIE).sum(dim=1)
    return ((k - better).double() / tied).clamp(0, 1).mean().item()


def best_recall(captions: Sequence[str], scenes: Sequence[Scene], k: int = 1) -> dict[str, Optimum]:
    """Return the best recall at k among pairs, "caption to scene" and "scene to caption"; caption i is one of scene i.

    Raises:
        ValueError: not as many captions as scenes, a caption that cannot be one of its scene, or k of no candidates.
    """
    if len(captions) != len(scenes) or not 1 <= k <= len(scenes):
        raise ValueError(
            f"every scene needs its caption, and k lies between 1 and their number; got {len(captions)} captions, "
            f"{len(scenes)} scenes and k = {k}"
        )
    table = scores(captions, scenes)
    if not table.diagonal().isfinite().all():
        wrong = int(table.diagonal().isinf().nonzero()[0])
        raise ValueError(f"caption {wrong} cannot be one of its scene: {captions[wrong]!r}")
    ways = {"caption to scene": table, "scene to caption": table.mT}
    return {
        name: Optimum(recall_at(rows, k), rows.softmax(dim=1).topk(k, dim=1).values.sum(dim=1).mean().item())
        for name, rows in ways.items()
    }


def _read(text: str) -> Facts:
    facts = read_caption(text)
    if facts is None:
        raise ValueError(f"no caption of a laid table: {text!r}")
    return facts


def _table(scene: Scene) -> Int64[Tensor, "6 4"]:
    """Return colour, size, row and column by kind, -2 for a kind that is not there."""
    table = torch.full((len(KINDS), 4), -2)
    for item in scene.items:
        numbers = [COLOURS.index(item.colour), SIZES.index(item.size), item.row, item.column]
        table[KINDS.index(item.kind)] = torch.tensor(numbers)
    return table


def _said(facts: Facts) -> Int64[Tensor, "6 2"]:
    """Return colour and size by kind: -2 for a kind that is not named, a size of -1 where it is not said."""
    said = torch.full((len(KINDS), 2), -2)
    for item in facts.mentions:
        size = -1 if item.size is None else SIZES.index(item.size)
        said[KINDS.index(item.kind)] = torch.tensor([COLOURS.index(item.colour), size])
    return said


def _true(facts: Facts, row: Int64[Tensor, "scenes 6"], column: Int64[Tensor, "scenes 6"]) -> Bool[Tensor, "scenes 4"]:
    """Return which relations are true of the pair in each scene, in the order of `RELATIONS`."""
    if facts.relation is None:
        return torch.zeros(len(row), len(RELATIONS), dtype=torch.bool)
    first, second = KINDS.index(facts.relation[0]), KINDS.index(facts.relation[2])
    across, down = column[:, first] - column[:, second], row[:, first] - row[:, second]
    return torch.stack([across < 0, across > 0, down < 0, down > 0], dim=1)
