"""Sprint 26, vectors of a graph that changes: indexes against brute force, balls against computing everything anew."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lesson_texts import lesson_texts
from torch.nn import functional

from shared.graph.graphs import Graph

faiss: Any = pytest.importorskip("faiss")
SPRINT = "26_dynamic_knowledge_graph"
PAGE, note = lesson_texts(SPRINT)
FEATURES, MODEL = 8, "a model"


@pytest.fixture(scope="module")
def part() -> Callable[[str], ModuleType]:
    """Load a module of the sprint's package."""

    def load(name: str) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(Path(__file__).parents[2] / "sprints" / SPRINT))
            return importlib.import_module(f"knowledge.{name}")

    return load


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def unit(generator: np.random.Generator, rows: int, features: int = FEATURES) -> np.ndarray:
    drawn = generator.normal(size=(rows, features)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def made(part: Callable[[str], ModuleType], kind: str, **options: Any) -> Any:
    """An index of a kind; cells have centres of vectors that are never put into it."""
    if kind == "cells":
        index = part("cells").Cells(FEATURES, MODEL, **{"cells": 8, "probed": 8} | options)
        index.train(unit(np.random.default_rng(7), 100))
        return index
    return (
        part("vector_index").Flat(FEATURES, MODEL)
        if kind == "flat"
        else part("walks").Walks(FEATURES, MODEL, **options)
    )


KINDS = ("flat", "cells", "walks")


def best(known: dict[int, np.ndarray], query: np.ndarray, count: int) -> list[int]:
    return sorted(known, key=lambda number: -float(known[number] @ query))[:count]


@pytest.mark.parametrize("kind", KINDS)
def test_random_changes_against_brute_force(part, kind):
    index, known, generator = made(part, kind), {}, np.random.default_rng(3)
    shares = []
    for number in range(2000):
        what, target = generator.random(), int(generator.integers(500)) * 5 + 3
        if what < 0.6:
            vector = unit(generator, 1)
            index.put([target], vector)
            known[target] = vector[0]
        else:
            assert index.remove([target]) == (target in known)
            known.pop(target, None)
        if number % 200 == 199:
            assert index.numbers().tolist() == sorted(known)
            assert np.array_equal(index.vectors(sorted(known)), np.stack([known[one] for one in sorted(known)]))
            queries = unit(generator, 5)
            scores, found = index.search(queries, 10)
            for query, row, values in zip(queries, found.tolist(), scores, strict=True):
                assert set(row) <= set(known)
                assert values == pytest.approx([known[one] @ query for one in row], abs=1e-5)
                shares.append(len(set(row) & set(best(known, query, 10))) / 10)
    assert np.mean(shares) >= (0.95 if kind == "walks" else 0.9999)


changes = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.integers(0, 6), max_size=4, unique=True), st.integers(0, 1000)),
        st.tuples(st.just("remove"), st.lists(st.integers(0, 6), max_size=4, unique=True), st.just(0)),
        st.tuples(st.sampled_from(["save", "train"]), st.just([]), st.just(0)),
    ),
    max_size=12,
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=changes)
def test_any_changes_leave_what_a_dictionary_has(part, tmp_path, kind, changes):
    """Small worlds that are emptied and filled again; what was saved is loaded and goes on."""
    index, known = made(part, kind), {}
    for what, numbers, seed in changes:
        if what == "put":
            drawn = [unit(np.random.default_rng([seed, number]), 1) for number in numbers]  # no two alike
            vectors = np.concatenate(drawn) if drawn else unit(np.random.default_rng(0), 0)
            index.put(numbers, vectors)
            known |= dict(zip(numbers, vectors, strict=True))
        elif what == "remove":
            assert index.remove(numbers) == len(known.keys() & set(numbers))
            known = {number: vector for number, vector in known.items() if number not in numbers}
        elif what == "save":
            path, index = index.save(tmp_path / "index.pt"), made(part, kind)
            index.load(path)
        elif kind == "cells":
            index.train(unit(np.random.default_rng(1), 50))
        assert index.numbers().tolist() == sorted(known)
        query = unit(np.random.default_rng(seed + 1), 1)
        scores, found = index.search(query, 8)
        assert found[0].tolist() == best(known, query[0], 8) + [-1] * (8 - len(known))
        assert np.isneginf(scores[0, len(known) :]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_is_brought_to_what_the_store_knows(part, kind):
    index, generator = made(part, kind), np.random.default_rng(5)
    vectors = unit(generator, 30)
    index.put(range(30), vectors)
    wanted = vectors[10:].copy()
    wanted[3] = unit(generator, 1)
    assert index.reconcile([*range(10, 30), 99], np.concatenate([wanted, vectors[:1]])) == (2, 10)
    assert index.numbers().tolist() == [*range(10, 30), 99]
    assert index.reconcile([*range(10, 30), 99], np.concatenate([wanted, vectors[:1]])) == (0, 0)
    assert index.search(wanted[3:4], 1)[1].item() == 13


def test_what_does_not_fit_is_refused(part, tmp_path):
    index = made(part, "flat")
    vector = unit(np.random.default_rng(0), 1)
    with pytest.raises(ValueError, match="holds vectors of 'a model', these are of 'another'"):
        index.put([1], vector, model="another")
    with pytest.raises(ValueError, match="1 numbers need vectors of 8 features"):
        index.put([1], vector[:, :5])
    with pytest.raises(ValueError, match="number 4 is not"):
        index.put([3, 4], np.concatenate([vector, vector * np.inf]))
    with pytest.raises(ValueError, match="must differ from each other"):
        index.put([3, 3], np.concatenate([vector, vector]))
    with pytest.raises(ValueError, match="must differ from each other and not be negative"):
        index.put([-1], vector)
    with pytest.raises(ValueError, match=r"a search needs \(queries, 8\)"):
        index.search(vector[:, :3], 1)
    with pytest.raises(ValueError, match="call train"):
        part("cells").Cells(FEATURES, MODEL).put([1], vector)
    with pytest.raises(ValueError, match="16 cells need as many vectors"):
        part("cells").Cells(FEATURES, MODEL).train(vector)
    index.put([1], vector)
    path = index.save(tmp_path / "index.pt")
    flat = part("vector_index").Flat
    with pytest.raises(ValueError, match="is an index of features 8, and 9 is needed"):
        flat(9, MODEL).load(path)
    with pytest.raises(ValueError, match="is an index of model 'a model', and 'another' is needed"):
        flat(FEATURES, "another").load(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="truncated"):
        flat(FEATURES, MODEL).load(path)


def test_a_second_table_of_numbers_does_not_follow():
    """faiss 1.15.1: after a removal `IDMap,IVF` gives wrong numbers, and says nothing."""
    vectors = unit(np.random.default_rng(0), 400)
    for factory, right in (("IDMap,IVF4,Flat", 0.0), ("IDMap2,IVF4,Flat", 0.0), ("IDMap2,Flat", 1.0)):
        index = faiss.index_factory(FEATURES, factory, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
        index.add_with_ids(vectors, np.arange(400) + 1000)
        assert index.remove_ids(np.arange(1000, 1010)) == 10
        if "IVF" in factory:
            faiss.downcast_index(index.index).nprobe = 4
        found = index.search(vectors[10:390], 1)[1][:, 0]
        assert (found == np.arange(1010, 1390)).mean() == right
        if not right:  # it counts on from the row that is gone
            assert (found == np.arange(1010, 1390) + 10).all()
    graph = faiss.IndexHNSWFlat(FEATURES, 16)
    graph.add(vectors)
    with pytest.raises(RuntimeError, match="remove_ids not implemented"):
        graph.remove_ids(np.arange(3))


def test_tombstones_lead_on_and_are_swept(part):
    index, generator = made(part, "walks", most_tombstones=0.5), np.random.default_rng(2)
    vectors = unit(generator, 300)
    index.put(range(300), vectors)
    index.remove(range(140))
    assert (index.tombstones, index.rebuilt) == (140 / 300, 0)
    assert index.search(vectors[140:], 1)[1][:, 0].tolist() == list(range(140, 300))
    index.put(range(140, 145), unit(generator, 5))  # an update leaves a tombstone, too
    assert (index.tombstones, index.rebuilt) == (pytest.approx(145 / 305), 0)
    index.put(range(145, 300), unit(generator, 155))
    assert (index.tombstones, index.rebuilt) == (0, 1)
    assert len(index.numbers()) == 160


def needs_of(drawn: list[tuple[int, int]], nodes: int) -> dict[int, list[int]]:
    return {node: [other for one, other in drawn if one == node and other != node] for node in range(nodes)}


def all_states(model: Any, sage: ModuleType, living: Any) -> dict[int, torch.Tensor]:
    """States behind the last layer, of a whole graph computed at once."""
    place = {node: number for number, node in enumerate(living.features)}
    links = [(place[a], place[b]) for a in place for b in living.needs[a] if b in place]
    graph = sage.message_graph(torch.tensor(links, dtype=torch.long).reshape(-1, 2).T, len(place))
    with torch.no_grad():
        rows = model(torch.stack(list(living.features.values())), graph)
    return dict(zip(place, rows, strict=True))


graph_changes = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "text", "remove", "work"]),
        st.integers(0, 7),
        st.lists(st.integers(0, 7), max_size=3),
        st.integers(0, 100),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=graph_changes, at_once=st.sampled_from([0, 2, 100]), layers=st.integers(0, 3))
