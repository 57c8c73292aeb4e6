"""Temporal graph networks as link scorers: a stream in batches, each scored by what came before, then learned.

Which wrong pairs a model is trained with decides what it learns, so training mixes random and historical ones.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from downstream.edge_bank import EdgeBank, Negatives
from downstream.memory import NodeMemory
from downstream.recent_partners import PartnerAttention, RecentPartners
from downstream.streams import Stream

Kind = Literal["random", "historical"]
KINDS: tuple[Kind, ...] = ("random", "historical")
Pairs = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Splits:
    """Numbers of the first message of validation, of test, and behind the last; and how many are in a batch."""

    valid: int
    test: int
    end: int
    batch_size: int

    def batches(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return where each batch begins and ends."""
        return [(first, min(first + self.batch_size, end)) for first in range(start, end, self.batch_size)]


class MemoryLinks(nn.Module):
    """Scores a pair from memories, from the latest partners of both ends, and how long ago each was last updated.

    A code is a fixed random vector: without it, all nodes are the same to the memory until something happens to them.
    Messages carry the codes of both ends. If the target is among the source's latest partners, its code is in their
    weighted sum, and the product with it is large.

    Args:
        num_nodes: how many nodes there are.
        features: numbers of a memory and of a hidden layer; a code has twice as many.
        unit: of time: differences are divided by it before their logarithm is taken.
        generator: draws the codes.
        partners: how many latest partners attention looks at; 0: none, memory alone.
    """

    codes: Tensor

    def __init__(
        self, num_nodes: int, features: int, unit: float, generator: torch.Generator, partners: int = 20
    ) -> None:
        super().__init__()
        self.unit, self.partners, self.heads = unit, partners, 4
        codes = torch.randn(num_nodes, 2 * features, generator=generator)
        self.register_buffer("codes", functional.normalize(codes))
        self.memory = NodeMemory(num_nodes, 4 * features, features, 8)
        self.attention = PartnerAttention(features, self.heads) if partners else None
        self.own = nn.Linear(3 * features, features)
        self.theirs = nn.Linear(3 * features, features)
        self.hidden = nn.Linear(4 * features + 2 + (2 * self.heads if partners else 0), features)
        self.out = nn.Linear(features, 1)
        self.reset()

    def reset(self) -> None:
        """Forget all messages."""
        self.memory.reset()
        self.recent = RecentPartners(len(self.codes), max(self.partners, 1))

    def forward(self, source: Tensor, target: Tensor, time: Tensor) -> Tensor:
        """Return a logit for each pair at its time: (pairs,)."""
        nodes, ends = torch.cat([source, target]).unique(return_inverse=True)
        state, updated = self.memory(nodes)
        known = torch.cat([state, self.codes[nodes]], dim=1)
        first, second = ends.chunk(2)
        # What each is to the other, feature by feature, in both directions.
        there = self.own(known)[first] * self.theirs(known)[second]
        back = self.own(known)[second] * self.theirs(known)[first]
        ages = self.log_age(torch.cat([time, time]) - updated[ends]).unflatten(0, (2, -1)).T
        rows = [there, back, state[first], state[second], ages]
        if self.attention is not None:
            for own, other, place in ((source, target, first), (target, source, second)):
                rows.append(self.among(self.attention, own, other, time, state[place]))
        return self.out(self.hidden(torch.cat(rows, dim=1)).relu()).squeeze(1)

    def among(
        self, attention: PartnerAttention, nodes: Tensor, candidates: Tensor, time: Tensor, state: Tensor
    ) -> Tensor:
        """Return how much of a candidate's code is in the sums of the latest partners of nodes: (pairs, heads)."""
        partners, when = self.recent.partner[nodes], self.recent.time[nodes]
        elapsed = self.log_age((time[:, None] - when).clamp(min=0))
        sums = attention(state, elapsed, self.recent.later(nodes), partners >= 0, self.codes[partners.clamp(min=0)])
        return (sums @ self.codes[candidates][:, :, None]).squeeze(2)

    def log_age(self, elapsed: Tensor) -> Tensor:
        """Return log(1 + time / unit)."""
        return (elapsed.to(self.codes.dtype) / self.unit).log1p()

    def learn(self, batch: Stream) -> None:
        """Write messages into the memory and the lists of partners."""
        sent = torch.cat([self.codes[batch.source], self.codes[batch.target]], dim=1)
        self.memory.update(batch.source, batch.target, batch.time, sent)
        self.recent.update(batch.source, batch.target, batch.time)


