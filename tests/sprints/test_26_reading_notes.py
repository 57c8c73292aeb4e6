"""What note 7 of sprint 26 and its exercises work out by hand, and what its scripts claim, made small."""

import math

import pytest
from lesson_texts import by_name, importable, lesson_texts, shown

SPRINT = "26_dynamic_knowledge_graph"
PAGE, note = lesson_texts(SPRINT)
on_path = importable(SPRINT)


def test_the_sentence_of_note_7(load_sprint):
    by_hand = load_sprint(f"{SPRINT}/reading_by_hand.py")
    found = by_hand.main(by_hand.Config())
    assert [tag for _, tag in found.tokens] == [
        "O", "O", "B-town", "O", "O", "B-person", "I-person", "O", "O", "O", "B-shop", "I-shop", "O",
    ]  # fmt: skip
    assert found.mentions[1] == (21, 28, "A. Berg", "person")
    shown(note(7), found.last, found.town, form=".4f")
    news, famous = (chances["Lund"] for chances in found.person.values())
    shown(note(7), news, famous)
    assert news == pytest.approx(found.last / (found.last + found.town))
    person, town = 0.04 * 0.2 * found.last, 0.25 / 12 * found.town
    shown(note(7), person, town, form=".5f")
    assert famous == pytest.approx(person / (person + town))
    wrong = sum(tag != mine for (_, tag), mine in zip(found.tokens, by_hand.WRONG, strict=True))
    assert (13 - wrong, found.f1) == (9, 0.0)
    assert f"{9 / 13:.0%}".replace("%", " %") in note(7)
    assert sum(tag == "O" for _, tag in found.tokens) == 8


def test_the_frequencies_of_note_7():
    words, grammar = by_name("knowledge.news_grammar").read_grammar()
    assert sum(1 / rank for rank in range(1, 51)) == pytest.approx(4.499, abs=5e-4)
    assert (len(words.last), len(words.town), words.last.index("Lund") + 1) == (50, 24, 4)
    share = {pattern.words: pattern.share for pattern in grammar.sentences}
    assert share["{s} is famous for {o}"] == pytest.approx(0.04)
    shown(note(7), share["{town} is famous for {dish}"], form=".4f")
    assert len(by_name("knowledge.rules").RULES) == 40


def test_another_word_than_one_that_is_both_is_refused(load_sprint):
    by_hand = load_sprint(f"{SPRINT}/reading_by_hand.py")
    with pytest.raises(ValueError, match="Marlow"):
        by_hand.Config(word="Oakham").check()


def test_the_questions_of_note_7():
    spans = by_name("knowledge.spans")
    tags = ["O", "B-town", "I-town", "B-town", "O", "I-shop", "I-person"]
    text = "a b c d e f g"
    found = spans.mentions_of(text, spans.tokens_of(text), tags)
    assert [(one.text, one.kind) for one in found] == [
        ("b c", "town"), ("d", "town"), ("f", "shop"), ("g", "person"),
    ]  # fmt: skip
    shown(note(7), spans.score([[1, 2, 3, 4]], [[1, 2, 5]]).f1)


@pytest.mark.parametrize(("hits", "places"), [(6.0, 10), (9.5, 10), (5.0, 10)])
def test_leaving_a_place_out_never_pays_for_the_likelier_of_two_kinds(hits, places):
    for chance in (0.5, 0.7, 1.0):
        assert 2 * (hits - chance) / (2 * places - 1) <= hits / places + 1e-12
    small = 0.9 * hits / (2 * places)
    assert 2 * (hits - small) / (2 * places - 1) > hits / places


def test_rules_learn_with_sentences_and_no_reader_passes_the_optimum(load_sprint):
    read = load_sprint(f"{SPRINT}/read_sentences.py")
    found = read.main(read.Config(sentences=(20, 120), seeds=1, tested=25, steps=2))
    assert found.rules[0][0] < found.rules[1][0]
    for names in ("seen", "unseen"):
        assert found.f1[names]["rules"][0][0] < found.f1[names]["rules"][1][0]
        best = found.best[names]["optimum"][0]
        assert all(values[-1][0] <= best + 0.03 for values in found.f1[names].values())
        assert found.claims[names]["true mentions"][0][0] > 0.95
    assert found.f1["unseen"]["list of words"][-1][0] < 0.05 < found.f1["seen"]["list of words"][-1][0]


def test_the_exercise_on_paper():
    last = [1 / (3.6 * rank) for rank in (2, 5, 12)]
    shown(PAGE, *last)
    kinds = ["person" if chance > 1 / 20 else "town" for chance in last]
    assert kinds == ["person", "person", "town"]
    wrong = 0.5 * sum(min(chance, 1 / 20) for chance in last)
    shown(PAGE, wrong)
    assert math.isclose(wrong, 0.5 * (0.05 + 0.05 + last[2]))
