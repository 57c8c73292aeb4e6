"""What can a picture of embeddings say? PCA, t-SNE and UMAP of ingredients, judged beside those of random vectors.

    uv run sprints/05_embeddings_and_positional_encoding/project.py

It draws the vectors that skip_gram.py saved, or those of `--vectors`; if there are none, it fits some to the ingredient
lists in a few seconds. Theory: notes/06_projections.md
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import NearestNeighbors
from torch.nn.functional import logsigmoid
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.results import load_results
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.text.cookbook import Cookbook

METHODS = ("PCA", "t-SNE", "t-SNE from noise", "UMAP")
SAVED = Path(__file__).parent / "results" / "skip_gram.json"


@dataclass(frozen=True)
class Config(ScriptConfig):
    vectors: Path = SAVED  # results file of skip_gram.py
    methods: tuple[Literal["PCA", "t-SNE", "t-SNE from noise", "UMAP"], ...] = METHODS  # projections
    neighbours: int = 10  # nearest neighbours of trustworthiness and overlap
    purity_neighbours: int = 3  # nearest neighbours whose role is looked at
    perplexity: float = 15.0  # neighbours that t-SNE aims at, and those of UMAP
    seeds: int = 3  # maps of each kind


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


@dataclass(frozen=True)
class Results:
    source: str
    purity_before: dict[str, float]
    explained_share: dict[str, float]
    judgements: dict[str, dict[str, Judgement]]
    maps: dict[str, dict[str, list[list[float]]]]
    roles: list[str]


def pca(vectors: np.ndarray, components: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors projected on the directions in which they vary most, and the share of variance of each.

    With the centred vectors X = U S V^T the directions are the rows of V^T, the projections U S, and the variances
    S^2 / (n - 1). The sign of each direction is arbitrary.
    """
    left, values, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    return left[:, :components] * values[:components], (values**2 / (values**2).sum())[:components]