def test_vectors_follow_a_graph_and_equal_computing_everything(part, changes, at_once, layers):
    sage, balls = part("sage"), part("balls")
    torch.manual_seed(0)
    model = sage.LinkSAGE(3, 4, layers)
    time = [0.0]
    living = balls.LivingVectors(model, at_once=at_once, clock=lambda: time[0])
    for what, node, needs, seed in changes:
        time[0] += 1
        before = all_states(model, sage, living) if living.features else {}
        if what == "work":
            assert len(living.work(2)) <= 2
            continue
        if what == "remove" and node in living.features:
            size = living.remove(node)
        elif what == "text" and node in living.features:
            size = living.put(node, torch.rand(3, generator=torch.Generator().manual_seed(seed)), living.needs[node])
        else:
            old = living.features.get(node, torch.rand(3, generator=torch.Generator().manual_seed(seed)))
            size = living.put(node, old, needs)
        after = all_states(model, sage, living) if living.features else {}
        moved = {one for one in after if one not in before or not torch.allclose(before[one], after[one], atol=1e-6)}
        assert len(moved) <= size
        # What is not in the queue is as if all of it had been computed anew, and what is has an age.
        ages = living.ages()
        for one, state in after.items():
            if one not in ages:
                assert torch.allclose(living.states[-1][one], state, atol=1e-6)
        assert all(0 <= age < time[0] for age in ages.values())
    living.refresh(list(living.features))
    assert living.ages() == {}
    for one, state in (all_states(model, sage, living) if living.features else {}).items():
        assert torch.allclose(living.states[-1][one], state, atol=1e-6)


