"""What can a picture of embeddings say? PCA, t-SNE and UMAP of ingredients, judged beside those of random vectors.

    uv run sprints/05_embeddings_and_positional_encoding/project.py

It draws the recorded vectors of skip_gram.py, or those of a run of your own by `--vectors`; `--vectors None` fits some
to the ingredient lists in a few seconds. Theory: notes/09_what_a_picture_can_say.md
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from pydantic import Field
from sklearn.manifold import TSNE
from tqdm import tqdm

from embedding_study.ingredient_pairs import count_pairs, fit_vectors, noise_distribution
from embedding_study.map_measures import Judgement, judge, purity
from embedding_study.recipe_words import ingredient_roles
from embedding_study.role_maps import draw_map
from embedding_study.saved_vectors import SAVED, load_saved, of_length_one
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.text.cookbook import Cookbook

METHODS = ("PCA", "t-SNE", "t-SNE from noise", "UMAP")
# PCA alone is the same everywhere, up to sign; the others start from the last digits of the vectors.
TOLERANCE = {
    "judgements.*": Tolerance(absolute=0.05),
    "judgements.*.distances.*": Tolerance(absolute=0.15),
    "judgements.*.stability": Tolerance(absolute=0.15),
    "judgements.*.PCA.*": Tolerance(absolute=0.001),
    "maps.*": Tolerance(compared=False),
}
Perplexity = Annotated[float, Field(ge=2, le=1000)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    vectors: ExistingFile | None = SAVED  # results file of skip_gram.py (None: fit some to the ingredient lists)
    methods: tuple[Literal["PCA", "t-SNE", "t-SNE from noise", "UMAP"], ...] = METHODS  # projections
    neighbours: PositiveInt = 10  # nearest neighbours of trustworthiness and overlap
    purity_neighbours: PositiveInt = 3  # nearest neighbours whose role is looked at
    perplexity: Perplexity = 15.0  # neighbours that t-SNE aims at, and those of UMAP
    seeds: PositiveInt = 3  # maps of each kind


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


def fit_to_lists(cookbook: Cookbook, generator: torch.Generator) -> np.ndarray:
    """Return vectors that minimise the expected loss of negative sampling on the ingredient lists of 1,000 recipes."""
    counts = count_pairs(cookbook, recipes=1000)
    noise = noise_distribution(counts, power=0.75)
    centres, _ = fit_vectors(counts, noise, features=16, negatives=5, steps=200, generator=generator)
    return centres.numpy()


def load_vectors(
    path: Path | None, cookbook: Cookbook, generator: torch.Generator
) -> tuple[np.ndarray, list[str], str]:
    """Return vectors (ingredients, features), the role of each, and where they come from.

    Raises:
        ValueError: the file holds no vectors of these ingredients.
    """
    roles = list(ingredient_roles(cookbook).values())
    if path is None:
        return fit_to_lists(cookbook, generator), roles, "fitted to ingredient lists"
    return load_saved(path, cookbook), roles, path.name


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


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    vectors, names, source = load_vectors(config.vectors, Cookbook(), generator)
    most = max(config.neighbours * 2, config.purity_neighbours, int(config.perplexity))
    if most >= len(names):
        raise ValueError(
            f"of {len(names)} ingredients none has so many neighbours; got --purity-neighbours "
            f"{config.purity_neighbours}, --perplexity {config.perplexity:g} and twice --neighbours {config.neighbours}"
        )
    roles = np.array(names)
    random = torch.randn(vectors.shape, generator=generator).numpy()
    rivals = {"trained": of_length_one(vectors), "random": of_length_one(random)}
    judgements: dict[str, dict[str, Judgement]] = {kind: {} for kind in rivals}
    drawn: dict[str, dict[str, list[list[float]]]] = {kind: {} for kind in rivals}
    for kind, method in tqdm([(kind, method) for kind in rivals for method in config.methods], desc="maps"):
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            seeds = range(config.seed, config.seed + config.seeds)
            maps = [projection(method, config.perplexity, seed)(rivals[kind]) for seed in seeds]
        judgements[kind][method] = judge(
            rivals[kind], maps, roles, count=config.neighbours, purity_count=config.purity_neighbours
        )
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
    for kind, by_method in judgements.items():
        share = results.explained_share[kind]
        print(f"{kind}: purity before {results.purity_before[kind]:.2f}, two components {share:.0%} of the variance")
        for method, left in by_method.items():
            print(
                f"  {method:<16} trustworthiness {left.trustworthiness[0]:.2f}  overlap {left.overlap[0]:.2f}", end=""
            )
            print(f"  purity {left.purity[0]:.2f}  distances {left.distances[0]:.2f}", end="")
            print("" if left.stability is None else f"  stability {left.stability:.2f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the first map of each method: trained vectors on the left, with the names of roles, random ones beside."""
    methods = list(results.maps["trained"])
    figure, axes = new_figure(7.6, 3.2 * len(methods), rows=len(methods), columns=2)
    axes.flat[0].get_gridspec().set_width_ratios([3, 2])
    for column, (kind, maps) in enumerate(results.maps.items()):
        for row, (method, points) in enumerate(maps.items()):
            panel = axes.reshape(-1, 2)[row, column]
            draw_map(panel, np.array(points), results.roles, named=kind == "trained", size=(13, 7)[column])
            panel.set_title(f"{method}, {kind} vectors")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
