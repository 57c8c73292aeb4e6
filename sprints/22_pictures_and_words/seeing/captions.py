"""Captions of scenes, with their exact probabilities and entropies, in nats.

    a red plate, a small blue bowl and a white knife. the bowl is left of the knife.

The items stand in random order, and each size is said with probability 1/2. From two items on, a second sentence
says how one of them lies to another: a random ordered pair, and a random one of the relations that are true of it.
"""

import math
import re
from dataclasses import dataclass

import torch

from seeing.scenes import COLOURS, KINDS, MOST_ITEMS, RELATIONS, SIZES, Scene, draw_scene, generator_of, holds
from seeing.scenes import true_relations as relations_of

SIZE_SAID = 0.5  # the probability that a caption says the size of an item
# Two random places share their row with probability 1/4, and their column as well: then one relation is true, else two.
TWO_RELATIONS = 0.5

_ONE_OF = {name: "|".join(words) for name, words in (("k", KINDS), ("c", COLOURS), ("s", SIZES), ("r", RELATIONS))}
_ITEM = rf"a (?:(?:{_ONE_OF['s']}) )?(?:{_ONE_OF['c']}) (?:{_ONE_OF['k']})"
_ITEM_PARTS = re.compile(rf"a (?:({_ONE_OF['s']}) )?({_ONE_OF['c']}) ({_ONE_OF['k']})")
_CAPTION = re.compile(
    rf"({_ITEM}(?:(?:, {_ITEM})* and {_ITEM})?)\."
    rf"(?: the ({_ONE_OF['k']}) is ({_ONE_OF['r']}) the ({_ONE_OF['k']})\.)?"
)


@dataclass(frozen=True)
class Mention:
    """What a caption says of one item; the size is None where it is not said."""

    kind: str
    colour: str
    size: str | None


@dataclass(frozen=True)
class Facts:
    """What a caption says: its items in order, and (kind, relation, kind) of its second sentence, if it has one."""

    mentions: tuple[Mention, ...]
    relation: tuple[str, str, str] | None


def write(facts: Facts) -> str:
    """Return the caption that says these facts."""
    said = [" ".join(filter(None, ("a", item.size, item.colour, item.kind))) for item in facts.mentions]
    sentence = " and ".join(filter(None, (", ".join(said[:-1]), said[-1]))) + "."
    if facts.relation is None:
        return sentence
    first, relation, second = facts.relation
    return f"{sentence} the {first} is {relation} the {second}."


def caption(scene: Scene, generator: torch.Generator) -> str:
    """Return a caption of a scene, drawn as the module says."""
    count = len(scene.items)
    ordered = [scene.items[index] for index in torch.randperm(count, generator=generator).tolist()]
    is_said = (torch.rand(count, generator=generator) < SIZE_SAID).tolist()
    mentions = tuple(
        Mention(item.kind, item.colour, item.size if said else None)
        for item, said in zip(ordered, is_said, strict=True)
    )
    if count == 1:
        return write(Facts(mentions, None))
    one, other = (scene.items[index] for index in torch.randperm(count, generator=generator)[:2].tolist())
    true = relations_of(one, other)
    relation = true[int(torch.randint(len(true), (), generator=generator))]
    return write(Facts(mentions, (one.kind, relation, other.kind)))


def pairs(stream: str, start: int, count: int) -> list[tuple[Scene, str]]:
    """Return the scenes of `scenes(stream, start, count)`, each with one caption: number i is always the same pair."""
    drawn = []
    for index in range(start, start + count):
        generator = generator_of(stream, index)
        scene = draw_scene(generator)
        drawn.append((scene, caption(scene, generator)))
    return drawn


