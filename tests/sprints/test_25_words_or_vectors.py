"""Words and vectors in sprint 25: the note's numbers by hand, what counts as which failure, and a small run."""

from dataclasses import replace

import numpy as np
import pytest
import torch

SPRINT = "25_retrieval_augmented_generation"


@pytest.fixture
def world(load_sprint):
    return load_sprint(f"{SPRINT}/retrieval/pantry.py")


def test_the_numbers_of_the_note_by_hand(load_sprint):
    script = load_sprint(f"{SPRINT}/two_searches_by_hand.py")
    found = script.main(script.Config())
    assert found.question == [2, 0, 2, 0]
    assert found.passages == [[2, 0, 2, 0], [1, 2, 2, 0], [2, 0, 1, 2]]
    assert found.scores["BM25"] == pytest.approx([0.274, 0.274, 0.061], abs=5e-4)
    assert found.scores["cosine"] == pytest.approx([1, 0.707, 0.707], abs=5e-4)
    by_places = [1 / 61.5 + 1 / 61, 1 / 61.5 + 1 / 62.5, 1 / 63 + 1 / 62.5]
    assert found.scores["by places"] == pytest.approx(by_places)
    assert found.scores["by places"] == pytest.approx([0.0327, 0.0323, 0.0319], abs=5e-5)
    assert found.scores["by scores"] == pytest.approx([1, 0.5, 0])


def test_each_failure_has_its_name(load_sprint, world):
    failures, facts = (load_sprint(f"{SPRINT}/retrieval/pantry_{name}.py") for name in ("failures", "facts"))
    fact = facts.Fact(0, ("soups", "teacher", "prawns", "weddings"), 2021, None)
    others = {
        "fits too": replace(fact, values=("stews", "teacher", "prawns", "weddings")),
        "another year": replace(fact, year=2022),
        "word elsewhere": replace(fact, values=("soups", "lawyer", "prawns", "weddings"), remark=("teacher", "eggs")),
        "another part": replace(fact, values=("soups", "lawyer", "prawns", "weddings")),
        "another kind": facts.Fact(2, ("prawns", "teacher", "cellar", "weddings"), 2021, None),
    }
    pantry = world.Pantry.of([fact, *others.values()], [1 / 6] * 6)
    generator = torch.Generator().manual_seed(0)
    while True:
        question = pantry.ask_about(0, generator, 0.5)
        if question.reading.year == 2021 and set(question.reading.words) == {1, 2, 3}:
            break
    assert question.reading.asked == 0
    found = [failures.outcome(pantry, question, number) for number in range(6)]
    assert found == ["right", *others]
    assert failures.outcome(pantry, question, None) == "nothing"
    assert set(failures.OUTCOMES) == {"right", "nothing", *others}


def test_what_neither_search_finds_gets_no_score(load_sprint):
    script = load_sprint(f"{SPRINT}/words_or_vectors.py")
    words, vectors = np.array([[3.0, 1.0, 0.0, 0.0]]), np.array([[0.1, 0.9, 0.8, 0.2]])
    both = script.fused((words, vectors), 2, script.by_scores(0.25))
    assert both == pytest.approx(np.array([[0.25, 0.75, 0, 0]]))
    assert script.fused((words, vectors), 2, script.reciprocal_rank_fusion)[0, 3] == 0
    assert script.fused((words * 0, vectors), 4, script.by_scores(0.25)).argmax() == 1


def test_a_small_run_shows_what_the_note_says(load_sprint, monkeypatch):
    script = load_sprint(f"{SPRINT}/words_or_vectors.py")
    tokens = script.pantry_tokens()

    def untrained(_, seed):
        return script.BiEncoder(script.small_bert(tokens, torch.Generator().manual_seed(seed))), tokens

    monkeypatch.setattr(script, "encoder", untrained)
    config = script.Config(rates=(0.0, 1.0), facts=60, questions=30, seeds=2, depth=20)
    found = script.main(config)
    ndcg = {name: [row["0"][0], row["1"][0]] for name, row in found.ndcg.items()}
    assert ndcg["BM25"][0] > 0.75
    assert ndcg["BM25"][1] < 0.5
    assert all(value <= best + 1e-12 for row in ndcg.values() for value, best in zip(row, ndcg["best"], strict=True))
    assert all(sum(shares.values()) == pytest.approx(1) for row in found.outcomes.values() for shares in row.values())
    assert found.outcomes["BM25"]["1"]["nothing"] > 0.2
    assert found.outcomes["best"]["1"]["another part"] == 0
    assert script.main(config) == found
