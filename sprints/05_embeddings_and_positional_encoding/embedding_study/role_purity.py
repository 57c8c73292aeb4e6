"""The judge of vectors of ingredients: do the nearest neighbours of an ingredient have its role in the grammar?"""

from collections import Counter

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from shared.text.cookbook import Cookbook


def nearest(vectors: Float[Tensor, "rows features"], count: int) -> Int[Tensor, "rows count"]:
    """Return the most similar other rows of each row by cosine."""
    units = normalize(vectors)
    return (units @ units.T).fill_diagonal_(-torch.inf).topk(count).indices


def purity(vectors: Float[Tensor, "rows features"], roles: list[str], neighbours: int) -> dict[str, float]:
    """Return the mean share of the nearest neighbours of an ingredient that have its role."""
    ids = torch.tensor([sorted(set(roles)).index(role) for role in roles])
    return by_kind((ids[nearest(vectors, neighbours)] == ids[:, None]).float().mean(dim=1), roles)


def by_kind(shares: Float[Tensor, " rows"], roles: list[str]) -> dict[str, float]:
    """Return the means of a number for each ingredient over the spices, over the others and over all."""
    spice = torch.tensor([role.startswith("spice") for role in roles])
    return {"spices": shares[spice].mean().item(), "others": shares[~spice].mean().item(), "all": shares.mean().item()}


def purity_without_styles(cookbook: Cookbook, roles: list[str]) -> dict[str, float]:
    """Return the purity of vectors that show each role, but of a spice only whether it is savoury or sweet."""
    taste = {f"spice_{style}": taste for style, taste in cookbook.styles}
    known = [taste.get(role, role) for role in roles]
    members, lookalikes = Counter(roles), Counter(known)
    shares = [(members[role] - 1) / (lookalikes[group] - 1) for role, group in zip(roles, known, strict=True)]
    return by_kind(torch.tensor(shares), roles)


def agreement(trainings: list[Tensor], roles: list[str], neighbours: int) -> tuple[float | None, float]:
    """Return the share of nearest neighbours that vectors of the first and the last training have in common.

    The second number is the same by chance, which knows the role and picks at random within it. Spices are left out. A
    single training agrees with no other: None.
    """
    rows = [index for index, role in enumerate(roles) if not role.startswith("spice")]
    first, last = (nearest(vectors, neighbours)[rows] for vectors in (trainings[0], trainings[-1]))
    shared = (first[:, :, None] == last[:, None, :]).any(dim=2).float().mean().item()
    members = Counter(roles)
    by_chance = sum(neighbours / (members[roles[row]] - 1) for row in rows) / len(rows)
    return shared if len(trainings) > 1 else None, by_chance
