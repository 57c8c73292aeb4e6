"""Streams in sprint 23: stopped anywhere they go on exactly, and the notes' numbers."""

import json
from itertools import islice

import pytest
from lesson_texts import lesson_texts

SPRINT = "23_loader_memory"
PAGE, note = lesson_texts(SPRINT)
LINES = (5, 9, 0, 13, 4, 8, 6)  # of each file; one is empty


@pytest.fixture
def new_loader(load_sprint, tmp_path):
    streams, start, paths = load_sprint(f"{SPRINT}/memory_study/streams.py"), 0, []
    for number, lines in enumerate(LINES):
        paths.append(tmp_path / f"{number}.txt")
        paths[-1].write_bytes("".join(f"größe {start + line}\n" for line in range(lines)).encode())
        start += lines

    def make(workers: int = 0, lanes: int = 4, batch_size: int = 2, buffer: int = 3, seed: int = 1):
        return streams.StreamLoader(paths, batch_size, buffer, lanes, workers, seed)

    return make


def two_epochs(loader) -> list[list[str]]:
    batches = []
    while loader.epoch < 2:
        batches += loader
    return batches


def test_every_line_once_in_each_epoch_in_another_order(new_loader):
    loader = new_loader()
    first, second = ([line for batch in loader for line in batch] for _ in range(2))
    assert loader.epoch == 2
    assert len(set(first)) == len(first) == sum(LINES)
    assert sorted(first) == sorted(second)
    assert first != second
    assert first != [line for batch in new_loader(seed=2) for line in batch]


@pytest.mark.parametrize("lanes", [1, 3, 4])
def test_stopped_behind_every_batch_it_goes_on_exactly(new_loader, lanes):
    whole = two_epochs(new_loader(lanes=lanes))
    running = new_loader(lanes=lanes)
    used: list[list[str]] = []
    while running.epoch < 2:
        for batch in running:
            used.append(batch)
            state = json.loads(json.dumps(running.state_dict()))
            later = new_loader(lanes=lanes)
            later.load_state_dict(state)
            assert used + two_epochs(later) == whole, len(used)
    assert used == whole


def test_workers_change_nothing_and_may_change(new_loader):
    whole = list(new_loader())
    assert list(new_loader(workers=2)) == whole
    running = new_loader(workers=2)
    batches = iter(running)
    used = list(islice(batches, 7))
    state = running.state_dict()
    del batches
    for workers in (1, 2):
        later = new_loader(workers=workers)
        later.load_state_dict(state)
        assert used + list(later) == whole


def test_errors_name_the_rule(new_loader):
    with pytest.raises(ValueError, match="must divide the lanes; got 7 files, 4 lanes and 3 workers"):
        new_loader(workers=3)
    with pytest.raises(ValueError, match="7 files, 8 lanes"):
        new_loader(lanes=8)
    state = new_loader().state_dict()
    with pytest.raises(ValueError, match="batch_size is 5, was 2"):
        new_loader(batch_size=5).load_state_dict(state)
    with pytest.raises(ValueError, match="seed is 9, was 1"):
        new_loader(seed=9).load_state_dict(state)


def test_note_8_nine_letters(load_sprint):
    script = load_sprint(f"{SPRINT}/stream_by_hand.py")
    results = script.main(script.Config())
    assert " ".join(results.handed_out) == "c a d e b g h f i"
    assert "c, a, d, e" in note(8)
    assert results.buffers[3] == ["g", "b", "f"]
    assert results.next_line[3] == 14
    assert "byte 14" in note(8)
    assert results.handed_out[:4] + results.goes_on == results.handed_out
    assert (results.buffer_anew, results.lost) == (["h", "i"], ["b", "f", "g"])
    assert "h and i" in note(8)
    script.plot(results)


def test_the_usual_ways_lose_or_repeat(load_sprint):
    script = load_sprint(f"{SPRINT}/a_stream_that_goes_on.py")
    config = script.Config(recipes=60, files=5, lanes=2, workers=0, batch_size=3, buffer=4, stop=7)
    results = script.main(config)
    ways = results.ways
    exact = ways[script.EXACTLY]
    assert (exact.used_twice, exact.never_used, exact.same_batches) == (0, 0, True)
    assert all(results.other_workers.values())
    assert (ways["read and throw away"].read_in_vain, ways["read and throw away"].same_batches) == (21, True)
    assert ways["the epoch again"].used_twice == 21
    assert ways["positions without buffers"].never_used == 2 * 4
    for way in ("generators seeded again", "whose turn it is forgotten"):
        assert (ways[way].used_twice, ways[way].never_used, ways[way].same_batches) == (0, 0, False), way
    script.plot(results)
    with pytest.raises(ValueError, match="within its epoch"):
        script.Config(recipes=60, stop=7, batch_size=10).check()


def test_killed_it_loses_nothing(load_sprint):
    script = load_sprint(f"{SPRINT}/killed_stream.py")
    results = script.main(script.Config(items=160, kills=1, every=2, buffer=5))
    assert (results.kills, results.used_twice, results.never_used) == (1, 0, 0)
    assert results.same_order
    assert results.processes_left == 0


def test_the_library_forgets_its_buffer(load_sprint):
    script = load_sprint(f"{SPRINT}/stream_library.py")
    results = script.main(script.Config(items=40, buffer=8, stops=(10,)))
    (found,) = results.stops.values()
    assert found["datasets"].never_used > 0
    assert found["ours"].never_used == found["ours"].used_twice == 0


def test_exercise_e_six_lanes(load_sprint, tmp_path):
    streams = load_sprint(f"{SPRINT}/memory_study/streams.py")
    paths = [tmp_path / f"{number}.txt" for number in range(6)]
    for number, path in enumerate(paths):
        path.write_text(f"{number}\n" * 40)
    with pytest.raises(ValueError, match="4 workers"):
        streams.StreamLoader(paths, 1, 2, lanes=6, workers=4)
    loader = streams.StreamLoader(paths, 1, 2, lanes=6)
    batches = list(islice(loader, 101))
    first_six = [batch[0] for batch in batches[:6]]
    assert batches[100] == [first_six[100 % 6]] == [first_six[4]]
    assert loader.turn == 5
    assert [(loader.turn + step) % 6 for step in range(6)][::2] == [5, 1, 3]
    assert "worker 0 of 2 has the lanes 5, 1 and 3" in PAGE
