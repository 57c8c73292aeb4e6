"""One checkpoint for any number of processes: cut a state into shards, put it together, and go on with others.

A state is a dictionary with the rows of a weight, the rows of the average that an optimizer keeps of it, and the
position of the data: how many rows all processes together have read. Fill in the four functions, and look how far you
are:

    uv run sprints check 24.5
    uv run sprints hint 24.5

No process is started here: the states of N processes are a list of N dictionaries. Theory:
notes/09_the_main_job_on_two.md
"""

from typing import Any

State = dict[str, Any]  # {"weight": rows, "average": rows, "position": rows read by all}


def cut(rows: list[float], size: int) -> list[list[float]]:
    """Return the rows of each process, in order: the same number for each, rounded up, as long as there are any."""
    raise NotImplementedError


def save(processes: list[State]) -> State:
    """Return the one state that is saved, of which each process has a shard."""
    raise NotImplementedError


def load(checkpoint: State, size: int) -> list[State]:
    """Return the state of each of `size` processes that go on from a checkpoint."""
    raise NotImplementedError


def rows_to_read(state: State, batch_size: int, rank: int, size: int) -> list[int]:
    """Return the numbers of the rows that a process reads in the next step, of a stream that all of them share.

    Args:
        state: of the process.
        batch_size: rows of a step, of all processes together.
        rank: which process it is.
        size: how many there are.
    """
    raise NotImplementedError
