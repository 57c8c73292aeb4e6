"""What is left of vectors in a map of two dimensions: neighbours, roles, distances between roles."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

Points = Float[np.ndarray, "points dimensions"]


@dataclass(frozen=True)
class Judgement:
    """What is left of the vectors in a map; a list has a value for each seed.

    Args:
        trustworthiness: 1 if near points of the map are near in the vectors (Venna & Kaski 2001), 0.5 at random.
        overlap: share of the nearest neighbours of the vectors that are nearest neighbours in the map too.
        purity: share of the nearest neighbours in the map that have the same role.
        distances: correlation of the distances between the centres of the roles, in the vectors and in the map.
        stability: share of the nearest neighbours that maps of two seeds have in common, over all pairs of seeds.
    """

    trustworthiness: list[float]
    overlap: list[float]
    purity: list[float]
    distances: list[float]
    stability: float | None


def neighbours(points: Points, count: int) -> Int[np.ndarray, "points count"]:
    """Return the nearest other points of each point."""
    return NearestNeighbors(n_neighbors=count).fit(points).kneighbors(return_distance=False)


def overlap(first: np.ndarray, second: np.ndarray, count: int) -> float:
    """Return the share of nearest neighbours that two sets of points have in common."""
    pairs = zip(neighbours(first, count), neighbours(second, count), strict=True)
    return sum(len(set(left) & set(right)) for left, right in pairs) / (count * len(first))


def purity(points: Points, roles: np.ndarray, count: int) -> float:
    """Return the share of nearest neighbours that have the same role."""
    return float((roles[neighbours(points, count)] == roles[:, None]).mean())


def distances_of_centres(points: Points, roles: np.ndarray) -> Float[np.ndarray, " pairs"]:
    """Return the distances of all pairs of roles, a role being the mean of its points."""
    centres = np.stack([points[roles == role].mean(axis=0) for role in np.unique(roles)])
    rows, columns = np.triu_indices(len(centres), k=1)
    return np.linalg.norm(centres[rows] - centres[columns], axis=1)


def judge(
    vectors: np.ndarray, maps: list[np.ndarray], roles: np.ndarray, *, count: int, purity_count: int
) -> Judgement:
    """Return what is left of the vectors in maps of several seeds.

    Args:
        vectors: (points, features)
        maps: one of each seed, (points, 2).
        roles: of each point.
        count: nearest neighbours of trustworthiness and overlap.
        purity_count: nearest neighbours whose role is looked at.
    """
    pairs = [(later, earlier) for index, later in enumerate(maps) for earlier in maps[:index]]
    far = distances_of_centres(vectors, roles)
    return Judgement(
        trustworthiness=[float(trustworthiness(vectors, drawn, n_neighbors=count)) for drawn in maps],
        overlap=[overlap(vectors, drawn, count) for drawn in maps],
        purity=[purity(drawn, roles, purity_count) for drawn in maps],
        distances=[float(np.corrcoef(far, distances_of_centres(drawn, roles))[0, 1]) for drawn in maps],
        stability=sum(overlap(*pair, count) for pair in pairs) / len(pairs) if pairs else None,
    )