def test_a_ball_is_what_changes_and_nothing_else(part):
    """With weights that let everything through, exactly the nodes of the ball get another vector."""
    sage, balls = part("sage"), part("balls")
    generator = torch.Generator().manual_seed(1)
    model = sage.LinkSAGE(3, 4, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=generator))
    drawn = torch.randint(60, (2, 90), generator=generator).T.tolist()
    living = balls.LivingVectors(model, at_once=0, clock=lambda: 0.0)
    for node, needs in needs_of(drawn, 60).items():
        living.put(node, torch.rand(3, generator=generator), needs)
    before = all_states(model, sage, living)
    living.put(5, torch.ones(3), living.needs[5])
    after = all_states(model, sage, living)
    reached = balls.ball([5], living.needed_by, 2)
    assert {node for node in after if not torch.equal(before[node], after[node])} == set(reached)
    assert 1 < len(reached) < 60
    living.work(1000)
    computed = living.computed
    living.put(5, torch.zeros(3), living.needs[5])
    living.work(1000)
    by_distance = [list(reached.values()).count(distance) for distance in range(3)]
    assert living.computed - computed == 3 * by_distance[0] + 2 * by_distance[1] + by_distance[2]


def test_the_queue_serves_who_has_waited_longest(part):
    sage, balls = part("sage"), part("balls")
    time = [0.0]
    living = balls.LivingVectors(sage.LinkSAGE(2, 4, 2), at_once=2, clock=lambda: time[0])
    for node in range(6):  # 0 is needed by 1 to 4; 5 stands alone
        living.put(node, torch.ones(2), [0] if 0 < node < 5 else [])
    assert living.ages() == {}
    time[0] = 10.0
    assert living.put(0, torch.zeros(2), []) == 5
    time[0] = 11.0
    living.put(0, torch.full((2,), 0.5), [])  # once more: it has been behind since the first time
    time[0] = 12.0
    assert living.put(5, torch.zeros(2), []) == 1  # small: at once
    assert living.ages() == dict.fromkeys([0, 1, 2, 3, 4], 2.0)
    assert len(living.work(2)) == 2
    assert len(living.ages()) == 3
    living.vectors([3])  # what is there is given, stale or not
    assert len(living.ages()) == 3
    living.work(9)
    assert living.ages() == {}
    assert living.put(1, torch.ones(2), []) == 1  # it no longer needs 0, and hears nothing of it any more
    assert living.put(0, torch.ones(2), []) == 4


