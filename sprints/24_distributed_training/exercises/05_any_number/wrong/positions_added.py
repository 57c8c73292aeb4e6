"""The positions of the processes are added up."""

import math
from typing import Any

State = dict[str, Any]


def cut(rows: list[float], size: int) -> list[list[float]]:
    """Return the rows of each process: pieces of equal length, the last of them shorter or empty."""
    length = math.ceil(len(rows) / size)
    return [rows[rank * length : (rank + 1) * length] for rank in range(size)]


def save(processes: list[State]) -> State:
    """Return the one state that is saved: shards one behind the other, and the position, which is the same for all."""
    whole: State = {name: [row for state in processes for row in state[name]] for name in ("weight", "average")}
    return {**whole, "position": sum(state["position"] for state in processes)}


def load(checkpoint: State, size: int) -> list[State]:
    """Return the state of each process: its shards, and the position of the whole stream."""
    weights, averages = (cut(checkpoint[name], size) for name in ("weight", "average"))
    return [
        {"weight": weights[rank], "average": averages[rank], "position": checkpoint["position"]} for rank in range(size)
    ]


def rows_to_read(state: State, batch_size: int, rank: int, size: int) -> list[int]:
    """Return every size-th row of the next batch, from the process's rank on."""
    start = state["position"]
    return list(range(start + rank, start + batch_size, size))
