"""Do clusters of node embeddings show the groups of a graph, and does UMAP show more of them than PCA?

    uv run sprints/17_gnn/cluster_embeddings.py
    uv run sprints/17_gnn/cluster_embeddings.py --data cora --seeds 0 1 2

Embeddings of an untrained network, of one trained on edges alone and of one trained on labels; reduced to two
dimensions, clustered by k-means and scored against known groups, beside methods that need no embedding.
Theory: notes/11_embeddings_and_clusters.md
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from tqdm import tqdm

from graph_study.clusterings import ClusteringScores, cluster, cluster_graph, reductions, stability
from graph_study.karate import FACTIONS, communities, factions, karate_graph
from graph_study.node_embeddings import embeddings_of
from shared.checks.intervals import MeanInterval, show_interval
from shared.graph.node_data import NodeData
from shared.graph.planetoid import load_planetoid
from shared.lab.compare import EXACT, ROUNDING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

# A picture may be mirrored or turned; how well it shows the groups is what counts.
TOLERANCE = {"*": TRAINED, "graph_*": ROUNDING, "points.*": Tolerance(compared=False), "groups.*": EXACT}
# In the order of the labels in the published files.
SUBJECTS = (
    "theory", "reinforcement learning", "genetic algorithms", "neural networks", "probabilistic methods", "case based",
    "rule learning",
)  # fmt: skip
NODES = {"karate": 34, "cora": 2708}
MOST_POINTS = 270  # about so many nodes of a large graph are drawn
PRESETS = {
    "cora": {"data": "cora", "seeds": (0, 1, 2)},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["karate", "cora"] = "karate"  # the karate club, or Cora
    seeds: Seeds = (0, 1, 2, 3, 4)  # each makes another network, another UMAP, another k-means
    neighbours: AtLeastTwo = 10  # how many neighbours UMAP looks at, and trustworthiness
    perplexity: PositiveFloat = 10.0  # of t-SNE

    def check(self) -> None:
        """Check that a node has so many neighbours to look at."""
        nodes = NODES[self.data]
        if 2 * self.neighbours >= nodes or self.perplexity >= nodes:
            raise ValueError(
                f"of {nodes} nodes UMAP may look at fewer than {nodes // 2}, and t-SNE's perplexity is below {nodes}; "
                f"got --neighbours {self.neighbours} and --perplexity {self.perplexity:g}"
            )


@dataclass(frozen=True)
class Results:
    # By known groups, embedding and reduction: adjusted Rand index and normalised mutual information of k-means.
    ari: dict[str, dict[str, dict[str, MeanInterval]]]
    nmi: dict[str, dict[str, dict[str, MeanInterval]]]
    # By known groups: what clusters the graph itself.
    graph_ari: dict[str, dict[str, MeanInterval]]
    graph_nmi: dict[str, dict[str, MeanInterval]]
    # By embedding and reduction: how many neighbours on the page are neighbours in the embedding, from 0 to 1.
    trustworthiness: dict[str, dict[str, MeanInterval]]
    # By reduction: ARI between the clusterings of two seeds on one embedding, 1 if the picture is stable.
    stability: dict[str, float]
    # Two coordinates of some nodes, first seed, by embedding and reduction, and the groups to colour them by.
    points: dict[str, dict[str, list[list[float]]]]
    groups: list[int]


def known_groups(config: Config, device: torch.device) -> tuple[NodeData, dict[str, list[int]]]:
    """Return the graph, and the groupings that are known of it."""
    if config.data == "cora":
        data = load_planetoid("cora").to(device)
        return data, {"subjects": data.labels.tolist()}
    data = factions(karate_graph()).to(device)
    return data, {"factions": data.labels.tolist(), "communities": communities().tolist()}


def main(config: Config) -> Results:
    from sklearn.manifold import trustworthiness

    data, known = known_groups(config, pick_device(config.device))
    drawn = np.arange(0, data.graph.num_nodes, max(1, data.graph.num_nodes // MOST_POINTS))
    scores = ClusteringScores()
    points: dict[str, dict[str, list[list[float]]]] = {}
    first: dict[str, np.ndarray] = {}
    again: dict[str, list[np.ndarray]] = {}
    for seed in tqdm(config.seeds, desc="seeds"):
        embeddings = embeddings_of(data, config.data, seed_everything(config.seed + seed))
        first = first or embeddings
        reducers = reductions(config.neighbours, config.perplexity, config.seed + seed)
        for kind, rows in embeddings.items():
            for reduction, reduce in reducers.items():
                reduced = reduce(rows)
                for name, groups in known.items():
                    clustering = cluster(reduced, len(set(groups)), seed)
                    scores.compare("", name, kind, reduction, groups=groups, clustering=clustering)
                if reduction != "none":
                    trust = trustworthiness(rows, reduced, n_neighbors=config.neighbours)
                    scores.add("trust", kind, reduction, score=trust)
                    points.setdefault(kind, {}).setdefault(reduction, reduced[drawn].tolist())
        for reduction, reduce in reducers.items():
            # The same embedding, another seed of the reduction: what changes is not in the data.
            again.setdefault(reduction, []).append(cluster(reduce(first["labels"]), data.num_classes, seed))
        for name, groups in known.items():
            for method, clustering in cluster_graph(data.graph, len(set(groups)), config.seed + seed).items():
                scores.compare("graph_", name, method, groups=groups, clustering=clustering)
    results = Results(
        ari=scores.means("ari"),
        nmi=scores.means("nmi"),
        graph_ari=scores.means("graph_ari"),
        graph_nmi=scores.means("graph_nmi"),
        trustworthiness=scores.means("trust"),
        stability={reduction: stability(clusterings) for reduction, clusterings in again.items()},
        points=points,
        groups=[next(iter(known.values()))[node] for node in drawn],
    )
    report(results)
    return results


def report(results: Results) -> None:
    def line(scores: dict[str, MeanInterval]) -> str:
        return "  ".join(f"{name} {show_interval(*score, '.2f')}" for name, score in scores.items())

    for name, kinds in results.ari.items():
        print(f"Adjusted Rand index with the {name}")
        for kind, scores in kinds.items():
            print(f"  {kind:<12} {line(scores)}")
        print(f"  {'the graph':<12} {line(results.graph_ari[name])}")
    stable = ", ".join(f"{reduction} {value:.2f}" for reduction, value in results.stability.items())
    print(f"Stable over seeds: {stable}")


def names_of_groups(results: Results) -> dict[int, str]:
    """Return what the colours mean: the two factions, or the seven subjects of Cora."""
    names = FACTIONS if "factions" in results.ari else SUBJECTS
    return {group: names[group] for group in sorted(set(results.groups))}


def plot(results: Results) -> Figure:
    """Draw the embeddings, a row for each, by each reduction, coloured by the known groups."""
    names = list(next(iter(results.points.values())))
    figure, axes = new_figure(3.0 * len(names), 2.6 * len(results.points), rows=len(results.points), columns=len(names))
    size = 26 if len(results.groups) < 100 else 6
    colours = [COLOURS[group] for group in results.groups]
    labels = names_of_groups(results)
    for row, (kind, pictures) in zip(axes, results.points.items(), strict=True):
        for axis, name in zip(row, names, strict=True):
            axis.scatter(*zip(*pictures[name], strict=True), c=colours, s=size, linewidths=0)
            axis.set(title=f"{kind}: {name}", xticks=[], yticks=[])
            axis.grid(False)
    handles = [
        Line2D([], [], color=COLOURS[group], marker="o", linestyle="", label=label) for group, label in labels.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