Draw = Callable[[Stream, Kind], Pairs]


def train_epoch(model: MemoryLinks, optimizer: torch.optim.Optimizer, stream: Stream, splits: Splits, draw: Draw,
                learned: Callable[[Stream], None]) -> float:  # fmt: skip
    """Go through the training part once, from an empty memory, and return the mean loss.

    Args:
        model: its parameters are trained.
        optimizer: of them.
        stream: the whole stream.
        splits: where training ends.
        draw: gives wrong pairs for a batch, from what came before it.
        learned: is told each batch after it was scored.
    """
    model.reset()
    model.train()
    losses = []
    for first, last in splits.batches(0, splits.valid):
        batch = stream.part(first, last)
        # The first batch has no past; it is learned and not scored.
        if first:
            wrong = [draw(batch, kind) for kind in KINDS]
            source = torch.cat([batch.source, *(pair[0] for pair in wrong)])
            target = torch.cat([batch.target, *(pair[1] for pair in wrong)])
            logits = model(source, target, batch.time.repeat(3))
            labels = (torch.arange(len(logits)) < len(batch)).to(logits.dtype)
            loss = functional.binary_cross_entropy_with_logits(logits, labels, weight=0.5 + 0.5 * labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.learn(batch)
        learned(batch)
    return sum(losses) / len(losses)


Score = Callable[[Tensor, Tensor, Tensor], Tensor]


def measure(
    scores: Mapping[str, tuple[Score, Callable[[Stream], None]]], stream: Stream, batches: list[tuple[int, int]],
    draw: Draw,
) -> dict[str, dict[Kind, float]]:  # fmt: skip
    """Return the AUC of several scorers by kind of negatives, on the same pairs; each batch is learned afterwards.

    Args:
        scores: for each name what scores (source, target, time), and what learns a batch.
        stream: the whole stream.
        batches: where each batch begins and ends.
        draw: gives wrong pairs for a batch.
    """
    labels: dict[Kind, list[Tensor]] = {kind: [] for kind in KINDS}
    found: dict[str, dict[Kind, list[Tensor]]] = {name: {kind: [] for kind in KINDS} for name in scores}
    for first, last in batches:
        batch = stream.part(first, last)
        for kind in KINDS:
            wrong = draw(batch, kind)
            source, target = torch.cat([batch.source, wrong[0]]), torch.cat([batch.target, wrong[1]])
            labels[kind].append((torch.arange(len(source)) < len(batch)).float())
            for name, (score, _) in scores.items():
                with torch.no_grad():
                    found[name][kind].append(score(source, target, batch.time.repeat(2)))
        for _, learn in scores.values():
            with torch.no_grad():
                learn(batch)
    return {
        name: {kind: float(roc_auc_score(torch.cat(labels[kind]), torch.cat(parts[kind]))) for kind in KINDS}
        for name, parts in found.items()
    }


def recency(bank: EdgeBank) -> Score:
    """Return a scorer: the more recently a pair was seen, the higher; a pair never seen is the oldest."""

    def score(source: Tensor, target: Tensor, time: Tensor) -> Tensor:
        last = bank.last_seen(source, target)
        return torch.where(last < 0, -torch.inf, (last - time).double()).clamp(min=-1e12)

    return score


def drawer(negatives: Negatives, generator: torch.Generator) -> Draw:
    """Return what draws random and historical negatives of a stream."""

    def draw(batch: Stream, kind: Kind) -> Pairs:
        return negatives.random(batch, generator) if kind == "random" else negatives.historical(batch, generator)

    return draw
