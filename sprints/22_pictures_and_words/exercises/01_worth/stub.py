"""How probable is a caption, if one sees the table?

Fill in `log_probability` and `entropy_given_scene`. Then look how far you are, as often as you like:

    uv run sprints check 22.1
    uv run sprints hint 22.1

Theory: note 3 of this sprint.
"""

Item = tuple[str, str, int, int]  # colour, size, row from the top, column from the left
Mention = tuple[str, str, str | None]  # kind, colour, size; None where the size is not said


def log_probability(items: dict[str, Item], mentions: list[Mention], relation: tuple[str, str, str] | None) -> float:
    """Return log P(caption | scene) in nats, minus infinity where the caption is not one of this scene.

    A caption names all items in random order, and says the size of each with probability 1/2. From two items on, a
    second sentence takes a random ordered pair of them, and says a random one of the relations that are true of it.

    Args:
        items: what lies on the table, by kind, such as {"plate": ("red", "large", 1, 0)}.
        mentions: what the caption says of items, in its order, such as [("plate", "red", None)].
        relation: its second sentence, such as ("plate", "left of", "bowl"), or None if there is one item. The words
            are "left of", "right of", "above" and "below"; the first two compare columns, the others rows.
    """
    raise NotImplementedError


def entropy_given_scene(count: int) -> float:
    """Return the mean of -log P(caption | scene) in nats, over all scenes of `count` items and their captions.

    The places of two items are any two different places of 3 x 3: with probability 1/4 they are in one row, with 1/4
    in one column.
    """
    raise NotImplementedError
