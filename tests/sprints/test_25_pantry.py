"""The pantry of sprint 25: its formula against counting and brute force, and what its passages and questions hold."""

import math
import re
from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SPRINT = "25_retrieval_augmented_generation"


@pytest.fixture
def world(load_sprint):
    return load_sprint(f"{SPRINT}/retrieval/pantry.py")


@pytest.fixture
def grammar(load_sprint):
    return load_sprint(f"{SPRINT}/retrieval/pantry_grammar.py")


def every_question(pantry, grammar, number, synonyms):
    """Return each question about a passage with its probability, by going through all that can be drawn."""
    fact, found = pantry.facts[number], Counter[str]()
    form = grammar.KINDS[fact.kind]

    def spoken(meaning, table):
        others = grammar.words_of(table)[meaning]
        return {meaning: 1 - synonyms} | dict.fromkeys(others, synonyms / len(others))

    years = {fact.year: 1.0} if fact.overridden is not None else {fact.year: 0.25, None: 0.75}
    for asked, count in product(range(4), (1, 2, 3)):
        choices = list(combinations([part for part in range(4) if part != asked], count))
        for said, (relation, of_relation), (year, of_year) in product(
            choices, spoken(form.relation, "relation").items(), years.items()
        ):
            for words in product(*(spoken(fact.values[part], form.parts[part]).items() for part in said)):
                texts = {part: word for part, (word, _) in zip(said, words, strict=True)}
                text = grammar.form_question(grammar.Reading(fact.kind, asked, texts, relation, year))
                probability = math.prod(of_word for _, of_word in words) * of_relation * of_year
                found[text] += probability / 12 / len(choices)
    return found


@pytest.mark.parametrize("synonyms", [0.0, 0.3, 1.0])
def test_log_likelihood_is_what_going_through_all_questions_gives(world, grammar, synonyms):
    pantry = world.Pantry(seed=1, facts=40)
    for number in range(0, 40, 8):
        questions = every_question(pantry, grammar, number, synonyms)
        assert sum(questions.values()) == pytest.approx(1)
        for text, probability in list(questions.items())[::97]:
            found = math.exp(pantry.log_likelihood(text, synonyms)[number])
            assert found == pytest.approx(probability, rel=1e-9, abs=1e-15), text


def test_questions_are_drawn_as_often_as_the_formula_says(world):
    pantry, generator, draws = world.Pantry(seed=2, facts=10), torch.Generator().manual_seed(0), 4000
    counts = Counter(pantry.ask_about(3, generator, 0.3).text for _ in range(draws))
    for text, count in counts.most_common(8):
        expected = draws * math.exp(pantry.log_likelihood(text, 0.3)[3])
        assert abs(count - expected) < 4 * math.sqrt(expected), f"{text}: {count} times, expected {expected:.1f}"


def test_each_synonym_of_a_word_is_said_equally_often(world):
    pantry, generator = world.Pantry(seed=2, facts=10), torch.Generator().manual_seed(5)
    counts = Counter(pantry.ask_about(3, generator, 1.0).reading.relation for _ in range(400))
    assert len(counts) == 2
    assert all(abs(count - 200) < 40 for count in counts.values())


def test_passages_are_asked_about_as_often_as_the_prior_says(world):
    pantry, generator = world.Pantry(seed=2, facts=10), torch.Generator().manual_seed(1)
    counts = np.bincount([pantry.ask(generator, 0.5).fact for _ in range(2000)], minlength=10)
    expected = 2000 * pantry.prior
    assert (np.abs(counts - expected) < 4 * np.sqrt(expected)).all()
    assert pantry.prior.sum() == pytest.approx(1)


def test_the_posterior_is_how_often_a_question_is_about_each_passage(world):
    """The share of questions whose best passage is theirs is what the posterior promises on average."""
    pantry, generator, sure, hits = world.Pantry(seed=3, facts=200), torch.Generator().manual_seed(2), [], []
    ranking = world.BayesRanking(pantry, 0.5)
    for _ in range(600):
        question = pantry.ask(generator, 0.5)
        best, probability = ranking.search(question.text, 1)[0]
        sure.append(probability)
        hits.append(best in question.relevant)
    spread = math.sqrt(sum(p * (1 - p) for p in sure))
    assert abs(sum(hits) - sum(sure)) < 4 * spread
    assert sum(hits) > 0.6 * len(hits)


def test_every_question_reads_as_what_it_was_made_of(world, grammar):
    pantry, generator = world.Pantry(seed=4, facts=100), torch.Generator().manual_seed(3)
    for _ in range(300):
        question = pantry.ask(generator, 0.5)
        readings = grammar.read_question(question.text)
        assert question.reading in readings
        assert {grammar.form_question(reading) for reading in readings} == {question.text}
        assert question.answer == pantry.facts[question.fact].values[question.reading.asked]
        assert question.answer in pantry.passages[question.fact]


def test_no_synonym_stands_in_a_passage_and_stems_do_not_give_it_away(world, grammar):
    stem = pytest.importorskip("Stemmer").Stemmer("english").stemWord
    passages = " ".join(world.Pantry(seed=5, facts=1000).passages).lower()
    stems = {stem(word) for word in re.findall(r"\w+", passages)}
    for table in grammar.TABLES:
        for word, synonyms in grammar.words_of(table).items():
            for synonym in synonyms:
                assert stem(synonym.lower()) not in stems, f"{synonym}, said for {word}, stands in a passage"


