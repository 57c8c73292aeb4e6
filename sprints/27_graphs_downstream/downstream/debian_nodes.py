"""Debian's packages as nodes with words: links are dependencies, the label is the section of the archive."""

import random
from collections import Counter
from typing import NamedTuple

import torch

from downstream.node_training import Nodes
from shared.graph.graphs import Graph
from shared.text.debian import dependency_links, read_packages

SHARES = (0.6, 0.2, 0.2)  # of the families: train, choose, test


class DebianNodes(NamedTuple):
    """The nodes, how many sections there are, the share without a link, and how many packages a family has."""

    nodes: Nodes
    sections: int
    alone: float
    per_family: float


def debian_nodes(count: int, words: int, least: int, seed: int) -> DebianNodes:
    """Return packages, their words as numbers, links from who needs to what is needed, and three splits by families.

    The numbers are counts of words, weighted by how rare a word is (tf-idf), and reduced to `words` columns by a
    singular value decomposition (latent semantic analysis). They see the texts of all splits, and no label.

    Args:
        count: packages that are drawn; more than there are takes all.
        words: columns.
        least: sections with fewer packages are left out.
        seed: of the draw and the splits.

    Raises:
        DataError: the data is not there.
        ValueError: fewer than two sections are large enough.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    generator = random.Random(seed)
    packages = read_packages()
    packages = generator.sample(packages, min(count, len(packages)))
    sizes = Counter(package.section for package in packages)
    packages = [package for package in packages if sizes[package.section] >= least]
    sections = sorted({package.section for package in packages})
    if len(sections) < 2:
        raise ValueError(f"two sections or more must have {least} packages; of {count:,} packages {len(sections)} have")
    texts = [f"{package.short}\n{package.long}" for package in packages]
    counted = TfidfVectorizer(sublinear_tf=True, min_df=3, max_features=30_000).fit_transform(texts)
    reduced = TruncatedSVD(words, random_state=seed).fit_transform(counted)
    features = torch.from_numpy(reduced).float()
    features = features / features.std(dim=0)
    graph = Graph(torch.tensor(dependency_links(packages)).reshape(-1, 2).T.contiguous(), len(packages))
    families = sorted({package.family for package in packages})
    generator.shuffle(families)
    part_of, ends = {}, [round(len(families) * sum(SHARES[: number + 1])) for number in range(3)]
    for number, family in enumerate(families):
        part_of[family] = next(part for part, end in enumerate(ends) if number < end)
    parts = torch.tensor([part_of[package.family] for package in packages])
    labels = torch.tensor([sections.index(package.section) for package in packages])
    nodes = Nodes(features, graph, labels, parts == 0, parts == 1, parts == 2)
    linked = torch.zeros(len(packages), dtype=torch.bool)
    linked[graph.edge_index.flatten()] = True
    return DebianNodes(nodes, len(sections), 1 - linked.double().mean().item(), len(packages) / len(families))
