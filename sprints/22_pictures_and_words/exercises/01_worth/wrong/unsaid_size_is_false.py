"""Wrong: a size that is not said counts as a false one."""

import math

Item = tuple[str, str, int, int]  # colour, size, row from the top, column from the left
Mention = tuple[str, str, str | None]  # kind, colour, size; None where the size is not said


def log_probability(items: dict[str, Item], mentions: list[Mention], relation: tuple[str, str, str] | None) -> float:
    """Return log P(caption | scene) in nats, minus infinity where the caption is not one of this scene."""
    if sorted(items) != sorted(kind for kind, _, _ in mentions):
        return -math.inf
    for kind, said_colour, said_size in mentions:
        colour, size, _, _ = items[kind]
        if said_colour != colour or said_size != size:
            return -math.inf
    count = len(items)
    nats = math.log(math.factorial(count)) + count * math.log(2)
    if relation is not None:
        first, word, second = relation
        (_, _, row, column), (_, _, other_row, other_column) = items[first], items[second]
        is_true = {
            "left of": column < other_column,
            "right of": column > other_column,
            "above": row < other_row,
            "below": row > other_row,
        }
        if not is_true[word]:
            return -math.inf
        nats += math.log(count * (count - 1)) + math.log(sum(is_true.values()))
    return -nats


def entropy_given_scene(count: int) -> float:
    """Return the mean of -log P(caption | scene) in nats: captions differ only in the number of true relations."""
    nats = math.log(math.factorial(count)) + count * math.log(2)
    if count > 1:
        nats += math.log(count * (count - 1)) + 0.5 * math.log(2)
    return nats