def test_hashed_words(part):
    words = part("sage").hashed_words
    rows = words(["a small tool", "tool small a", "", "A  small TOOL tool"], 64)
    assert torch.equal(rows[0], rows[1])
    assert torch.equal(rows[0], rows[3])
    assert rows[2].abs().sum() == 0
    assert rows[0].norm() == pytest.approx(1)
    with pytest.raises(ValueError, match="at least one place"):
        words(["a"], 0)


def test_link_loss_is_a_cross_entropy_without_what_is_right_too(part):
    generator = torch.Generator().manual_seed(0)
    asks, offers = (functional.normalize(torch.randn(3, 4, generator=generator), dim=1) for _ in range(2))
    wrong = torch.tensor([[False, True, False], [True, False, True], [True, True, False]])
    found = part("sage").link_loss(asks, offers, wrong)
    expected = 0.0
    for i in range(3):
        scores = {j: float(asks[i] @ offers[j]) / 0.1 for j in range(3) if j == i or wrong[i, j]}
        expected -= scores[i] - np.log(sum(np.exp(value) for value in scores.values()))
    assert found.item() == pytest.approx(expected / 3, abs=1e-5)


def test_links_that_are_asked_for_are_out_of_the_graph(part):
    needs = torch.tensor([[0, 0, 1, 2, 3], [1, 2, 2, 3, 1]])
    batches = part("sage").LinkBatches(needs, 4, 2)
    for seed in range(20):
        hidden, graph, wrong = batches.draw(torch.Generator().manual_seed(seed))
        asked, kept = (
            {tuple(link) for link in hidden.T.tolist()},
            {tuple(link) for link in graph.edge_index.flip(0).T.tolist()},
        )
        assert len(asked) == 2
        assert asked | kept == {tuple(link) for link in needs.T.tolist()}
        assert not asked & kept
        for i, j in ((0, 1), (1, 0)):
            link = (int(hidden[0, i]), int(hidden[1, j]))
            assert bool(wrong[i, j]) == (link not in asked | kept and link[0] != link[1])


def test_training_moves_every_parameter_and_repeats(part):
    sage = part("sage")
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(30, 5, generator=generator)
    needs = torch.unique(torch.randint(30, (2, 120), generator=generator), dim=1)
    ended = []
    for _ in range(2):
        torch.manual_seed(1)
        model = sage.LinkSAGE(5, 6, 2)
        before = [parameter.clone() for parameter in model.parameters()]
        losses = sage.train(
            model, features, needs, steps=30, learning_rate=1e-2, generator=torch.Generator().manual_seed(2), size=32
        )
        assert all(not torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))
        assert losses[-1] < losses[0]
        ended.append(losses)
    assert ended[0] == ended[1]


def test_a_model_without_layers_hears_nobody(part):
    model = part("sage").LinkSAGE(3, 4, 0)
    features = torch.rand(3, 3)
    graph = part("sage").message_graph(torch.tensor([[0, 1], [1, 2]]), 3)
    nobody = Graph(torch.empty(2, 0, dtype=torch.long), 3)
    assert torch.equal(model(features, graph), model(features, nobody))