def test_words_with_two_meanings_are_counted_for_both(world):
    assert world.word_probability("medic", "doctor", "person", 0.4) == pytest.approx(0.2)
    assert world.word_probability("medic", "nurse", "person", 0.4) == pytest.approx(0.2)
    assert world.word_probability("medic", "teacher", "person", 0.4) == 0
    assert world.word_probability("doctor", "doctor", "person", 0.4) == pytest.approx(0.6)


def test_a_later_passage_overrides_and_only_then_is_the_year_always_said(world):
    pantry, generator = world.Pantry(seed=6, facts=300), torch.Generator().manual_seed(4)
    old = [number for number, fact in enumerate(pantry.facts) if fact.overridden is not None]
    assert len(old) == 30
    for number in old:
        fact = pantry.facts[number]
        newer = pantry.facts[fact.overridden or 0]
        assert newer.year > fact.year
        assert newer.overridden is None
        assert (newer.kind, newer.values[:2]) == (fact.kind, fact.values[:2])
        assert sum(a != b for a, b in zip(newer.values, fact.values, strict=True)) == 1
        assert pantry.ask_about(number, generator, 0.5).text.startswith(f"As of {fact.year}, ")
    keys = Counter((fact.kind, fact.values[:2]) for fact in pantry.facts if fact.overridden is None)
    assert max(keys.values()) == 1


def test_the_same_seed_gives_the_same_pantry_and_another_does_not(world):
    assert world.Pantry(7, 50).passages == world.Pantry(7, 50).passages != world.Pantry(8, 50).passages
    assert len(set(world.Pantry(7, 2000).passages)) == 2000


def test_what_no_passage_can_be_asked_is_said_to_be_so(world):
    pantry = world.Pantry(seed=0, facts=50)
    assert np.isneginf(pantry.log_likelihood("Who let the dogs out?", 0.5)).all()
    with pytest.raises(ValueError, match="no passage of this pantry can be asked 'Who let"):
        world.BayesRanking(pantry, 0.5).search("Who let the dogs out?", 3)
    with pytest.raises(ValueError, match="10 to 2000 facts; got 5000"):
        world.Pantry(0, 5000)


def test_expected_measures_are_those_of_counting_with_ties_in_random_order(load_sprint):
    optimum = load_sprint(f"{SPRINT}/retrieval/pantry_optimum.py")
    metrics = load_sprint(f"{SPRINT}/retrieval/metrics.py")
    generator = np.random.default_rng(0)
    scores = generator.integers(0, 4, size=14).astype(float)
    posterior = generator.dirichlet(np.ones(14))
    found = optimum.expected_measures(scores, posterior)
    run = {str(right): {str(number): score for number, score in enumerate(scores)} for right in range(14)}
    measured = metrics.evaluate(run, {str(right): {str(right): 1} for right in range(14)}, list(optimum.GAINS))
    for name, values in measured.items():
        assert found[name] == pytest.approx(float(posterior @ np.array(values))), name


def test_the_best_measures_are_those_of_all_questions_in_a_small_world(world, grammar, load_sprint):
    """No sampling: every question that can be asked, with its probability. And no other ranking is better."""
    optimum = load_sprint(f"{SPRINT}/retrieval/pantry_optimum.py")
    pantry, synonyms = world.Pantry(seed=1, facts=10), 1.0
    joint = {}
    for number in range(10):
        for text, probability in every_question(pantry, grammar, number, synonyms).items():
            joint.setdefault(text, np.zeros(10))[number] += pantry.prior[number] * probability
    posteriors = [(row.sum(), row / row.sum()) for row in joint.values() if row.sum() > 0]
    assert sum(probability for probability, _ in posteriors) == pytest.approx(1)
    exact = {
        name: sum(probability * optimum.expected_measures(row, row)[name] for probability, row in posteriors)
        for name in optimum.GAINS
    }
    drawn = optimum.best_measures(pantry, synonyms, questions=400, seed=0)
    for name, value in exact.items():
        assert drawn[optimum.BEST][name] == pytest.approx(value, abs=0.02), name
        assert drawn[optimum.COUNTED][name] == pytest.approx(value, abs=0.05), name
        assert drawn[optimum.NO_PRIOR][name] <= drawn[optimum.BEST][name] + 1e-12, name


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(7)), st.integers(0, 1000))
def test_no_order_is_worth_more_than_that_of_the_posterior(load_sprint, order, seed):
    optimum = load_sprint(f"{SPRINT}/retrieval/pantry_optimum.py")
    posterior = np.random.default_rng(seed).dirichlet(np.ones(7))
    best = optimum.expected_measures(posterior, posterior)
    for name, value in optimum.expected_measures(-np.array(order, dtype=float), posterior).items():
        assert value <= best[name] + 1e-12


def test_the_numbers_of_the_note_by_hand(load_sprint):
    results = load_sprint(f"{SPRINT}/pantry_by_hand.py")
    found = results.main(results.Config())
    now, then = found.questions.values()
    assert now.likelihood == pytest.approx([1 / 36 * 3 / 4 * 0.2 * 0.2 * 0.6, 0, 1 / 36 * 3 / 4 * 0.2 * 0.2 * 0.6])
    assert now.likelihood[0] == pytest.approx(0.0005)
    assert now.posterior == pytest.approx([5 / 7, 0, 2 / 7])
    assert then.likelihood == pytest.approx([0.0005 / 3, 4 * 0.0005 / 3, 0])
    assert then.posterior == pytest.approx([0.125 / 0.425, 0.3 / 0.425, 0])
    assert then.ranking == [1, 0, 2]
    assert (then.recall, then.reciprocal_rank, then.gain) == pytest.approx((0.706, 0.853, 0.891), abs=5e-4)
