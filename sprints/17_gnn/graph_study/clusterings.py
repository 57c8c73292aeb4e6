"""From embeddings to a picture and to clusters, clusters of a graph itself, and how far two clusterings agree."""

import warnings
from collections.abc import Callable, Sequence

import networkx as nx
import numpy as np

from shared.checks.intervals import mean_interval
from shared.graph.graphs import Graph

Reduction = Callable[[np.ndarray], np.ndarray]


def reductions(num_neighbours: int, perplexity: float, seed: int) -> dict[str, Reduction]:
    """Return ways to two dimensions, and the way that leaves rows as they are.

    Args:
        num_neighbours: how many neighbours UMAP looks at.
        perplexity: of t-SNE: about how many neighbours it looks at.
        seed: of whatever is random in them.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    def umap(rows: np.ndarray) -> np.ndarray:
        from umap import UMAP

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a seed means one thread, and that numba compiles
            return UMAP(n_neighbors=num_neighbours, min_dist=0.1, random_state=seed).fit_transform(rows)

    return {
        "none": lambda rows: rows,
        "PCA": lambda rows: PCA(2, random_state=seed).fit_transform(rows),
        "t-SNE": lambda rows: TSNE(2, perplexity=perplexity, random_state=seed).fit_transform(rows),
        "UMAP": umap,
    }


def cluster(rows: np.ndarray, num_clusters: int, seed: int) -> np.ndarray:
    """Return the cluster of each row, by k-means."""
    from sklearn.cluster import KMeans

    return KMeans(num_clusters, n_init=10, random_state=seed).fit_predict(rows)


def cluster_graph(graph: Graph, num_clusters: int, seed: int) -> dict[str, list[int]]:
    """Return the cluster of each node by methods that need no embedding; Louvain chooses their number itself."""
    from sklearn.cluster import SpectralClustering

    whole = nx.Graph(graph.edge_index.T.tolist())
    whole.add_nodes_from(range(graph.num_nodes))
    groups = nx.community.louvain_communities(whole, seed=seed)
    group_of = {node: group for group, nodes in enumerate(groups) for node in nodes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that Cora is not connected
        spectral = SpectralClustering(num_clusters, affinity="precomputed", random_state=seed)
        parts = spectral.fit_predict(nx.to_numpy_array(whole, nodelist=range(graph.num_nodes)))
    return {"spectral clustering": parts.tolist(), "Louvain": [group_of[node] for node in range(graph.num_nodes)]}


def agreement(clustering: Sequence[int] | np.ndarray, groups: Sequence[int] | np.ndarray) -> tuple[float, float]:
    """Return the adjusted Rand index and the normalised mutual information of two clusterings."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    pair = (groups, clustering)
    return float(adjusted_rand_score(*pair)), float(normalized_mutual_info_score(*pair))


def stability(clusterings: Sequence[np.ndarray]) -> float:
    """Return the mean adjusted Rand index of all pairs of clusterings, 1 for a single one."""
    pairs = [(later, earlier) for number, later in enumerate(clusterings) for earlier in clusterings[:number]]
    return float(np.mean([agreement(earlier, later)[0] for later, earlier in pairs])) if pairs else 1.0


class ClusteringScores:
    """Scores of all seeds by measure, and by words that say what was scored: known groups, embedding, reduction."""

    def __init__(self) -> None:
        self.values: dict[str, dict[tuple[str, ...], list[float]]] = {}

    def add(self, measure: str, *words: str, score: float) -> None:
        """Add the score of one seed."""
        self.values.setdefault(measure, {}).setdefault(words, []).append(float(score))

    def compare(self, of: str, *words: str, groups: list[int], clustering: list[int] | np.ndarray) -> None:
        """Add how far a clustering agrees with known groups, as the measures `of` + "ari" and `of` + "nmi"."""
        ari, nmi = agreement(clustering, groups)
        self.add(f"{of}ari", *words, score=ari)
        self.add(f"{of}nmi", *words, score=nmi)

    def means(self, measure: str) -> dict:
        """Return means and intervals as nested dictionaries: the last word is the innermost."""
        nested: dict = {}
        for words, scores in self.values.get(measure, {}).items():
            inner = nested
            for word in words[:-1]:
                inner = inner.setdefault(word, {})
            inner[words[-1]] = mean_interval(scores)
        return nested
