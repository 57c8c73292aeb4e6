"""One gradient from several processes, in sprint 24: by hand, in a ring, in buckets; and what notes 1 to 3 say."""

import sys
from datetime import timedelta
from typing import Any

import pytest
import torch
from lesson_texts import by_name, importable, lesson_texts, shown
from torch import distributed, nn

SPRINT = "24_distributed_training"
page, note = lesson_texts(SPRINT)
_importable = importable(SPRINT)
NUMBERS = (1, 3, 7, 12, 60, 25_000)


def reduced() -> dict[str, list[tuple[list[float], int, int, int | None]]]:
    """Return for each way and size of buffer: the sum, bytes sent and received, and those that the system counted."""
    collectives = by_name("parallel_study.collectives")
    ways = {
        "ring": collectives.ring_all_reduce,
        "through one": collectives.all_reduce_through_one,
        "PyTorch": distributed.all_reduce,
    }
    found: dict[str, list[Any]] = {name: [] for name in ways}
    for name, way in ways.items():
        for numbers in NUMBERS:
            buffer = torch.randn(numbers, generator=torch.Generator().manual_seed(distributed.get_rank()))
            talks: list[Any] = []
            distributed.barrier()
            counted = collectives.written(lambda way=way, talks=talks, buffer=buffer: talks.append(way(buffer)))
            sent, received = (0, 0) if name == "PyTorch" else (talks[0].sent, talks[0].received)
            found[name].append((buffer.tolist(), sent, received, counted))
    return found


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_a_ring_adds_up_and_each_process_sends_two_buffers_less_two_pieces(on_processes, size):
    returned = on_processes(size, reduced)
    for place, numbers in enumerate(NUMBERS):
        buffers = [torch.randn(numbers, generator=torch.Generator().manual_seed(rank)) for rank in range(size)]
        expected = torch.stack(buffers).double().sum(dim=0)
        pieces = [4 * len(piece) for piece in torch.empty(numbers).tensor_split(size)]
        for name in ("ring", "through one", "PyTorch"):
            sums = [found[name][place][0] for found in returned]
            assert all(one == sums[0] for one in sums), "the same bits in every process"
            torch.testing.assert_close(torch.tensor(sums[0]).double(), expected, rtol=0, atol=1e-5)
        sent = [found["ring"][place][1] for found in returned]
        received = [found["ring"][place][2] for found in returned]
        assert sum(sent) == sum(received) == 2 * (size - 1) * 4 * numbers
        for rank in range(size):
            kept = pieces[(rank + 1) % size] + pieces[(rank + 2) % size]
            assert sent[rank] == 2 * 4 * numbers - kept
        if numbers % size == 0:
            assert set(sent) == {2 * (size - 1) * 4 * numbers // size}
        middle, *others = [found["through one"][place][1:3] for found in returned]
        assert middle == (4 * (size - 1) * numbers, 4 * (size - 1) * numbers)
        assert set(others) == {(4 * numbers, 4 * numbers)}
    if sys.platform == "linux":
        for found in returned:
            assert found["ring"][-1][3] == pytest.approx(found["ring"][-1][1], rel=0.02)
            assert found["PyTorch"][-1][3] == pytest.approx(2 * (size - 1) / size * 4 * NUMBERS[-1], rel=0.02)


def sent_first() -> str:
    """Return what happens if both of two processes send, and listen only when it has arrived."""
    other = 1 - distributed.get_rank()
    pair = distributed.new_group(timeout=timedelta(seconds=0.3))
    try:
        distributed.send(torch.ones(1), other, group=pair)
        distributed.recv(torch.ones(1), other, group=pair)
    except RuntimeError as error:
        return str(error)
    return "both arrived"


class Branches(nn.Module):
    """Two weights of the same size; which one is used first is said by the caller."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = (nn.Parameter(torch.ones(3)) for _ in range(2))

    def forward(self, names: tuple[str, ...], factors: tuple[float, ...]) -> torch.Tensor:
        return sum((getattr(self, name) * factor for name, factor in zip(names, factors, strict=True)), torch.zeros(3))


def branches() -> dict[str, Any]:
    """Return the gradients of two weights that are used in another order in each process, and an error's text."""
    own_ddp = by_name("parallel_study.own_ddp").OwnDDP
    model = own_ddp(Branches(), most=0)
    rank = distributed.get_rank()
    names, factors = (("left", "right"), (1.0, 10.0)) if rank else (("right", "left"), (30.0, 3.0))
    model(names, factors).sum().backward()
    inner: Any = model.module
    found = {"left": inner.left.grad.tolist(), "right": inner.right.grad.tolist()}
    model = own_ddp(Branches())
    with model.no_sync():  # a pass that misses a weight may be one of several
        model(("left",), (1.0,)).sum().backward()
    try:
        model(("left",), (1.0,)).sum().backward()
    except RuntimeError as error:
        found["unused"] = str(error)
    found["sent first"] = sent_first()
    return found


def test_buckets_start_in_one_order_and_what_would_wait_for_ever_is_named(on_processes):
    returned = on_processes(2, branches)
    assert any("Timed out" in found["sent first"] for found in returned)
    for found in returned:
        assert found["left"] == [2.0] * 3
        assert found["right"] == [20.0] * 3
        assert "no gradient for right and 0 more" in found["unused"]
        assert found["sent first"] != "both arrived"


def test_every_way_has_the_gradient_of_one_process_but_the_mean_of_means():
    study = by_name("two_gradients")
    found = study.main(study.Config(processes=3, accumulate=2))
    parameters = sum(1 for _ in study.small_gpt(0).parameters())
    for name, way in found.ways.items():
        assert way.same_everywhere, name
        if name == "mean of means":
            assert way.largest_difference > 0.1
        else:
            assert way.largest_difference < 1e-12, name
    ways = found.ways
    buckets = ways["own buckets, no_sync"].all_reduces - 1  # and one for the number of targets
    assert 1 < buckets < parameters
    assert ways["own buckets"].all_reduces - 1 == 2 * buckets
    assert ways["by hand"].all_reduces - 1 == parameters
    theirs = ways["PyTorch's DDP, no_sync"].all_reduces - 1
    assert ways["PyTorch's DDP"].all_reduces - 1 == 2 * theirs
    if sys.platform == "linux":
        once = 4 / 3 * found.gradient_bytes
        for name, times in (("own buckets", 2), ("own buckets, no_sync", 1), ("PyTorch's DDP, no_sync", 1)):
            assert once * times < ways[name].written < once * times + 10_000 * times, name


def test_buckets_are_filled_from_the_end_up_to_their_size():
    fill = by_name("parallel_study.own_ddp").fill_buckets
    assert fill([4, 4, 4, 4], 8) == [[3, 2], [1, 0]]
    assert fill([4, 4, 4], 8) == [[2, 1], [0]]
    assert fill([2, 100, 3, 4], 8) == [[3, 2], [1], [0]]
    assert fill([1, 2], 0) == [[1], [0]]
    assert fill([], 8) == []


def test_a_timed_pass_knows_its_buckets():
    study = by_name("buckets")
    with pytest.raises(ValueError, match="--drawn 3"):
        study.Config(drawn=3).check()
    found = study.main(study.Config(megabytes=(0, 1), drawn=1, layers=1, d_model=128, rows=1, rounds=1))
    parameters = sum(1 for _ in study.small_gpt(0, 1).parameters())
    sizes = {name: way.later_passes for name, way in found.ways.items()}
    assert sizes.pop("nothing averaged") == []
    assert len(sizes["one by one, afterwards"]) == len(sizes["buckets of 0 MB"]) == parameters
    assert len(sizes["buckets of 1 MB"]) == len(found.timing.started) > 1
    theirs = found.ways["PyTorch's DDP"]
    assert theirs.first_pass == [found.gradient_bytes], "DDP notes the order of the gradients first"
    assert theirs.later_passes[0] >= 2**20
    for name, each in sizes.items():
        assert sum(each) == found.gradient_bytes, name
    timing = found.timing
    for start, end in zip(timing.started, timing.ended, strict=True):
        assert 0 < start < end < timing.finished
    assert timing.started[0] < timing.computed < timing.finished
    assert study.plot(found)


def test_note_1_works_its_example_out():
    study = by_name("averages_by_hand")
    found, text = study.main(study.Config()), note(1)
    assert [process.gradients for process in found.processes] == [[-2], [1, 2, 0]]
    assert found.right.average == found.one_process == 0.25
    assert found.wrong.average == -0.5
    assert [process.share for process in found.processes] == [-1, 1.5]
    shown(text, found.loss_before, found.right.loss, found.wrong.loss)
    shown(text, found.right.weight, found.wrong.weight, form=".1f")
    shown(text, found.right.average, form=".2f")
    shown(text, found.wrong.average, form=".1f")
    assert study.plot(found)


def test_note_2_works_its_example_out():
    study = by_name("ring_by_hand")
    found, text = study.main(study.Config()), note(2)
    assert found.states[-1] == [[111, 222, 333]] * 3
    assert found.sent == [4, 4, 4]
    for state in found.states:
        for rank, buffer in enumerate(state):
            assert f"{rank}: {' '.join(map(str, buffer))}" in text, buffer
    assert study.plot(found)
    ring = by_name("ring_traffic")
    small = ring.main(ring.Config(sizes=(2,), numbers=11))
    assert small.groups["2"]["ring"].same_everywhere
    assert ring.plot(small)


def test_note_3_works_its_example_out():
    study = by_name("overlap_by_hand")
    found, text = study.main(study.Config()), note(3)
    assert found.end == {"one by one": 14, "two buckets": 12, "all at the end": 14}
    for times in found.sent.values():
        for start, end in times:
            assert f"{start:g} to {end:g}" in text
    assert study.plot(found)
    without_start = study.main(study.Config(start=0))
    assert min(without_start.end, key=without_start.end.get) == "one by one"


def test_exercises_on_paper_are_right():
    counts, means = (12, 12, 6), (1, -1, 4)
    sums = [count * mean for count, mean in zip(counts, means, strict=True)]
    assert sum(sums) / sum(counts) == pytest.approx(0.8)
    assert sum(means) / 3 == pytest.approx(4 / 3)
    assert [3 * total / sum(counts) for total in sums] == pytest.approx([1.2, -1.2, 2.4])
    for megabytes, ring, through_one in ((100, "1.29 s", "6.41 s"), (0.01, "8.13 ms", "8.64 ms")):
        for part, text in ((megabytes / 5, ring), (megabytes, through_one)):
            milliseconds = 8 * (1 + 1000 * part / 125)
            assert text in page
            assert milliseconds / (1000 if "ms" not in text else 1) == pytest.approx(float(text.split()[0]), abs=0.006)
    study = by_name("overlap_by_hand")
    for start in (2, 0.1):
        found = study.main(study.Config(layers=12, compute=1, send=1, start=start))
        for end in found.end.values():
            assert f"{end:g}" in page
    assert list(study.main(study.Config(layers=12, compute=1, send=1)).end.values()) == [37, 22, 26]


def test_numbers_that_notes_state_without_an_example():
    study, text = by_name("two_gradients"), note(3)
    blocks = (sum(1 for _ in study.small_gpt(0).parameters()) - 4) // 2
    assert 4 + 12 * blocks == 148
    assert "148 parameters" in text
    overlap = by_name("overlap_by_hand")
    assert overlap.main(overlap.Config(send=0.5)).end == {"one by one": 12, "two buckets": 11, "all at the end": 12}
    gradient = 4 * 124_439_808 / 1e6
    assert f"{gradient:.0f} MB" in note(2)
    assert f"{2 * 7 / 8 * gradient:.0f} MB" in note(2)
    for size in (64, 128):
        assert f"{2 * (size - 1) / size:.3f}" in note(2)
    assert 2 * (128 - 1) == 254