def test_note_12_by_hand(load_sprint):
    script = load_sprint(f"{SPRINT}/neighbours_by_hand.py")
    results = script.main(script.Config())
    assert results.before == {
        "olives": [4, 4, 4], "oil": [2, 6, 10], "salt": [7, 7, 7], "flour": [1, 1, 1], "salad": [0, 4.5, 11],
        "bread": [1, 5, 9], "picnic": [0, 0.5, 5.25],
    }  # fmt: skip
    assert results.after == results.before | {"olives": [8, 8, 8], "oil": [2, 10, 18], "salad": [0, 4.5, 13]}
    assert results.reached == {"olives": 0, "oil": 1, "salad": 2}
    assert (results.computed, results.states) == (6, 21)
    for words in ("4.5 + (6 + 7) / 2 = 11", "4.5 + (10 + 7) / 2 = 13", "0.5 + (4.5 + 5) / 2 = 5.25", "6 of 21"):
        assert words in note(12)
    script.plot(results)
    assert script.main(script.Config(changed="salt", to=9.0)).computed == 8
    living = script.LivingVectors(script.adding_model(), at_once=9, clock=lambda: 0.0)
    numbers = {name: number for number, name in enumerate(script.NODES)}
    for name, number in numbers.items():
        living.put(number, torch.tensor([script.SAYS[name]]), [numbers[one] for one in script.NEEDS.get(name, [])])
    computed = living.computed
    living.put(numbers["bread"], torch.tensor([1.0]), [numbers[one] for one in ("flour", "salt", "oil")])
    assert living.computed - computed == 3


def test_note_13_by_hand(load_sprint):
    script = load_sprint(f"{SPRINT}/numbers_by_hand.py")
    results = script.main(script.Config())
    assert (results.names, results.places) == ([20, 30, 40, 50], [1, 2, 3, 4])
    assert results.asked == results.own_numbers == [20, 30, 40]
    assert results.second_table == [30, 40, 50]
    assert "the vector of 20 finds 30, for 30 it finds 40, for 40 it finds 50" in note(13)
    script.plot(results)
    other = script.main(script.Config(removed=30))
    assert (other.asked, other.second_table, other.own_numbers) == ([10, 20, 40], [10, 20, 50], [10, 20, 40])
    assert "the vector of 40 has place 3: it finds 50" in note(13)
    assert 4 * sum(share**2 for share in (0.4, 0.3, 0.2, 0.1)) == pytest.approx(1.2)
    assert 250 / 1250 == 0.2


def test_exercises_i_and_j():
    sizes = [10**level for level in range(6)]
    assert (sum(sizes), sum(sizes[:3])) == (111_111, 111)
    balls = sum(size * min(level + 1, 3) for level, size in enumerate(sizes))
    assert balls == 3 * 111_111 - 10 - 2
    assert round(balls / sum(sizes), 4) == 2.9999
    for share, cost in ((0.5, 1), (0.2, 4)):
        assert (1 - share) / share == pytest.approx(cost)
    for words in ("111,111", "2.9999", "$4c$ for a fifth"):
        assert words in PAGE


