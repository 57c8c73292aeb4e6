"""How often is the right name found for a picture, and the right picture for a name, among the glyphs of a style?"""

from collections.abc import Callable, Sequence
from statistics import mean

import torch
from jaxtyping import Float
from torch import Tensor

from seeing.glyph_study import Examined
from seeing.glyphs import Glyphs, as_input, ceiling
from seeing.name_tokens import NameTokens
from seeing.retrieval import recall
from seeing.two_towers import TwoTowers

Recalls = dict[str, float]  # "known: name to picture @1" and so on
Scorer = Callable[[Glyphs], Float[Tensor, "pictures names"]]
KS = (1, 10)


def measure(styles: Sequence[Examined], scorer: Scorer) -> Recalls:
    """Return recall@1 and @10 both ways, for known and for unknown names, as the mean over styles.

    The candidates are the glyphs of one style whose names are known, or unknown, as the one that is asked for.
    """
    found: dict[str, list[float]] = {}
    for kind, glyphs in _asked(styles):
        scores = scorer(glyphs)
        for way, table in (("picture to name", scores), ("name to picture", scores.mT)):
            for k in KS:
                found.setdefault(f"{kind}: {way} @{k}", []).append(recall(table, k=min(k, len(glyphs))))
    return {what: mean(values) for what, values in found.items()}


def best_possible(styles: Sequence[Examined]) -> Recalls:
    """Return the best recall that there can be, by the names of `measure`: some glyphs look the same."""
    best: dict[str, list[float]] = {}
    for kind, glyphs in _asked(styles):
        for way in ("picture to name", "name to picture"):
            for k in KS:
                best.setdefault(f"{kind}: {way} @{k}", []).append(ceiling(glyphs.pictures, k))
    return {what: mean(values) for what, values in best.items()}


def worth(found: Recalls) -> float:
    """Return what settings are chosen by: the mean of recall@1 of known names, both ways."""
    return mean([found["known: picture to name @1"], found["known: name to picture @1"]])


@torch.inference_mode()
def meetings(tokens: NameTokens, towers: TwoTowers, glyphs: Glyphs) -> Float[Tensor, "pictures names"]:
    """Return the cosine of each picture's vector with each name's."""
    return towers.encode_pictures(as_input(glyphs.pictures)) @ towers.encode_texts(tokens.encode(glyphs.names)).mT


def _asked(styles: Sequence[Examined]) -> list[tuple[str, Glyphs]]:
    pairs = [
        (kind, glyphs) for style in styles for kind, glyphs in (("known", style.known), ("unknown", style.unknown))
    ]
    return [(kind, glyphs) for kind, glyphs in pairs if len(glyphs)]
