"""Where a word looks, and what it needs: attention to the place of a thing, and what is lost without the thing."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from seeing.describing import end_of
from seeing.drawing import pictures
from seeing.scenes import SIDE, Item, Scene
from seeing.vision_language import VisionLanguageModel

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

PARTS = ("colour", "kind")


@dataclass(frozen=True)
class Spot:
    """A word of a caption that names a part of a thing.

    Args:
        part: "colour" or "kind".
        item: the thing.
        index: the number of the token that begins the word, in the caption behind its end token.
    """

    part: str
    item: Item
    index: int


def spots(scene: Scene, caption: str, tokenizer: "PreTrainedTokenizerBase") -> tuple[list[int], list[Spot]]:
    """Return a caption's token ids behind the end token, and the words of its first sentence that name things.

    Raises:
        ValueError: the caption names a thing that the scene does not have.
    """
    encoded = tokenizer(caption, add_special_tokens=False, return_offsets_mapping=True)
    found = []
    for match in re.finditer(r"a (?:small |large )?(?P<colour>\w+) (?P<kind>\w+)", caption.partition(".")[0]):
        item = scene.item(match["kind"])
        if item is None:
            raise ValueError(
                f"the caption must be one of its scene; got {caption!r}, in which there is no {match['kind']}"
            )
        for part in PARTS:
            starts = [start + caption[start:end].startswith(" ") for start, end in encoded["offset_mapping"]]
            found.append(Spot(part, item, 1 + starts.index(match.start(part))))
    return [end_of(tokenizer), *encoded["input_ids"]], found


def place_shares(looked: Float[Tensor, "*rest patches"]) -> Float[Tensor, "*rest places"]:
    """Return the shares of the nine places, given those of the patches, of which a place has one, four or more."""
    across = round(looked.shape[-1] ** 0.5) // SIDE
    squares = looked.unflatten(-1, (SIDE, across, SIDE, across))
    return squares.sum(dim=(-3, -1)).flatten(-2)


def looks_at_own_place(
    model: VisionLanguageModel, scene: Scene, ids: list[int], found: list[Spot]
) -> dict[str, Float[Tensor, "words layers heads"]]:
    """Return for each part the share of the attention to the picture that goes to the thing's own place.

    It is the attention of the token before the word, from which the word is predicted. A head whose attention to the
    picture rounds to nothing has a share of 0.
    """
    weights = model.attention_to_patches(pictures([scene]), torch.tensor([ids]))[0]  # (layers, heads, tokens, patches)
    shares = place_shares(weights)
    shares = shares / shares.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(shares.dtype).tiny)
    return {
        part: torch.stack(
            [
                shares[:, :, spot.index - 1, spot.item.row * SIDE + spot.item.column]
                for spot in found
                if spot.part == part
            ]
        )
        for part in PARTS
    }


@torch.inference_mode()
def lost_without(
    model: VisionLanguageModel, scene: Scene, ids: list[int], found: list[Spot], gone: Item
) -> dict[str, list[tuple[bool, float]]]:
    """Return for each word whether it names the thing that was removed, and by how many nats it became less likely.

    Args:
        gone: the thing that is removed from the picture; the scene has another one at least.
    """
    rest = Scene(tuple(item for item in scene.items if item != gone))
    tokens = torch.tensor([ids]).expand(2, -1)
    with_it, without = model(pictures([scene, rest]), tokens).log_softmax(dim=-1)  # (tokens, vocab) each
    lost: dict[str, list[tuple[bool, float]]] = {part: [] for part in PARTS}
    for spot in found:
        word = ids[spot.index]
        nats = with_it[spot.index - 1, word] - without[spot.index - 1, word]
        lost[spot.part].append((spot.item == gone, nats.item()))
    return lost
