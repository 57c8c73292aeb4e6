"""Four scores of a fact from embeddings: TransE, DistMult, ComplEx, RotatE.

    TransE    -|| h/|h| + r - t/|t| ||                 (Bordes et al. 2013)
    DistMult  sum h r t                                (Yang et al. 2015)
    ComplEx   Re sum h r conj(t), complex              (Trouillon et al. 2016, equation 9)
    RotatE    margin - || h e^(i angle) - t ||, complex  (Sun et al. 2019; the norm of all numbers as one vector)

Each class says what it makes of head and relation, and of relation and tail, so one product or one table of distances
scores all entities at once.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from downstream.ranking import Side

Name = Literal["TransE", "DistMult", "ComplEx", "RotatE"]
NAMES: tuple[Name, ...] = ("TransE", "DistMult", "ComplEx", "RotatE")


class FactModel(nn.Module):
    """A score for each fact: `forward(facts)`; or for each entity in one place of it: `all_scores(facts, side)`.

    Args:
        num_entities: how many entities there are.
        num_relations: how many relations.
        features: numbers of a real embedding; ComplEx and RotatE have as many complex numbers.
        generator: draws the embeddings.
    """

    complex_entities = False
    complex_relations = False

    def __init__(self, num_entities: int, num_relations: int, features: int, generator: torch.Generator) -> None:
        super().__init__()
        self.features = features
        self.entities = nn.Parameter(self.draw(num_entities, self.complex_entities, generator))
        self.relations = nn.Parameter(self.draw_relations(num_relations, generator))

    def draw(self, rows: int, twice: bool, generator: torch.Generator) -> Tensor:
        """Return rows of real parts, and of imaginary parts behind them: Xavier's bound for each half."""
        halves = [torch.empty(rows, self.features) for _ in range(2 if twice else 1)]
        for half in halves:
            nn.init.xavier_uniform_(half, generator=generator)
        return torch.cat(halves, dim=1)

    def draw_relations(self, rows: int, generator: torch.Generator) -> Tensor:
        """Return the first embeddings of relations."""
        return self.draw(rows, self.complex_relations, generator)

    def forward(self, facts: Int[Tensor, "facts 3"]) -> Float[Tensor, " facts"]:
        """Return the score of each fact."""
        asked = self.query(facts, "tail")
        return self.compare(asked[:, None], self.candidates()[facts[:, 2]][:, None]).flatten()

    def all_scores(self, facts: Int[Tensor, "facts 3"], side: Side) -> Float[Tensor, "facts entities"]:
        """Return the score of each entity in the place of the tail, or of the head."""
        return self.compare(self.query(facts, side), self.candidates())

    def candidates(self) -> Tensor:
        """Return the embeddings of entities as they are compared: (entities, numbers)."""
        return self.entities

    def query(self, facts: Tensor, side: Side) -> Tensor:
        """Return where the answer should be: (facts, numbers)."""
        raise NotImplementedError

    def compare(self, asked: Tensor, entities: Tensor) -> Tensor:
        """Return scores (facts, entities) of places (facts, numbers) and entities (entities, numbers), or batches."""
        return asked @ entities.mT


class TransE(FactModel):
    """A relation is a step: head + relation should be the tail. Entities have length 1."""

    p_norm = 2.0  # of the lengths and of the distance; the paper tries 1 and 2

    def draw(self, rows: int, twice: bool, generator: torch.Generator) -> Tensor:
        del twice  # there are real numbers alone
        bound = 6.0 / math.sqrt(self.features)
        return nn.init.uniform_(torch.empty(rows, self.features), -bound, bound, generator=generator)

    def draw_relations(self, rows: int, generator: torch.Generator) -> Tensor:
        return functional.normalize(self.draw(rows, False, generator), p=self.p_norm, dim=-1)

    def candidates(self) -> Tensor:
        return functional.normalize(self.entities, p=self.p_norm, dim=-1)

    def query(self, facts: Tensor, side: Side) -> Tensor:
        entities, step = self.candidates(), self.relations[facts[:, 1]]
        return entities[facts[:, 0]] + step if side == "tail" else entities[facts[:, 2]] - step

    def compare(self, asked: Tensor, entities: Tensor) -> Tensor:
        return -torch.cdist(asked, entities, p=self.p_norm)


