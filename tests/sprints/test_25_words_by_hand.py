"""What notes 1, 2 and 9 and the exercises of sprint 25 work out by hand, and the scripts that show it."""

import itertools
import math
import random

import numpy as np
import pytest
from lesson_texts import lesson_texts, shown

from shared.text import foldoc

SPRINT = "25_retrieval_augmented_generation"
PAGE, note = lesson_texts(SPRINT)


@pytest.fixture
def part(load_sprint):
    return lambda name: load_sprint(f"{SPRINT}/retrieval/{name}.py")


@pytest.fixture
def script(load_sprint):
    return lambda name: load_sprint(f"{SPRINT}/{name}.py")


def test_note_1_onion_soup_by_four_formulas(script):
    by_hand = script("bm25_by_hand")
    results = by_hand.main(by_hand.Config())
    for number, words in enumerate(results.words):
        assert f"| {number} | {' '.join(words)} | {len(words)} |" in note(1)
    shown(note(1), *results.scores["lucene"][:3], *results.idf["lucene"].values())
    assert results.scores["robertson"] == [0, 0, 0, 0]
    assert results.idf["robertson"]["onion"] == 0
    assert results.idf["fts5"]["onion"] == 1e-6
    shown(note(1), results.idf["atire"]["onion"], 2 / 3.5, 10 / 11.5)
    lemon = by_hand.main(by_hand.Config(query="lemon lemon"))
    shown(note(1), lemon.scores["lucene"][3], lemon.idf["lucene"]["lemon"])
    flat = by_hand.main(by_hand.Config(b=0.0))
    shown(note(1), *flat.scores["lucene"][:2])
    by_hand.plot(results)


def test_note_2_three_orders_and_a_scorer_that_knows_nothing(script, part):
    by_hand = script("ranks_by_hand")
    results = by_hand.main(by_hand.Config())
    shown(note(2), *(results.expected[kind] for kind in ("recall@3", "rr", "ndcg@3", "ap")))
    for kind, value in results.expected.items():
        over_orders = math.fsum(results.shares[name] * results.orders[name][kind] for name in results.orders)
        assert value == pytest.approx(over_orders)
    by_hand.plot(results)
    with pytest.raises(ValueError, match="at most 7"):
        by_hand.Config(scores=(1.0,) * 8, gains=(1,) * 8).check()
    with pytest.raises(ValueError, match="needs a gain"):
        by_hand.Config(scores=(1.0,)).check()
    metrics = part("metrics")
    rank = metrics.measure("rr", metrics.levels([1.0] * 4, [1.0, 1.0, 0.0, 0.0]), [1.0, 1.0])
    assert rank == pytest.approx(13 / 18)
    shown(note(2), rank)
    hundred = metrics.levels([1.0] * 100 + [0.0] * 9_900, [1.0] + [0.0] * 9_999)
    assert metrics.recall(hundred, 1, 1) == pytest.approx(0.01)
    assert metrics.recall(hundred, 1, 10) == pytest.approx(0.1)


@pytest.mark.parametrize("count", [2, 135])
def test_a_constant_scorer_gets_what_chance_gets(script, part, count):
    constant, metrics = script("constant_scorer"), part("metrics")
    gains = [1.0] + [0.0] * (count - 1)
    ranking = metrics.levels([7.0] * count, gains)
    for name, value in constant.chance_of(count).items():
        assert metrics.measure(name, ranking, gains) == pytest.approx(value, abs=1e-12)
    assert metrics.measure("ap", ranking, gains) == pytest.approx(constant.chance_of(count)["rr"])


def test_trec_eval_breaks_ties_by_name_and_in_float32(script):
    constant = script("constant_scorer")
    tied = dict.fromkeys(("a", "b", "c"), 1.0)
    assert [constant.by_trec_eval(tied, name) for name in "abc"] == pytest.approx([1 / 3, 1 / 2, 1])
    assert constant.by_trec_eval({"a": 1.0 + 1e-8, "b": 1.0}, "a") == 0.5


def test_note_9_facts_that_a_border_cuts(script, part):
    by_hand, probability = script("chunks_by_hand"), part("long_documents").whole_probability
    results = by_hand.main(by_hand.Config())
    cut, whole = results.cuttings["0"], results.cuttings["2"]
    words = results.words
    assert [words[start] for start, kept in enumerate(cut.whole) if not kept] == ["needs", "three", "them", "first."]
    assert all(whole.whole)
    assert (len(cut.chunks), len(whole.chunks), sum(map(len, whole.chunks))) == (3, 5, 20)
    assert (cut.probability, whole.probability) == (0.5, 1.0)
    assert probability(11, 50, 0) == 0.8
    assert probability(11, 50, 10) == 1.0 > probability(11, 50, 9)
    shown(note(9), 100 / 81, form=".2f")
    by_hand.plot(results)
    with pytest.raises(ValueError, match="overlaps must be below"):
        by_hand.Config(overlaps=(4,)).check()


def test_the_share_of_whole_facts_is_that_of_a_long_text(part):
    chunks, probability = part("chunks"), part("long_documents").whole_probability
    text = " ".join(f"w{number}" for number in range(6 * 7 * 60))
    for size, overlap, length in itertools.product((3, 7), (0, 2), (1, 2, 3, 5)):
        made = chunks.cut("d", text, "words", size, overlap)
        period = size - overlap
        starts = range(10 * period, 10 * period + 6 * period)
        spans = chunks.spans(text, "words")
        held = [
            any(chunk.start <= spans[start][0] and spans[start + length - 1][1] <= chunk.end for chunk in made[:40])
            for start in starts
        ]
        assert sum(held) / len(held) == pytest.approx(probability(length, size, overlap))
    with pytest.raises(ValueError, match="needs a word"):
        probability(0, 4, 2)


