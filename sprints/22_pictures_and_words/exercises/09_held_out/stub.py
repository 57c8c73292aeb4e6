"""What may be asked for in a style that was held out, and what a perfect model can find.

Fill in both functions. Then look how far you are:

    uv run sprints check 22.9
    uv run sprints hint 22.9

A picture is its bytes here, so that two pictures are the same if they are equal: `b"P"` may be any picture.
"""


def asked_for(
    names: list[str], pictures: list[bytes], training_names: list[str], training_pictures: list[bytes]
) -> list[bool]:
    """Return for each glyph of a held-out style whether it may be asked for.

    Its name must be a training name: the towers have met it in another style. Its picture must not be a training
    picture, of whichever name: a model that remembers pictures would be rewarded for that.

    Args:
        names: of the held-out style.
        pictures: of the same glyphs.
        training_names: of all training glyphs.
        training_pictures: of the same glyphs.
    """
    raise NotImplementedError


def best_recall(pictures: list[bytes], k: int) -> float:
    """Return the best recall@k that there can be among these pictures, all of which have different names.

    A model that is given a name knows what the picture looks like. If m pictures look the same, it puts these m first
    and in random order, and the right one is among the first k with a probability that you can say.
    """
    raise NotImplementedError