def read_caption(text: str) -> Facts | None:
    """Return what a text says, or None where it is no caption that the grammar can write."""
    match = _CAPTION.fullmatch(text)
    if match is None:
        return None
    mentions = tuple(Mention(kind, colour, size or None) for size, colour, kind in _ITEM_PARTS.findall(match[1]))
    kinds = {item.kind for item in mentions}
    relation = None if match[2] is None else (match[2], match[3], match[4])
    repeated = len(kinds) < len(mentions) or len(mentions) > MOST_ITEMS
    if repeated or (relation is None) != (len(mentions) == 1):
        return None
    if relation is not None and (relation[0] == relation[2] or not {relation[0], relation[2]} <= kinds):
        return None
    return Facts(mentions, relation)


def describes(facts: Facts, scene: Scene) -> bool:
    """Return whether facts name every item of a scene and nothing else, and whether all they say is true."""
    if {said.kind for said in facts.mentions} != {item.kind for item in scene.items}:
        return False
    by_kind = {item.kind: item for item in scene.items}
    for said in facts.mentions:
        item = by_kind[said.kind]
        if said.colour != item.colour or said.size not in (None, item.size):
            return False
    if facts.relation is None:
        return True
    first, relation, second = facts.relation
    return holds(relation, by_kind[first], by_kind[second])


def log_probability(text: str, scene: Scene) -> float:
    """Return log P(text | scene): minus infinity where the text is no caption, or not one of this scene.

    Of n items, an order has the probability 1 / n!, what is said of sizes 1 / 2^n, and from two items on the pair
    1 / (n (n - 1)) and its relation 1 / (number of relations that are true of it).
    """
    facts = read_caption(text)
    if facts is None or not describes(facts, scene):
        return -math.inf
    count = len(scene.items)
    nats = math.log(math.factorial(count)) + count * math.log(2)  # which order, and whether each size is said
    if facts.relation is not None:
        by_kind = {item.kind: item for item in scene.items}
        true = relations_of(by_kind[facts.relation[0]], by_kind[facts.relation[2]])
        nats += math.log(count * (count - 1)) + math.log(len(true))  # which pair, and which of its relations
    return -nats


def log_probability_without_picture(text: str) -> float:
    """Return log P(text), over all scenes: minus infinity where the text is no caption.

    The number of items has the probability 1/4, their kinds in this order 1 / (6 · 5 · ...), each colour 1/6, an
    unsaid size 1/2, a said one 1/4, the pair 1 / (n (n - 1)), and by symmetry each relation 1/4.
    """
    facts = read_caption(text)
    if facts is None:
        return -math.inf
    count = len(facts.mentions)
    sizes = sum(math.log(2) if item.size is None else math.log(4) for item in facts.mentions)
    return -(math.log(MOST_ITEMS) + _kinds_and_colours(count) + sizes + _pair(count, math.log(len(RELATIONS))))


def entropy(count: int | None = None) -> float:
    """Return H(caption), of all captions, or of those that are known to have `count` items."""
    if count is None:
        return math.log(MOST_ITEMS) + sum(entropy(number) for number in range(1, MOST_ITEMS + 1)) / MOST_ITEMS
    # A size: unsaid with probability 1/2, said with 1/4 each: log 2 for whether, and log 2 in half of the cases.
    sizes = count * (1 + SIZE_SAID) * math.log(2)
    return _kinds_and_colours(count) + sizes + _pair(count, math.log(len(RELATIONS)))


def entropy_given_scene(count: int | None = None) -> float:
    """Return H(caption | scene), of all scenes, or of those of `count` items."""
    if count is None:
        return sum(entropy_given_scene(number) for number in range(1, MOST_ITEMS + 1)) / MOST_ITEMS
    order_and_sizes = math.log(math.factorial(count)) + count * math.log(2)
    return order_and_sizes + _pair(count, TWO_RELATIONS * math.log(2))


def _kinds_and_colours(count: int) -> float:
    return math.log(math.perm(len(KINDS), count)) + count * math.log(len(COLOURS))


def _pair(count: int, relation: float) -> float:
    return 0.0 if count == 1 else math.log(count * (count - 1)) + relation