def test_the_best_ranking_is_bayes_rule_written_out(part):
    """One question, computed anew from probabilities, topic by topic."""
    packages, hidden, sage = part("packages"), part("hidden_links"), part("sage")
    generator = torch.Generator().manual_seed(4)
    world = packages.draw_packages(300, 4, generator)
    new = torch.arange(world.core, 300)
    task = hidden.make_task(sage.hashed_words(world.texts, 32), world.needs, new[:30], new[30:], generator, wrong=5)
    questions, chance = task.test, task.popularity.double() / task.popularity.sum()
    scores = packages.best_scores(world, task, questions)
    for number in range(6):
        asker, known = int(questions.askers[number]), questions.known[1][questions.known[0] == number]
        expected = []
        for candidate in questions.candidates[number].tolist():
            needed, total = {*known.tolist(), candidate}, 0.0
            for topic in range(4):
                chances = world.odds.double().sigmoid()
                likely = 1.0
                for word in world.words[asker].tolist():
                    own = packages.TOPICAL / packages.TOPIC_WORDS * (word // packages.TOPIC_WORDS == topic)
                    likely *= own + (1 - packages.TOPICAL) / packages.COMMON_WORDS * (word >= 4 * packages.TOPIC_WORDS)
                for other in range(world.core):
                    probability = float(chances[int(world.topics[other] == topic), other])
                    likely *= probability if other in needed else 1 - probability
                total += likely
            others = 1 - sum(float(chance[one]) for one in needed)
            expected.append(np.log(total) - np.log(float(chance[candidate]) or 1e-12) - 5 * np.log(others))
        found = scores[number].numpy()
        assert found - found[0] == pytest.approx(np.array(expected) - expected[0], abs=1e-4)


def test_hidden_links_are_hidden_and_wrong_ones_are_wrong(part):
    packages, hidden, sage = part("packages"), part("hidden_links"), part("sage")
    generator = torch.Generator().manual_seed(5)
    world = packages.draw_packages(200, 4, generator)
    new = torch.arange(world.core, 200)
    task = hidden.make_task(sage.hashed_words(world.texts, 32), world.needs, new[:20], new[20:], generator, wrong=9)
    truth = {tuple(link) for link in world.needs.T.tolist()}
    assert {tuple(link) for link in task.needs.T.tolist()} == {link for link in truth if link[0] < world.core}
    seen = {tuple(link) for link in task.seen(task.test).T.tolist()}
    for asker, candidates in zip(task.test.askers.tolist(), task.test.candidates.tolist(), strict=True):
        assert (asker, candidates[0]) in truth - seen
        assert not {(asker, one) for one in candidates[1:]} & truth
    ranks = hidden.reciprocal_ranks(torch.tensor([[1.0, 2, 0, 0], [1, 1, 1, 0], [3, 1, 1, 0], [0, 0, 0, 0]]))
    assert ranks.tolist() == pytest.approx([1 / 2, (1 + 1 / 2 + 1 / 3) / 3, 1, (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4])
    together = hidden.needed_together(task, task.test, rows_at_once=3)
    matrix = torch.zeros(200, 200)
    matrix[task.needs[0], task.needs[1]] = 1
    columns = functional.normalize(matrix, dim=0)
    known = task.test.known[1][task.test.known[0] == 1]
    expected = [sum(float(columns[:, one] @ columns[:, other]) for other in known) for one in task.test.candidates[1]]
    assert together[1].tolist() == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ValueError, match="two needs or more"):
        hidden.make_task(torch.zeros(3, 2), torch.tensor([[1], [0]]), torch.tensor([2]), torch.tensor([2]), generator)


def test_scripts_at_a_small_size(load_sprint):
    """Trained layers beat untrained ones; recall falls with the first centres and tombstones by topic."""
    aging = load_sprint(f"{SPRINT}/aging.py")
    config = aging.Config(vectors=600, topics=10, features=16, cells=16, probed=3, drifts=(0.3,), steps=8, queries=40)
    first, renewed = (aging.course(config, 1, rule, threshold) for rule, threshold in (("never", 0), ("nearness", 0.9)))
    assert first.trained == []
    assert renewed.trained
    assert np.mean(first.recall[-3:]) < np.mean(renewed.recall[-3:])
    assert first.nearness[-1] < 0.8
    assert not aging.wants_training("imbalance", 1.1, 3, 1.05, 0.5, 0.5)
    assert aging.wants_training("calendar", 3, 3, 1.0, 1.0, 1.0)
    tombstones = load_sprint(f"{SPRINT}/tombstones.py")
    results = tombstones.main(
        tombstones.Config(vectors=400, features=16, width=12, removed=(0.0, 0.5), queries=30, seeds=(0,))
    )
    assert results.recall["by topic"]["tombstones"][1][0] < results.recall["at random"]["tombstones"][1][0]
    tombstones.plot(results)
    following = load_sprint(f"{SPRINT}/following.py")
    found = following.main(following.Config(packages=200, topics=4, changes=20, at_once=5, work=10))
    assert found.off < 1e-5
    assert found.put_off > 0
    assert found.ages[-1] >= 0
    following.plot(found)
    force = load_sprint(f"{SPRINT}/against_brute_force.py")
    kinds = force.main(force.Config(changes=200, numbers=50, every=100, queries=3, seeds=(0,))).kinds
    assert all(kind.equal == kind.comparisons for kind in kinds.values())
    script = load_sprint(f"{SPRINT}/trained_or_not.py")
    results = script.main(
        script.Config(
            packages=600, topics=4, words=64, width=16, layers=(1,), steps=40, learning_rates=(1e-2,), seeds=(0,)
        )
    )
    ranks = {name: value[0] for name, value in results.reciprocal_ranks.items()}
    assert ranks["1 layers, untrained"] < ranks["1 layer, trained"] < ranks["best possible"]
    assert ranks["popularity"] < 0.12
    script.plot(results)
