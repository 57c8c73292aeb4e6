"""What do perplexity and n_neighbors change in a picture? The same vectors, and noise, with three values of each.

    uv run sprints/05_embeddings_and_positional_encoding/vary_neighbours.py

Both say how many neighbours a point should care about. Half of the maps are of random vectors, in which there are no
groups: what looks like one there is made by the method. Theory: notes/08_tsne_and_umap.md
"""

import warnings
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from matplotlib.figure import Figure
from pydantic import Field
from sklearn.manifold import TSNE, trustworthiness
from tqdm import tqdm

from embedding_study.map_measures import purity
from embedding_study.recipe_words import ingredient_roles
from embedding_study.role_maps import draw_map
from embedding_study.saved_vectors import SAVED, load_saved, of_length_one
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.text.cookbook import Cookbook

# The maps start from the last digits of the vectors.
TOLERANCE = {"*": Tolerance(absolute=0.05), "maps.*": Tolerance(compared=False)}
Neighbours = Annotated[int, Field(ge=2, le=200)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    vectors: ExistingFile = SAVED  # results file of skip_gram.py
    neighbours: tuple[Neighbours, ...] = (3, 15, 60)  # perplexity of t-SNE and n_neighbors of UMAP


@dataclass(frozen=True)
class Results:
    neighbours: list[int]
    # by method, by kind of vectors, one for each number of neighbours
    trustworthiness: dict[str, dict[str, list[float]]]
    purity: dict[str, dict[str, list[float]]]
    maps: dict[str, dict[str, list[list[list[float]]]]]
    roles: list[str]


def tsne(vectors: np.ndarray, neighbours: int, seed: int) -> np.ndarray:
    return TSNE(perplexity=neighbours, init="pca", random_state=seed).fit_transform(vectors)


def umap(vectors: np.ndarray, neighbours: int, seed: int) -> np.ndarray:
    # Imported here: it compiles for many seconds.
    from umap import UMAP

    return UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(vectors)


METHODS = {"t-SNE": tsne, "UMAP": umap}


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    cookbook = Cookbook()
    roles = list(ingredient_roles(cookbook).values())
    trained = load_saved(config.vectors, cookbook)
    random = torch.randn(trained.shape, generator=generator).numpy()
    kinds = {"trained": of_length_one(trained), "random": of_length_one(random)}
    faithful: dict[str, dict[str, list[float]]] = {method: {kind: [] for kind in kinds} for method in METHODS}
    pure: dict[str, dict[str, list[float]]] = {method: {kind: [] for kind in kinds} for method in METHODS}
    maps: dict[str, dict[str, list[list[list[float]]]]] = {method: {kind: [] for kind in kinds} for method in METHODS}
    todo = [(method, kind, count) for method in METHODS for kind in kinds for count in config.neighbours]
    for method, kind, count in tqdm(todo, desc="maps"):
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            drawn = METHODS[method](kinds[kind], count, config.seed)
        faithful[method][kind].append(float(trustworthiness(kinds[kind], drawn, n_neighbors=10)))
        pure[method][kind].append(purity(drawn, np.array(roles), 3))
        maps[method][kind].append(np.round(drawn.astype(float), 3).tolist())
    for method in METHODS:
        for kind in kinds:
            print(f"{method} of {kind} vectors: trustworthiness", *(f"{x:.2f}" for x in faithful[method][kind]))
    return Results(list(config.neighbours), faithful, pure, maps, roles)


def plot(results: Results) -> Figure:
    """Draw all maps: a row for each number of neighbours."""
    columns = [(method, kind) for method in results.maps for kind in results.maps[method]]
    figure, axes = new_figure(9.6, 2.6 * len(results.neighbours), rows=len(results.neighbours), columns=len(columns))
    for row, panels in enumerate(np.reshape(axes, (-1, len(columns)))):
        for panel, (method, kind) in zip(panels, columns, strict=True):
            draw_map(panel, np.array(results.maps[method][kind][row]), results.roles, named=False, size=7)
            count = results.neighbours[row]
            panel.set_xlabel(f"perplexity {count}" if method == "t-SNE" else f"n_neighbors {count}")
            if row == 0:
                panel.set_title(f"{method}, {kind} vectors", fontsize=11)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
