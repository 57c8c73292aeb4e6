"""Do clusters of node embeddings show the groups of a graph, and does UMAP show more of them than PCA?

    uv run sprints/17_gnn/cluster_embeddings.py
    uv run sprints/17_gnn/cluster_embeddings.py --data cora --seeds 0 1 2

Embeddings of an untrained network, of one trained on edges alone and of one trained on labels; reduced to two
dimensions, clustered by k-means and scored against known groups, beside methods that need no embedding.
Theory: notes/07_embeddings_and_clusters.md
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import networkx as nx
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from graph_study.karate import communities, factions, karate_graph, train_on_two_labels
from graph_study.karate import network as karate_network
from graph_study.node_networks import NodeData, NodeNetwork, gcn, train_network
from graph_study.planetoid import load_planetoid
from shared.checks.intervals import mean_interval
from shared.graph.graphs import Graph
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

PRESETS = {
    "cora": {"data": "cora", "seeds": (0, 1, 2)},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["karate", "cora"] = "karate"  # the karate club, or Cora
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)  # each makes another network, another UMAP, another k-means
    neighbours: int = 10  # how many neighbours UMAP looks at, and trustworthiness
    perplexity: float = 10.0  # of t-SNE


Score = tuple[float, float]  # mean over the seeds, and half of its 95 % interval


@dataclass(frozen=True)
class Results:
    # By known groups, embedding and reduction: adjusted Rand index and normalised mutual information of k-means.
    ari: dict[str, dict[str, dict[str, Score]]]
    nmi: dict[str, dict[str, dict[str, Score]]]
    # By known groups: what clusters the graph itself.
    graph_ari: dict[str, dict[str, Score]]
    graph_nmi: dict[str, dict[str, Score]]
    # By embedding and reduction: how many neighbours on the page are neighbours in the embedding, from 0 to 1.
    trustworthiness: dict[str, dict[str, Score]]
    # By reduction: ARI between the clusterings of two seeds on one embedding, 1 if the picture is stable.
    stability: dict[str, float]
    # Two coordinates of some nodes, first seed, by embedding and reduction, and the groups to colour them by.
    points: dict[str, dict[str, list[list[float]]]]
    groups: list[int]


def decode(embeddings: Tensor, pairs: Tensor) -> Tensor:
    """Return the logit that each pair, (2, pairs), is an edge: the product of the two embeddings."""
    return (embeddings[pairs[0]] * embeddings[pairs[1]]).sum(dim=1)


def train_on_edges(model: NodeNetwork, data: NodeData, steps: int, generator: torch.Generator) -> None:
    """Train a graph autoencoder (Kipf & Welling 2016): embeddings of neighbours agree, of random pairs do not.

    No label is used.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    edges, nodes = data.graph.edges, data.graph.nodes
    for _ in range(steps):
        optimizer.zero_grad()
        others = torch.randint(nodes, edges.shape, generator=generator).to(edges.device)
        logits = decode(model(data.features, data.graph), torch.cat([edges, others], dim=1))
        targets = torch.cat([torch.ones(edges.shape[1]), torch.zeros(edges.shape[1])]).to(logits.device)
        functional.binary_cross_entropy_with_logits(logits, targets).backward()
        optimizer.step()


def embeddings_of(data: NodeData, name: str, generator: torch.Generator) -> dict[str, np.ndarray]:
    """Return the embeddings of one seed: (nodes, 16) each."""
    width, found = data.features.shape[1], {}
    make = (lambda: karate_network(width, 16)) if name == "karate" else (lambda: gcn(width, data.classes))
    model = make().to(data.features.device)
    found["untrained"] = model.eval().embed(data.features, data.graph)
    encoder = gcn(width, 16, hidden=32, dropout=0.0).to(data.features.device)
    train_on_edges(encoder, data, 200, generator)
    found["edges"] = encoder(data.features, data.graph)
    if name == "karate":
        list(train_on_two_labels(model, data, 200, 0.01))
    else:
        list(train_network(model, data, steps=500, learning_rate=0.01, weight_decay=5e-4))
    found["labels"] = model.eval().embed(data.features, data.graph)
    return {kind: rows.detach().cpu().numpy() for kind, rows in found.items()}


