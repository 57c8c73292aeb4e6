"""Made facts in which a relation has one property, so that it shows which embedding can have it.

Each world has entities in small groups that share nothing, and says which facts are known and which are asked.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from downstream.facts import Facts

World = Literal["pairs", "triangles", "stars", "inverse", "composed"]
WORLDS: tuple[World, ...] = ("pairs", "triangles", "stars", "inverse", "composed")


@dataclass(frozen=True)
class Made:
    """Facts to train with, facts to ask for, and all that are true: each (facts, 3)."""

    num_entities: int
    num_relations: int
    train: Tensor
    asked: Tensor
    true: Tensor


def make(world: World, groups: int, generator: torch.Generator) -> Made:
    """Return a world of so many groups, at least four.

    pairs      a married to b, b married to a: symmetric. Asked: what was trained with.
    triangles  a before b, b before c, c before a, never back. Asked: what was trained with.
    stars      a parent of three. Asked: what was trained with.
    inverse    a parent of b, b child of a; half of the second kind is asked and not trained with.
    composed   a to b, b to c, and a to c by a third relation; half of the third kind is asked.

    Raises:
        ValueError: fewer than four groups.
    """
    if groups < 4:
        raise ValueError(f"a world must have at least 4 groups; got {groups}")
    rows: list[tuple[int, int, int]] = []
    hidden: list[tuple[int, int, int]] = []
    sizes = {"pairs": 2, "triangles": 3, "stars": 4, "inverse": 2, "composed": 3}
    held = set(torch.randperm(groups, generator=generator)[: groups // 2].tolist())
    for group in range(groups):
        first = group * sizes[world]
        a, b, c = first, first + 1, first + 2
        told = hidden if group in held else rows
        match world:
            case "pairs":
                rows += [(a, 0, b), (b, 0, a)]
            case "triangles":
                rows += [(a, 0, b), (b, 0, c), (c, 0, a)]
            case "stars":
                rows += [(a, 0, b), (a, 0, c), (a, 0, first + 3)]
            case "inverse":
                rows.append((a, 0, b))
                told.append((b, 1, a))
            case "composed":
                rows += [(a, 0, b), (b, 1, c)]
                told.append((a, 2, c))
    train = torch.tensor(rows)
    asked = torch.tensor(hidden) if hidden else train
    relations = int(torch.cat([train, asked])[:, 1].max()) + 1
    return Made(groups * sizes[world], relations, train, asked, torch.cat([train, asked]).unique(dim=0))


# No ranking of this kind can have a higher filtered MRR on facts of that world; the proofs stand in note 6.
BOUNDS: dict[tuple[World, str], float] = {
    ("pairs", "TransE"): 3 / 4,
    ("triangles", "TransE"): 5 / 6,
    ("triangles", "DistMult"): 3 / 4,
}


def mixed(groups: int, generator: torch.Generator) -> Facts:
    """Return all worlds side by side as one set of facts, entities and relations of each its own.

    Of the facts that are asked in `inverse` and `composed` every second one is for validation, the others for the test;
    of the other worlds every tenth fact is held out as well, alternately for either.
    """
    splits: tuple[list[Tensor], ...] = ([], [], [])
    entities = relations = 0
    for world in WORLDS:
        made = make(world, groups, generator)
        shift = torch.tensor([entities, relations, entities])
        held = made.asked if world in ("inverse", "composed") else made.train[::10]
        kept = made.train if world in ("inverse", "composed") else made.train[torch.arange(len(made.train)) % 10 > 0]
        for part, rows in zip(splits, (kept, held[::2], held[1::2]), strict=True):
            part.append(rows + shift)
        entities, relations = entities + made.num_entities, relations + made.num_relations
    names = [f"entity {number}" for number in range(entities)], [f"relation {number}" for number in range(relations)]
    return Facts(*names, *(torch.cat(part) for part in splits))
