"""Which facts of a written caption are right: number, kinds, colours, sizes, relation; and what chance reaches."""

from seeing.captions import read_caption
from seeing.scenes import KINDS, MOST_ITEMS, Scene, holds

FACTS = ("caption", "number", "kind", "colour", "size", "relation")
# What a caption of another scene gets. Of 2.5 kinds out of 6 each is there with probability 2.5 / 6; a relation holds
# between two random places with probability 3/8.
CHANCE = {
    "caption": 1.0,
    "number": 1 / MOST_ITEMS,
    "kind": (MOST_ITEMS + 1) / 2 / len(KINDS),
    "colour": 1 / 6,
    "size": 1 / 2,
    "relation": 3 / 8,
}


def facts_right(text: str, scene: Scene) -> dict[str, tuple[int, int]]:
    """Return for each of `FACTS` how many statements are right, and how many were made.

    "caption": whether the text is a caption at all; one that is not states nothing else. A colour and a size are only
    asked of kinds that are there, a relation only between two of them, so each has one `CHANCE`.
    """
    facts = read_caption(text)
    if facts is None:
        return {name: (0, int(name == "caption")) for name in FACTS}
    there = [(said, item) for said in facts.mentions if (item := scene.item(said.kind)) is not None]
    sized = [said.size == item.size for said, item in there if said.size is not None]
    found = {
        "caption": [True],
        "number": [len(facts.mentions) == len(scene.items)],
        "kind": [scene.item(said.kind) is not None for said in facts.mentions],
        "colour": [said.colour == item.colour for said, item in there],
        "size": sized,
        "relation": [],
    }
    if facts.relation is not None:
        first, second = scene.item(facts.relation[0]), scene.item(facts.relation[2])
        if first is not None and second is not None:
            found["relation"] = [holds(facts.relation[1], first, second)]
    return {name: (sum(right), len(right)) for name, right in found.items()}