def fit_to_lists(cookbook: Cookbook, names: list[str], generator: torch.Generator) -> np.ndarray:
    """Return vectors that minimise the expected loss of negative sampling on the ingredient lists of 1,000 recipes."""
    listed = torch.zeros(1000, len(names))
    ids = {name: index for index, name in enumerate(names)}
    for index in range(len(listed)):
        listed[index, [ids[item.name] for item in cookbook.recipe("train", index).ingredients]] = 1
    counts = (listed.T @ listed).fill_diagonal_(0)
    pairs, noise = counts / counts.sum(), counts.sum(dim=0) ** 0.75
    unrelated = 5 * pairs.sum(dim=1, keepdim=True) * noise / noise.sum()
    vectors = (0.1 * torch.randn(2, len(names), 16, generator=generator)).requires_grad_()
    optimizer = torch.optim.Adam([vectors], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        scores = vectors[0] @ vectors[1].T
        (-(pairs * logsigmoid(scores) + unrelated * logsigmoid(-scores)).sum()).backward()
        optimizer.step()
    return vectors[0].detach().numpy()


def load_vectors(path: Path, cookbook: Cookbook, generator: torch.Generator) -> tuple[np.ndarray, list[str], str]:
    """Return vectors (ingredients, features), the role of each, and where they come from."""
    pantry = [ingredient for items in cookbook.pantry.values() for ingredient in items]
    names, roles = [item.name for item in pantry], [item.role for item in pantry]
    if not path.is_file():
        return fit_to_lists(cookbook, names, generator), roles, "fitted to ingredient lists"
    saved = load_results(path)["results"].get("vectors")
    if saved is None:
        raise ValueError(f"{path.name} holds no vectors: give a results file of skip_gram.py")
    vectors = [[float(number) for number in saved[name.replace(" ", "_")].split()] for name in names]
    return np.array(vectors, dtype=np.float32), roles, path.name


def projection(method: str, perplexity: float, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that maps vectors to two dimensions."""
    if method == "PCA":
        return lambda vectors: pca(vectors)[0]
    if method.startswith("t-SNE"):
        start = "random" if method == "t-SNE from noise" else "pca"
        return TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform
    # Imported here: it compiles for many seconds, and only one of the methods needs it.
    from umap import UMAP

    return UMAP(n_neighbors=int(perplexity), random_state=seed, n_jobs=1).fit_transform


def neighbours(points: np.ndarray, count: int) -> np.ndarray:
    """Return the nearest other points of each point, (points, count)."""
    return NearestNeighbors(n_neighbors=count).fit(points).kneighbors(return_distance=False)


def overlap(first: np.ndarray, second: np.ndarray, count: int) -> float:
    """Return the share of nearest neighbours that two sets of points have in common."""
    pairs = zip(neighbours(first, count), neighbours(second, count), strict=True)
    return sum(len(set(one) & set(other)) for one, other in pairs) / (count * len(first))


def purity(points: np.ndarray, roles: np.ndarray, count: int) -> float:
    """Return the share of nearest neighbours that have the same role."""
    return float((roles[neighbours(points, count)] == roles[:, None]).mean())


def distances_of_centres(points: np.ndarray, roles: np.ndarray) -> np.ndarray:
    """Return the distances of all pairs of roles, a role being the mean of its points."""
    centres = np.stack([points[roles == role].mean(axis=0) for role in np.unique(roles)])
    rows, columns = np.triu_indices(len(centres), k=1)
    return np.linalg.norm(centres[rows] - centres[columns], axis=1)


def judge(vectors: np.ndarray, maps: list[np.ndarray], roles: np.ndarray, config: Config) -> Judgement:
    """Return what is left of the vectors in maps of several seeds."""
    pairs = [(one, other) for index, one in enumerate(maps) for other in maps[:index]]
    far = distances_of_centres(vectors, roles)
    count = config.neighbours
    return Judgement(
        trustworthiness=[float(trustworthiness(vectors, one, n_neighbors=count)) for one in maps],
        overlap=[overlap(vectors, one, count) for one in maps],
        purity=[purity(one, roles, config.purity_neighbours) for one in maps],
        distances=[float(np.corrcoef(far, distances_of_centres(one, roles))[0, 1]) for one in maps],
        stability=sum(overlap(one, other, count) for one, other in pairs) / len(pairs) if pairs else None,
    )


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    vectors, names, source = load_vectors(config.vectors, Cookbook(), generator)
    roles = np.array(names)
    random = torch.randn(vectors.shape, generator=generator).numpy()
    # Of length one, so that near means a large cosine.
    rivals = {
        kind: x / np.linalg.norm(x, axis=1, keepdims=True) for kind, x in (("trained", vectors), ("random", random))
    }
    judgements: dict[str, dict[str, Judgement]] = {kind: {} for kind in rivals}
    drawn: dict[str, dict[str, list[list[float]]]] = {kind: {} for kind in rivals}
    for kind, method in tqdm([(kind, method) for kind in rivals for method in config.methods], desc="maps"):
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            seeds = range(config.seed, config.seed + config.seeds)
            maps = [projection(method, config.perplexity, seed)(rivals[kind]) for seed in seeds]
        judgements[kind][method] = judge(rivals[kind], maps, roles, config)
        drawn[kind][method] = np.round(maps[0].astype(float), 4).tolist()
    results = Results(
        source=source,
        purity_before={kind: purity(x, roles, config.purity_neighbours) for kind, x in rivals.items()},
        explained_share={kind: float(pca(x)[1].sum()) for kind, x in rivals.items()},
        judgements=judgements,
        maps=drawn,
        roles=names,
    )
    print(f"vectors: {source}")
    for kind, its in judgements.items():
        share = results.explained_share[kind]
        print(f"{kind}: purity before {results.purity_before[kind]:.2f}, two components {share:.0%} of the variance")
        for method, one in its.items():
            print(f"  {method:<16} trustworthiness {one.trustworthiness[0]:.2f}  overlap {one.overlap[0]:.2f}", end="")
            print(f"  purity {one.purity[0]:.2f}  distances {one.distances[0]:.2f}", end="")
            print("" if one.stability is None else f"  stability {one.stability:.2f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the first map of each method: trained vectors above, random ones below, a colour and a marker for a role."""
    figure, axes = new_figure(14.0, 6.8, rows=2, columns=len(results.maps["trained"]))
    roles = np.array(results.roles)
    for row, (kind, maps) in enumerate(results.maps.items()):
        for column, (method, points) in enumerate(maps.items()):
            part, x = axes[row, column], np.array(points)
            for index, role in enumerate(dict.fromkeys(results.roles)):
                mine = x[roles == role]
                part.scatter(mine[:, 0], mine[:, 1], s=14, color=f"C{index % 8}", marker="os^D"[index // 8], label=role)
            part.set(title=f"{method}, {kind} vectors", xticks=[], yticks=[])
            part.grid(False)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    names = [label.replace("spice_", "spice: ") for label in labels]
    figure.legend(handles, names, loc="outside right center", fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
