"""A larder as text: which edges stand in a prompt, and what a reader can get out of them.

An edge is two tokens, its names. Which edges come first decides what a budget lets through.
"""

from collections.abc import Callable, Sequence

import torch

from downstream.larder_questions import ASKED, KINDS, SIZE, Larder, Question, kind_of, of_kind
from downstream.steiner import PrizedGraph, steiner_tree

Edges = list[tuple[int, int]]
EDGE_TOKENS = 2
PRIZE = 3.5  # of each node of the asked kind; an edge costs 1, so a keeper three edges away is worth its way


def whole_larder(larder: Larder, _: Question, generator: torch.Generator) -> Edges:
    """Return all edges in a random order, as in a table that is sorted by something else than the question."""
    return [larder.edges[edge] for edge in torch.randperm(len(larder.edges), generator=generator).tolist()]


def nearest_edges(larder: Larder, question: Question, generator: torch.Generator) -> Edges:
    """Return all edges that lead away from the thing, the nearest first, equally near ones in a random order."""
    left, ordered, reached = whole_larder(larder, question, generator), [], [question.thing]
    for node in reached:
        for edge in [edge for edge in left if node in edge]:
            left.remove(edge)
            ordered.append(edge)
            reached += [other for other in edge if other not in reached]
    return ordered


def steiner_edges(larder: Larder, question: Question, generator: torch.Generator, prize: float = PRIZE) -> Edges:
    """Return the edges of a Steiner tree, nearest first: its root is the thing, and all of the asked kind have prizes.

    So the prizes say which kind is asked for, and not which node of that kind is the answer.
    """
    asked = of_kind(ASKED[question.hops - 1])
    return _tree(larder, question, generator, [prize if node in asked else 0.0 for node in range(SIZE)])


def edges_to_the_answer(larder: Larder, question: Question, generator: torch.Generator, prize: float = PRIZE) -> Edges:
    """Return the edges of a Steiner tree whose only prize is at the answer: wrong, whoever needs no question has it."""
    answer = larder.answer(question)
    return _tree(larder, question, generator, [prize if node == answer else 0.0 for node in range(SIZE)])


def _tree(larder: Larder, question: Question, generator: torch.Generator, prizes: Sequence[float]) -> Edges:
    graph = PrizedGraph(larder.edges, [1.0] * len(larder.edges), prizes, question.thing)
    part = tuple(larder.edges[edge] for edge in steiner_tree(graph).edges)
    return nearest_edges(Larder((), part), question, generator)


WAYS: dict[str, Callable[[Larder, Question, torch.Generator], Edges]] = {
    "whole larder": whole_larder,
    "nearest edges": nearest_edges,
    "Steiner tree": steiner_edges,
    "tree to the answer": edges_to_the_answer,
}
PRIZED = ("Steiner tree", "tree to the answer")  # those that take a prize


def follow(edges: Sequence[tuple[int, int]], question: Question) -> int | None:
    """Return the answer to a question if these edges lead to it, else None; nothing but the edges is read."""
    node: int | None = question.thing
    for asked in ASKED[: question.hops]:
        node = next((up for low, up in edges if low == node and kind_of(up) == asked), None)
    return node


def reader_chance(edges: Sequence[tuple[int, int]], question: Question, answer: int) -> float:
    """Return how probably a reader is right who follows these edges, and guesses as a blind one where they end."""
    found = follow(edges, question)
    return blind_chance(edges, question, answer) if found is None else float(found == answer)


def blind_chance(edges: Sequence[tuple[int, int]], question: Question, answer: int) -> float:
    """Return how probably a reader is right who knows which kind is asked for, but not of which thing.

    It guesses among the nodes of this kind in the text; where there is none, among all names of the kind.
    """
    asked = ASKED[question.hops - 1]
    seen = {node for edge in edges for node in edge if kind_of(node) == asked}
    return (answer in seen) / len(seen) if seen else 1 / len(KINDS[asked])
