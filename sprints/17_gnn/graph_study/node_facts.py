"""Four facts about a node, in a sentence and read back from it.

    okra is warm, with ghee, leeks and salmon: a bridge.

The name, the side, the friends, and whether the node is joined with the other side (a bridge).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from graph_study.ingredient_graphs import NAMES, SIDES, SIZE, IngredientGraph

LIST = r"[a-z]+(?:, [a-z]+)*(?: and [a-z]+)?"
SENTENCE = re.compile(rf"([a-z]+) is ([a-z]+), with ({LIST}): (a|no) bridge\.")


class NodeFacts(NamedTuple):
    """What a description says."""

    name: str
    side: str
    friends: frozenset[str]
    bridge: bool


FACTS = NodeFacts._fields


def facts_of(ingredients: IngredientGraph, node: int) -> NodeFacts:
    """Return what is true of a node; a bridge is joined with the other side."""
    friends, sides = ingredients.friends(node), ingredients.sides
    names = frozenset(NAMES[ingredients.names[friend]] for friend in friends)
    bridge = any(sides[friend] != sides[node] for friend in friends)
    return NodeFacts(NAMES[ingredients.names[node]], SIDES[sides[node]], names, bridge)


def all_facts(drawn: Sequence[IngredientGraph]) -> list[NodeFacts]:
    """Return the facts of all nodes of several graphs, in order."""
    return [facts_of(ingredients, node) for ingredients in drawn for node in range(SIZE)]


def describe(facts: NodeFacts) -> str:
    """Return a description; friends in the order of NAMES, so that there is one right text."""
    friends = sorted(facts.friends, key=NAMES.index)
    listed = " and ".join([", ".join(friends[:-1]), friends[-1]] if len(friends) > 1 else friends)
    return f"{facts.name} is {facts.side}, with {listed}: {'a' if facts.bridge else 'no'} bridge."


def read_description(text: str) -> NodeFacts | None:
    """Return the facts that a text says, None if it is no description."""
    match = SENTENCE.fullmatch(text.strip())
    if match is None:
        return None
    name, side, friends, bridge = match.groups()
    return NodeFacts(name, side, frozenset(re.split(r", | and ", friends)), bridge == "a")


def score(texts: Sequence[str], drawn: Sequence[IngredientGraph], nodes: range = range(SIZE)) -> dict[str, float]:
    """Return the share of facts that are right; a text that is no description has none right.

    Args:
        texts: one for each node of each graph.
        drawn: the graphs.
        nodes: those of each graph that count.
    """
    right, count = dict.fromkeys(FACTS, 0), 0
    for row, (text, true) in enumerate(zip(texts, all_facts(drawn), strict=True)):
        if row % SIZE in nodes:
            stated = read_description(text)
            count += 1
            for fact in FACTS:
                right[fact] += stated is not None and getattr(stated, fact) == getattr(true, fact)
    return with_mean({fact: value / count for fact, value in right.items()})


def most_frequent(drawn: Sequence[IngredientGraph]) -> dict[str, float]:
    """Return the share of facts that a text gets right that says the most frequent answer of each."""
    facts = all_facts(drawn)
    return with_mean({fact: largest_share([getattr(node, fact) for node in facts]) for fact in FACTS})


def largest_share(answers: Sequence[object]) -> float:
    """Return the share of the most frequent answer."""
    return max(answers.count(answer) for answer in set(answers)) / len(answers)


def with_mean(shares: dict[str, float]) -> dict[str, float]:
    """Return shares by fact, and their mean as "all"."""
    return {**shares, "all": sum(shares.values()) / len(shares)}
