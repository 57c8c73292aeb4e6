"""Checks of `clip_shards`, `ring_seconds` and `step_seconds`: examples of the notes, and where shortcuts end."""

from collections.abc import Callable
from typing import Any

from shared.lab.checking import expect


def rounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with its numbers rounded, so that another order of the same sums is no fault."""

    def call(*arguments: Any) -> Any:
        found = function(*arguments)
        if isinstance(found, list | tuple):
            return [[round(number, 9) for number in shard] for shard in found]
        return round(found, 9)

    return call


def check_two_shards_of_the_note(learner: Any) -> None:
    """3 and 4 are a gradient of norm 5."""
    expect(rounded(learner.clip_shards), {"shards": [[3.0], [4.0]], "limit": 1.0}, [[0.6], [0.8]], {
        "Each shard is divided by its own norm: the norm is that of all shards together.": [[1.0], [1.0]],
        "The norms of the shards were added: add up squares, and take the root of their sum.":
            [[round(3 / 7, 9)], [round(4 / 7, 9)]],
        "Divided by the square of the norm: a root is missing.": [[0.12], [0.16]],
    })  # fmt: skip


def check_a_small_gradient_stays(learner: Any) -> None:
    """The whole norm is 0.5: nothing is to be clipped, and nothing made longer."""
    given = {"shards": [[0.3, 0.0], [0.0, 0.4]], "limit": 1.0}
    expect(rounded(learner.clip_shards), given, [[0.3, 0.0], [0.0, 0.4]], {
        "A gradient that is short enough was made longer: the factor is at most 1.": [[0.6, 0.0], [0.0, 0.8]],
    })  # fmt: skip
    expect(rounded(learner.clip_shards), {"shards": [[0.0], [0.0, 0.0]], "limit": 1.0}, [[0.0], [0.0, 0.0]])


def check_unequal_shards(learner: Any) -> None:
    """One process has three numbers, another has one, and a third has none."""
    given = {"shards": [[2.0, 4.0, 5.0], [-2.0], []], "limit": 3.5}
    expect(rounded(learner.clip_shards), given, [[1.0, 2.0, 2.5], [-1.0], []])


def check_a_ring_of_eight(learner: Any) -> None:
    """25 MB, 20 microseconds, 10 GB a second: 14 rounds."""
    given = {"size": 25e6, "processes": 8, "latency": 20e-6, "bandwidth": 10e9}
    expect(rounded(learner.ring_seconds), given, round(14 * 332.5e-6, 9), {
        "Seven rounds: that is the reduce-scatter alone, and the all-gather takes as many.": round(7 * 332.5e-6, 9),
        "Each round sends an eighth of the buffer, and not the whole of it.": round(14 * (20e-6 + 2.5e-3), 9),
        "Every round has a message, and so a latency.": round(20e-6 + 14 * 312.5e-6, 9),
        "Sixteen rounds: in each half the last piece arrives after N - 1.": round(16 * 332.5e-6, 9),
    })  # fmt: skip


def check_rings_of_one_and_of_many(learner: Any) -> None:
    """One process sends nothing; a thousand send little, often."""
    given = {"size": 1e6, "processes": 1, "latency": 1e-3, "bandwidth": 1e6}
    expect(rounded(learner.ring_seconds), given, 0.0)
    given = {"size": 0.0, "processes": 1024, "latency": 1e-3, "bandwidth": 1e6}
    expect(rounded(learner.ring_seconds), given, 2.046)


def check_a_wire_that_is_busy(learner: Any) -> None:
    """Buckets are complete at 2, 4 and 6 and take 3 each: they leave at 2, 5 and 8."""
    given = {"forward": 3.0, "backward": 6.0, "ready": [2.0, 4.0, 6.0], "transfers": [3.0, 3.0, 3.0]}
    expect(rounded(learner.step_seconds), given, 14.0, {
        "That is a step without overlap: the first bucket can leave while the backward pass goes on.": 18.0,
        "Every bucket leaves when it is complete, even if the one before it is still on the wire.": 12.0,
        "The forward pass is missing.": 11.0,
        "The wire is taken to be free from the start, but the first bucket is complete at 2.": 12.0,
    })  # fmt: skip


def check_a_wire_that_waits(learner: Any) -> None:
    """Short transfers: the wire waits for buckets, and only the last one cannot be hidden."""
    given = {"forward": 3.0, "backward": 6.0, "ready": [2.0, 4.0, 6.0], "transfers": [1.0, 1.0, 1.0]}
    expect(rounded(learner.step_seconds), given, 10.0, {
        "Transfers were added up behind the first bucket: the wire must wait for the next one to be complete.": 9.0,
        "That is a step without overlap.": 12.0,
    })  # fmt: skip


def check_a_backward_pass_that_is_longer(learner: Any) -> None:
    """The first layer has no weights to learn: the last bucket is complete, and has arrived, before the pass ends."""
    given = {"forward": 1.0, "backward": 9.0, "ready": [2.0, 4.0], "transfers": [1.0, 1.0]}
    expect(rounded(learner.step_seconds), given, 10.0, {
        "The step ends when the last bucket has arrived, but the backward pass is still going on.": 6.0,
    })  # fmt: skip
