"""Where the nats of a caption are: in number, kinds, order, colours, ..., without the picture, and with it.

What a picture is worth is the difference: the mutual information of captions and scenes.
"""

import math

from seeing.captions import SIZE_SAID, TWO_RELATIONS, log_probability, read_caption
from seeing.scenes import COLOURS, KINDS, MOST_ITEMS, RELATIONS, Scene, true_relations

PARTS = ("number", "kinds", "order", "colours", "whether sizes", "sizes", "which pair", "relation")
# What no picture tells: the writer of a caption decides these by a coin.
WRITERS = ("order", "whether sizes", "which pair")


def of_caption(text: str, scene: Scene | None = None) -> dict[str, float]:
    """Return the nats of one caption by `PARTS`: their sum is -log P(text), or -log P(text | scene) with a scene.

    Raises:
        ValueError: no caption, or none of this scene.
    """
    facts = read_caption(text)
    if facts is None:
        raise ValueError(f"no caption of a laid table: {text!r}")
    if scene is not None and log_probability(text, scene) == -math.inf:
        raise ValueError(f"the caption says what the scene does not have: {text!r}")
    said, relation = sum(item.size is not None for item in facts.mentions), 0.0
    if facts.relation is not None:
        kinds = facts.relation[0], facts.relation[2]
        true = len(RELATIONS) if scene is None else _true(scene, *kinds)
        relation = math.log(true)
    return _parts(len(facts.mentions), said, relation, seen=scene is not None)


def on_average(count: int, *, seen: bool) -> dict[str, float]:
    """Return the mean nats of captions of `count` items by `PARTS`, without the picture or with it."""
    relation = TWO_RELATIONS * math.log(2) if seen else math.log(len(RELATIONS))
    return _parts(count, count * SIZE_SAID, relation if count > 1 else 0.0, seen=seen)


def _parts(count: int, said: float, relation: float, *, seen: bool) -> dict[str, float]:
    hidden = {
        "number": math.log(MOST_ITEMS),
        "kinds": math.log(math.comb(len(KINDS), count)),
        "colours": count * math.log(len(COLOURS)),
        "sizes": said * math.log(2),
    }
    drawn = {
        "order": math.log(math.factorial(count)),
        "whether sizes": count * math.log(2),
        "which pair": math.log(count * (count - 1)) if count > 1 else 0.0,
        "relation": relation,
    }
    nats = drawn | (dict.fromkeys(hidden, 0.0) if seen else hidden)
    return {name: nats[name] for name in PARTS}


def _true(scene: Scene, first: str, second: str) -> int:
    one, other = scene.item(first), scene.item(second)
    return len(true_relations(one, other)) if one and other else 0