def test_long_documents_hold_the_passages_of_their_questions(part):
    long = part("long_documents")
    entries = [
        foldoc.Entry((f"name {n}",), f"<kind> Thing {n} is a {{thing}} for eight words. {more * 11}End.", ())
        for n, more in enumerate(f"More of it{n}. " for n in range(7))
    ]
    entries[3] = foldoc.Entry(("short",), "Too short.", ())
    world = long.join_entries(entries, 3, random.Random(0))
    assert len(world.texts) == 2
    for question in world.questions:
        number = question.text.split()[1]
        passage = world.texts[question.document][question.start : question.end]
        assert question.text == f"Thing {number} is a thing for eight words."
        assert passage == f"More of it{number}. " * 11 + "End."
        assert all(question.text not in text for text in world.texts)
    with pytest.raises(ValueError, match="from 1 to all 7"):
        long.join_entries(entries, 8, random.Random(0))


def test_what_is_delivered_is_what_fits_into_the_budget(part):
    long, chunk = part("long_documents"), part("kinds").Chunk
    text = "one two three four five six"
    question = long.Question("?", 0, 8, 23)  # three four five
    first, second = chunk("0", 0, 13, text[0:13]), chunk("0", 8, 27, text[8:27])
    assert long.delivered(question, [(0, first)], 3) == pytest.approx(5 / 15)
    assert long.delivered(question, [(0, first), (0, second)], 5) == pytest.approx(10 / 15)
    assert long.delivered(question, [(1, second)], 9) == 0
    assert long.delivered(question, [(0, second)], 99) == 1
    assert long.most_delivered(question, text, 2) == pytest.approx(10 / 15)
    assert long.most_delivered(question, text, 3) == 1


def test_exercise_a_and_b(part):
    bm25 = part("bm25")
    texts = ["salt salt salt salt salt xx", "saffron a1 a1 a1 a1 a1", *["salt b1 b1 b1 b1 b1"] * 59, *["c1 " * 6] * 39]
    for variant in ("lucene", "robertson", "atire"):
        scores = bm25.BM25(texts, variant=variant).scores("salt saffron")
        shown(PAGE, scores[1])
        shown(PAGE, scores[0]) if variant != "robertson" else None
        assert (scores[0] == scores[-1]) == (variant == "robertson")
    metrics = part("metrics")
    half = metrics.levels([1.0] * 5000 + [0.0] * 5000, [1.0] + [0.0] * 9999)
    shown(PAGE, metrics.reciprocal_rank(half), form=".5f")
    constant = metrics.levels([1.0] * 10_000, [1.0] + [0.0] * 9999)
    shown(PAGE, metrics.reciprocal_rank(constant), form=".5f")


def test_note_10_two_rankings_made_one(script):
    by_hand = script("fusion_by_hand")
    results = by_hand.main(by_hand.Config()).rankings
    shown(note(10), *(score for _, score in results["by places"]), form=".4f")
    shown(note(10), *(score for _, score in results["by scores"][:1]))
    assert [name for name, _ in results["by scores"]] == ["A", "C", "B", "D"]
    assert [round(score, 3) for _, score in results["by scores"]] == [0.833, 0.5, 0.333, 0]
    first = by_hand.main(by_hand.Config(k=0.0)).rankings["by places"]
    assert first[:2] == [("A", 1.5), ("C", pytest.approx(4 / 3))]
    by_hand.plot(by_hand.main(by_hand.Config()))


def test_descriptions_by_words_vectors_and_both(part, script):
    described, debian = part("described"), part("debian")
    texts = ["red apple pie", "green apple cake", "yellow pear cake", "blue plum pie"]
    items = debian.KnownItems(texts, ["red pie", "pear"], [0, 2], ["red pie", "pear", "pear", "plum"], list("abcd"))
    made = [[0.6, 0.8], [0.0, 1.0], [0.8, 0.6], [0.6 + 1e-9, 0.8]]
    vectors = {"red pie": [1.0, 0.0], "pear": [0.0, 1.0], **dict(zip(texts, made, strict=True))}
    words = described.by_words(items)
    assert [ranking[0][0] for ranking in words] == [0, 2]
    dense = described.by_vectors(items, lambda asked: np.array([vectors[text] for text in asked]))
    assert [number for number, _ in dense[0]] == [2, 0, 3, 1]  # equal cosines by number
    fusions = described.choose_fusions(words, dense, items)
    assert fusions.weight < 0.5
    assert fusions.by_weight[0] == 1.0 > fusions.by_weight[-1]
    values = described.values_of(fusions.by_scores(words, dense), items)
    assert values["recall@1"] == [1, 1]
    shares = script("descriptions").shared_out({"recall@1": [1.0, 1.0, 0.0]}, {"recall@1": [1.0, 0.0, 0.0]})
    assert shares == pytest.approx({"both": 1 / 3, "words alone": 1 / 3, "vectors alone": 0, "neither": 1 / 3})
    assert items.unique == [True, False]
    assert items.relevant == {"0": {"0": 1}, "1": {"2": 1}}