def reductions(config: Config, seed: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return ways to two dimensions, and the way that leaves rows as they are."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    def umap(rows: np.ndarray) -> np.ndarray:
        from umap import UMAP

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a seed means one thread, and that numba compiles
            return UMAP(n_neighbors=config.neighbours, min_dist=0.1, random_state=seed).fit_transform(rows)

    return {
        "none": lambda rows: rows,
        "PCA": lambda rows: PCA(2, random_state=seed).fit_transform(rows),
        "t-SNE": lambda rows: TSNE(2, perplexity=config.perplexity, random_state=seed).fit_transform(rows),
        "UMAP": umap,
    }


def cluster(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    return KMeans(count, n_init=10, random_state=seed).fit_predict(rows)


def cluster_graph(graph: Graph, count: int, seed: int) -> dict[str, list[int]]:
    """Return clusterings that no embedding was made for."""
    from sklearn.cluster import SpectralClustering

    whole = nx.Graph(graph.edges.T.tolist())
    whole.add_nodes_from(range(graph.nodes))
    groups = nx.community.louvain_communities(whole, seed=seed)
    of = {node: group for group, nodes in enumerate(groups) for node in nodes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that Cora is not connected
        spectral = SpectralClustering(count, affinity="precomputed", random_state=seed)
        parts = spectral.fit_predict(nx.to_numpy_array(whole, nodelist=range(graph.nodes)))
    return {"spectral clustering": parts.tolist(), "Louvain": [of[node] for node in range(graph.nodes)]}


def known_groups(config: Config, device: torch.device) -> tuple[NodeData, dict[str, list[int]]]:
    """Return the graph, and the groupings that are known of it."""
    if config.data == "cora":
        data = load_planetoid("cora").to(device)
        return data, {"subjects": data.labels.tolist()}
    data = factions(karate_graph()).to(device)
    return data, {"factions": data.labels.tolist(), "communities": communities().tolist()}


def summary(values: dict[tuple[str, ...], list[float]]) -> dict:
    """Return means and intervals as nested dictionaries: the last word of a key is the innermost."""
    nested: dict = {}
    for key, its in values.items():
        place = nested
        for word in key[:-1]:
            place = place.setdefault(word, {})
        place[key[-1]] = mean_interval(its)
    return nested


def stability(clusterings: list[np.ndarray]) -> float:
    """Return the mean ARI of all pairs of clusterings, 1 for a single one."""
    from sklearn.metrics import adjusted_rand_score

    pairs = [(one, other) for place, one in enumerate(clusterings) for other in clusterings[:place]]
    return float(np.mean([adjusted_rand_score(*pair) for pair in pairs])) if pairs else 1.0


def main(config: Config) -> Results:
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    device = pick_device(config.device)
    data, known = known_groups(config, device)
    drawn = np.arange(0, data.graph.nodes, max(1, data.graph.nodes // 270))
    values: dict[str, dict[tuple[str, ...], list[float]]] = {
        name: {} for name in ("ari", "nmi", "graph_ari", "graph_nmi", "trust")
    }
    points: dict[str, dict[str, list[list[float]]]] = {}
    first: dict[str, np.ndarray] = {}
    again: dict[str, list[np.ndarray]] = {}

    def note(kind: str, *key: str, value: float) -> None:
        values[kind].setdefault(key, []).append(float(value))

    def score(kind: str, *key: str, groups: list[int], found: list[int] | np.ndarray) -> None:
        note(f"{kind}ari", *key, value=adjusted_rand_score(groups, found))
        note(f"{kind}nmi", *key, value=normalized_mutual_info_score(groups, found))

    for seed in tqdm(config.seeds, desc="seeds"):
        generator = seed_everything(config.seed + seed)
        embeddings = embeddings_of(data, config.data, generator)
        first = first or embeddings
        ways = reductions(config, config.seed + seed)
        for kind, rows in embeddings.items():
            for name, reduce in ways.items():
                reduced = reduce(rows)
                for group, groups in known.items():
                    score("", group, kind, name, groups=groups, found=cluster(reduced, len(set(groups)), seed))
                if name != "none":
                    note("trust", kind, name, value=trustworthiness(rows, reduced, n_neighbors=config.neighbours))
                    points.setdefault(kind, {}).setdefault(name, reduced[drawn].tolist())
        for name, reduce in ways.items():
            # The same embedding, another seed of the reduction: what changes is not in the data.
            again.setdefault(name, []).append(cluster(reduce(first["labels"]), data.classes, seed))
        for group, groups in known.items():
            for name, found in cluster_graph(data.graph, len(set(groups)), config.seed + seed).items():
                score("graph_", group, name, groups=groups, found=found)
    results = Results(
        ari=summary(values["ari"]),
        nmi=summary(values["nmi"]),
        graph_ari=summary(values["graph_ari"]),
        graph_nmi=summary(values["graph_nmi"]),
        trustworthiness=summary(values["trust"]),
        stability={name: stability(its) for name, its in again.items()},
        points=points,
        groups=[next(iter(known.values()))[node] for node in drawn],
    )
    report(results)
    return results


def report(results: Results) -> None:
    for group, kinds in results.ari.items():
        print(f"Adjusted Rand index with the {group}")
        for kind, ways in kinds.items():
            print(f"  {kind:<12}", "  ".join(f"{name} {mean:.2f} +- {half:.2f}" for name, (mean, half) in ways.items()))
        ways = results.graph_ari[group]
        print(
            f"  {'the graph':<12}", "  ".join(f"{name} {mean:.2f} +- {half:.2f}" for name, (mean, half) in ways.items())
        )
    print("Stable over seeds:", ", ".join(f"{name} {value:.2f}" for name, value in results.stability.items()))


def plot(results: Results) -> Figure:
    """Draw the embeddings, a row for each, by each reduction, coloured by the known groups."""
    ways = list(next(iter(results.points.values())))
    figure, axes = new_figure(3.0 * len(ways), 2.6 * len(results.points), rows=len(results.points), columns=len(ways))
    size = 26 if len(results.groups) < 100 else 6
    for row, (kind, places) in zip(axes, results.points.items(), strict=True):
        for place, name in zip(row, ways, strict=True):
            colours = [COLOURS[group] for group in results.groups]
            place.scatter(*zip(*places[name], strict=True), c=colours, s=size, linewidths=0)
            place.set(title=f"{kind}: {name}", xticks=[], yticks=[])
            place.grid(False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
