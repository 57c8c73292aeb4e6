"""Checks of `Bank` and `score_stream`: directions, windows, batches, ties, and times that go back."""

from typing import Any

from shared.lab.checking import expect

ANN, BOB, CID = 0, 1, 2
TALK = [(ANN, BOB, 1), (BOB, ANN, 2), (ANN, BOB, 2), (ANN, BOB, 5), (BOB, ANN, 9), (ANN, CID, 9), (ANN, CID, 9)]


def scores(
    learner: Any,
    window: int,
    batch_size: int,
    expected: list[int],
    mistakes: dict[str, list[int]],
    messages: list[tuple[int, int, int]] = TALK,
) -> None:
    """Compare the scores of a conversation."""

    def scored(window: int, messages: list[tuple[int, int, int]], batch_size: int) -> list[int]:
        return learner.score_stream(learner.Bank(window), messages, batch_size)

    expect(scored, {"window": window, "messages": list(messages), "batch_size": batch_size}, expected, mistakes)


def check_one_by_one(learner: Any) -> None:
    """Each message is learned before the next one is scored."""
    scores(learner, 100, 1, [0, 0, 1, 1, 1, 0, 1], {
        "Each message is learned before it is scored: it finds itself in the bank.": [1] * 7,
        "Pairs have a direction: Bob to Ann is not Ann to Bob.": [0, 1, 1, 1, 1, 0, 1],
    })  # fmt: skip


def check_a_window(learner: Any) -> None:
    """A pair is forgotten after a while; exactly `window` ago still counts."""
    scores(learner, 3, 1, [0, 1, 1, 1, 0], {
        "A pair that was seen exactly `window` ago counts.": [0, 1, 1, 0, 0],
        "The window is not used.": [0, 1, 1, 1, 1],
        "The time of a pair's first message is kept; keep the last.": [0, 1, 0, 0, 0],
        "Each message is learned before it is scored: it finds itself in the bank.": [1] * 5,
    }, [(ANN, BOB, time) for time in (1, 3, 5, 8, 12)])  # fmt: skip


def check_batches(learner: Any) -> None:
    """What is in the batch is not known yet; the last batch may be short."""
    scores(learner, 100, 3, [0, 0, 0, 1, 1, 0, 1], {
        "Each message is learned at once; learn a batch when all of it was scored.": [0, 0, 1, 1, 1, 0, 1],
        "The last batch is missing: it may be shorter than the others.": [0, 0, 0, 1, 1, 0],
    })  # fmt: skip
    scores(learner, 100, 7, [0] * 7, {
        "The batch is learned before it is scored: all of it is in the bank.": [1] * 7,
    })  # fmt: skip


def check_the_latest_time_is_kept(learner: Any) -> None:
    """A pair that wrote at 0, 4 and 8 is fresh at 9."""

    def scored(messages: list[tuple[int, int, int]]) -> list[int]:
        return learner.score_stream(learner.Bank(4), messages, 1)

    expect(scored, {"messages": [(ANN, BOB, 0), (ANN, BOB, 4), (ANN, BOB, 8), (ANN, BOB, 9)]}, [0, 1, 1, 1], {
        "The time of a pair's first message is kept; keep the last.": [0, 1, 0, 0],
    })  # fmt: skip


def check_times(learner: Any) -> None:
    """Equal times may follow one another; an earlier one is refused."""

    def ends(times: list[int]) -> str:
        bank = learner.Bank(100)
        try:
            for time in times:
                bank.learn((ANN, BOB, time))
        except ValueError:
            return "ValueError"
        return "learned"

    expect(ends, {"times": [3, 3, 4]}, "learned", {"Ties in time are no error.": "ValueError"})
    expect(ends, {"times": [0, 5, 4]}, "ValueError", {"A time that goes back must be refused.": "learned"})
    expect(ends, {"times": [0, -1]}, "ValueError", {"Time 0 is a time: compare with `is not None`.": "learned"})
