"""Checks of a checkpoint for any number of processes: cut, saved, loaded by others, and the rows read from there."""

import math
from itertools import pairwise
from typing import Any

from shared.lab.checking import expect

ELEVEN = [float(number) for number in range(11)]
AVERAGES = [number / 10 for number in range(11)]


def pieces(rows: list[float], size: int) -> list[list[float]]:
    """Return consecutive pieces of equal length, rounded up."""
    length = math.ceil(len(rows) / size)
    return [rows[rank * length : (rank + 1) * length] for rank in range(size)]


def balanced(rows: list[float], size: int) -> list[list[float]]:
    """Return consecutive pieces whose lengths differ by one at most."""
    least, more = divmod(len(rows), size)
    edges = [rank * least + min(rank, more) for rank in range(size + 1)]
    return [rows[start:end] for start, end in pairwise(edges)]


def states(size: int, position: int = 12) -> list[dict[str, Any]]:
    """Return what each of so many processes has."""
    shards = zip(pieces(ELEVEN, size), pieces(AVERAGES, size), strict=True)
    return [{"weight": weight, "average": average, "position": position} for weight, average in shards]


def whole(position: int = 12) -> dict[str, Any]:
    """Return what is saved."""
    return {"weight": ELEVEN, "average": AVERAGES, "position": position}


def mistaken_cuts(rows: list[float], size: int) -> dict[str, Any]:
    """Return what the usual mistakes make of the rows."""
    least = len(rows) // size
    return {
        "These are every size-th row. A shard is a piece of consecutive rows, so that shards one behind the other are "
        "the weight.": [rows[rank::size] for rank in range(size)],
        "The last rows are in no shard: the length of a piece was rounded down.": [
            rows[rank * least : (rank + 1) * least] for rank in range(size)
        ],
        "The lengths are as equal as they can be. The rule here is another one: each piece has the length that is "
        "rounded up, as long as there are rows.": balanced(rows, size),
    }


def check_rows_are_cut_into_pieces(learner: Any) -> None:
    """11 rows for 1, 2, 3, 4 and 5 processes, and 9 for 4, of which the last has nothing."""
    for rows, size in ((ELEVEN, 3), (ELEVEN, 1), (ELEVEN, 2), (ELEVEN, 4), (ELEVEN, 5), (ELEVEN[:9], 4)):
        expect(learner.cut, {"rows": rows, "size": size}, pieces(rows, size), mistaken_cuts(rows, size))


def check_what_is_saved_is_what_one_process_has(learner: Any) -> None:
    """States of 1, 2, 3 and 4 processes are saved as one."""
    for size in (3, 1, 2, 4):
        mistakes = {
            "The averages of the optimizer are missing: the next steps would begin anew.": {
                "weight": ELEVEN, "position": 12
            },
            "The position was added up. It is the same in every process: it counts the rows of all of them.": {
                **whole(), "position": 12 * size
            },
            "Only the shard of the first process is saved.": states(size)[0],
        }  # fmt: skip
        expect(learner.save, {"processes": states(size)}, whole(), mistakes)


def check_others_go_on(learner: Any) -> None:
    """1, 2, 3, 4 and 5 processes load a checkpoint."""
    for size in (2, 1, 3, 4, 5):
        right = states(size)
        mistakes = {
            "Every process has the whole weight: cut it.": [whole() for _ in range(size)],
            "The average is whole, and the weight is cut: the optimizer keeps one number for each of its own.": [
                {**state, "average": AVERAGES} for state in right
            ],
            "The position was divided by the number of processes. It is that of the stream, which all share.": [
                {**state, "position": 12 // size} for state in right
            ],
            "The averages are zero: they have to be restored, too.": [
                {**state, "average": [0.0] * len(state["weight"])} for state in right
            ],
        }
        expect(learner.load, {"checkpoint": whole(), "size": size}, right, mistakes)


def check_every_row_is_read_once(learner: Any) -> None:
    """Batches of 12 rows, read by 1, 2, 3, 4 and 6 processes from position 12 on."""
    for size in (3, 2, 1, 4, 6):
        for rank in range(size):
            share = 12 // size
            mistakes = {
                "These rows begin at 0: the position is missing.": list(range(rank, 12, size)),
                "The position was counted for each process: row 12 of the stream is not its twelfth row.": [
                    rank + size * (12 + place) for place in range(share)
                ],
                "This is a block of the batch, and every row is read once. Here process r reads every size-th row.": [
                    12 + rank * share + place for place in range(share)
                ],
                "These are the whole batch: every process would read the same rows.": list(range(12, 24)),
            }
            given = {"state": states(size)[rank], "batch_size": 12, "rank": rank, "size": size}
            expect(learner.rows_to_read, given, list(range(12 + rank, 24, size)), mistakes)


def check_from_two_to_three(learner: Any) -> None:
    """Two processes save, three load, and cut once more: the weight and the rows are all there."""

    def there_and_on(before: int, after: int) -> tuple[list[float], list[int]]:
        loaded = learner.load(learner.save(states(before, 24)), after)
        rows = [row for rank, state in enumerate(loaded) for row in learner.rows_to_read(state, 6, rank, after)]
        return [row for state in loaded for row in state["weight"]], sorted(rows)

    expect(there_and_on, {"before": 2, "after": 3}, (ELEVEN, list(range(24, 30))))