class DistMult(FactModel):
    """A relation weighs the products of the features of head and tail."""

    def query(self, facts: Tensor, side: Side) -> Tensor:
        given = facts[:, 0] if side == "tail" else facts[:, 2]
        return self.entities[given] * self.relations[facts[:, 1]]


class ComplEx(FactModel):
    """DistMult in complex numbers, the tail conjugated: who is head and who is tail makes a difference."""

    complex_entities = complex_relations = True

    def query(self, facts: Tensor, side: Side) -> Tensor:
        given = self.entities[facts[:, 0] if side == "tail" else facts[:, 2]]
        real, imaginary = given.chunk(2, dim=-1)
        weight, phase = self.relations[facts[:, 1]].chunk(2, dim=-1)
        # Re(h r conj(t)) = Re(h r) Re(t) + Im(h r) Im(t); for the head, r is conjugated in its place.
        phase = phase if side == "tail" else -phase
        return torch.cat([real * weight - imaginary * phase, real * phase + imaginary * weight], dim=-1)


class RotatE(FactModel):
    """A relation turns each complex number of the head by an angle of its own."""

    complex_entities = True
    margin = 1.0

    def draw_relations(self, rows: int, generator: torch.Generator) -> Tensor:
        return nn.init.uniform_(torch.empty(rows, self.features), 0, 2 * math.pi, generator=generator)

    def query(self, facts: Tensor, side: Side) -> Tensor:
        real, imaginary = self.entities[facts[:, 0] if side == "tail" else facts[:, 2]].chunk(2, dim=-1)
        angle = self.relations[facts[:, 1]] if side == "tail" else -self.relations[facts[:, 1]]
        cosine, sine = angle.cos(), angle.sin()
        return torch.cat([cosine * real - sine * imaginary, cosine * imaginary + sine * real], dim=-1)

    def compare(self, asked: Tensor, entities: Tensor) -> Tensor:
        return self.margin - torch.cdist(asked, entities, p=2.0)


MODELS: dict[Name, type[FactModel]] = {"TransE": TransE, "DistMult": DistMult, "ComplEx": ComplEx, "RotatE": RotatE}


def pair_loss(model: FactModel, facts: Tensor, others: Tensor) -> Float[Tensor, ""]:
    """Return the loss of true facts and as many corrupted ones that the papers train with.

    TransE and DistMult: the mean of max(0, 1 - true + corrupted). ComplEx and RotatE: binary cross-entropy.
    """
    true, false = model(facts), model(others)
    if isinstance(model, TransE | DistMult):
        return (1.0 - true + false).clamp(min=0).mean()
    return functional.softplus(torch.cat([-true, false])).mean()


def all_entities_loss(model: FactModel, facts: Tensor, sharpness: float, decay: float) -> Float[Tensor, ""]:
    """Return the cross-entropy of the true tail and of the true head among all entities (Lacroix et al. 2018).

    Args:
        model: any of the four.
        facts: (facts, 3).
        sharpness: scores are multiplied by it; distances of unit vectors are too small to decide otherwise.
        decay: weight of the mean squared length of the embeddings of the batch.
    """
    tails = functional.cross_entropy(sharpness * model.all_scores(facts, "tail"), facts[:, 2])
    heads = functional.cross_entropy(sharpness * model.all_scores(facts, "head"), facts[:, 0])
    used: Sequence[Tensor] = [model.entities[facts[:, 0]], model.entities[facts[:, 2]]]
    lengths = sum(part.square().sum(1).mean() for part in used)
    if not isinstance(model, RotatE):  # whose relations are angles
        lengths = lengths + model.relations[facts[:, 1]].square().sum(1).mean()
    return (tails + heads) / 2 + decay * lengths
