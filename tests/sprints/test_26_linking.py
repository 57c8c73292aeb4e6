"""Sprint 26, which entry is meant: questions that do not give their answer away, scores, and a known law."""

import dataclasses
import gzip
import math
import sqlite3
from collections import Counter
from typing import Any

import pytest
import torch
from lesson_texts import by_name, importable, lesson_texts, shown

from shared.lab.config import parse_config
from shared.lab.datasets import find_folder

SPRINT = "26_dynamic_knowledge_graph"
PAGE, note = lesson_texts(SPRINT)
on_path = importable(SPRINT)

NAMES = [("tor", "door of a city"), ("Tor",), ("TOR",), ("magnetic disk", "platter"), ("floppy disk",), ("old town",)]
TEXTS = [
    "opens at six", "a router that hides", "tore of rings", "turns fast", "bends and turns",
    "behind the tor of the old town a magnetic disk lay beside a tor and a floppy disk and its platter",
]  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small(written: str = "Tor", entry: int | None = 1) -> Any:
    """A dictionary of six entries; the last one's text refers to a Tor and to a magnetic disk."""
    linking = by_name("knowledge.linking")
    references = [linking.Reference(5, 2, 3, written, entry), linking.Reference(5, 8, 10, "magnetic disk", 3)]
    return linking.Dictionary(NAMES, [text.split() for text in TEXTS], references)


# what can be asked


def test_a_phrase_is_taken_out_where_it_stands_whole_and_the_longest_one_first():
    without = by_name("knowledge.linking").without
    words = ["a", "floppy", "disk", "drive", "and", "a", "disk", "and", "a", "floppy"]
    assert without(words, [["disk"], ["floppy", "disk", "drive"]]) == ["a", "and", "a", "and", "a", "floppy"]
    assert without(words, [["floppy"], ["floppy", "disk"]]) == ["a", "drive", "and", "a", "disk", "and", "a"]
    assert without(words, [[], ["drive", "a"]]) == words


def test_forms_are_what_is_left_of_a_name():
    linking = by_name("knowledge.linking")
    assert linking.whole("C++ Compiler, 2nd") == "c++ compiler 2nd"
    assert linking.last_word("Magnetic Disk") == linking.last_word("disk") == "disk"
    assert linking.initials("Operating System") == linking.initials("OS") == "os"
    assert linking.last_word("!") == ""
    assert linking.initials("?") == ""


@pytest.mark.parametrize("kind", ["no capitals", "last word", "hidden"])
def test_which_candidate_is_right_changes_nothing_that_is_shown(kind):
    """The rule must be blind for the answer: another spelling in the same text makes the same question."""
    ask = by_name("knowledge.linking").ask
    asked = [ask(small(written, entry), kind)[0] for written, entry in (("tor", 0), ("Tor", 1), ("TOR", 2))]
    if kind == "hidden":
        assert [question.entry for question in asked] == [0, 1, 2]
    stripped = [dataclasses.replace(question, entry=None) for question in asked]
    assert stripped[0] == stripped[1] == stripped[2]


def test_no_name_of_a_candidate_and_no_word_of_the_own_title_is_left():
    linking = by_name("knowledge.linking")
    tor = linking.ask(small(), "no capitals")[0]
    assert (tor.written, tor.candidates, tor.entry) == ("tor", [0, 1, 2], 1)
    assert tor.before == ["behind", "the"]
    # "old" and "town" are in the title; the other "tor" is the same word.
    assert " ".join(tor.after) == "of the a magnetic disk lay beside a and a floppy disk and its platter"
    assert "town" in linking.ask(small(), "no capitals", own_title=True)[0].after
    disk = linking.ask(small(), "last word")[1]
    assert (disk.written, disk.candidates) == ("disk", [3, 4])
    # "platter" is a name of a candidate, too, and would say which one it is.
    assert " ".join(disk.after) == "lay beside a tor and a and its"
    assert disk.context(2) == ["the", "a", "lay", "beside"]


def test_a_hidden_mention_leaves_its_context_and_every_entry_that_is_not_named_there():
    linking = by_name("knowledge.linking")
    tor, disk = linking.ask(small(), "hidden")
    assert tor.written == ""
    assert "tor" not in tor.before + tor.after
    assert tor.candidates is None
    assert tor.excluded == {3, 5}  # the magnetic disk is named elsewhere, and the source is itself
    assert disk.excluded == {0, 1, 2, 5}
    assert linking.ask(small(entry=None), "hidden")[0].entry == 3  # without an entry nothing can be found


def test_mentions_that_fit_one_entry_or_whose_source_is_the_other_one_are_not_asked():
    linking = by_name("knowledge.linking")
    assert [question.entry for question in linking.ask(small(), "no capitals")] == [1]
    own = linking.Dictionary([("tor",), ("Tor",)], [["a"], ["b"]], [linking.Reference(0, 0, 1, "Tor", 1)])
    assert linking.ask(own, "no capitals") == []
    with pytest.raises(ValueError, match=r"kind must be one of hidden, no capitals.*got 'vowels'"):
        linking.ask(own, "vowels")


def test_the_mentions_of_a_text_are_in_one_part():
    parts = by_name("knowledge.linking").split_sources(50, torch.Generator().manual_seed(0))
    assert [len(part) for part in parts] == [30, 10, 10]
    assert set.union(*parts) == set(range(50))


FOLDOC = """
apple

   <fruit> Grows on a {tree}, see {trees}, {Tree} or {pear}.  {Green} {apple}s.

   [{root}] of the {tree} again {(https://example.org)} {page (mailto:me@example.org)} {the plant (TREE)}

tree

   carries {pears} and {Apple}

TREE

   a protocol

green

   a colour

root

   below
"""


def test_which_references_of_a_real_dictionary_count():
    parse = by_name("shared.text.foldoc").parse
    dictionary = by_name("knowledge.foldoc_references").dictionary_of(parse(FOLDOC))
    found = [(reference.source, reference.name, reference.entry) for reference in dictionary.references]
    # "trees" is a plural; "Tree" fits two entries; [root] says where it is from; of {apple} the source is itself.
    assert found == [
        (0, "tree", 1),
        (0, "pear", None),
        (0, "Green", 3),
        (0, "TREE", 2),
        (1, "pears", None),
        (1, "Apple", 0),
    ]
    for reference in dictionary.references:
        written = dictionary.texts[reference.source][reference.start : reference.end]
        assert written == ["the", "plant"] if reference.name == "TREE" else written == [reference.name.casefold()]


def test_foldoc_has_homographs_and_references_without_an_entry():
    if not (find_folder("foldoc", ["foldoc.txt.gz"]) / "foldoc.txt.gz").exists():
        pytest.skip("no foldoc.txt.gz below SPRINTS_DATA")
    entries = by_name("shared.text.foldoc").read_entries()[:2000]
    linking = by_name("knowledge.linking")
    dictionary = by_name("knowledge.foldoc_references").dictionary_of(entries)
    asked = linking.ask(dictionary, "no capitals")
    assert len(asked) > 100
    for question in asked:
        assert len(question.candidates) > 1
        assert question.entry is None or question.entry in question.candidates
        assert question.source not in question.candidates
        title = {word for name in dictionary.names[question.source] for word in linking.words_of(name)}
        assert not title & set(question.before + question.after)
        assert question.written not in question.before + question.after


# scores


def test_bm25_is_that_of_sqlite_but_for_the_worth_of_a_word():
    """FTS5 has (k1 + 1) ln((N - n + 1/2) / (n + 1/2)) in front of the same fraction, and k1 = 1.2, b = 0.75."""
    index = by_name("knowledge.link_scores").WordIndex([text.split() for text in TEXTS])
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE entries USING fts5(text)")
    database.executemany("INSERT INTO entries VALUES (?)", [(text,) for text in TEXTS])
    for word, having in (("turns", 2), ("tor", 1), ("floppy", 1)):
        worth = 2.2 * math.log((6 - having + 0.5) / (having + 0.5)) / math.log1p((6 - having + 0.5) / (having + 0.5))
        query = "SELECT rowid - 1, -bm25(entries) FROM entries WHERE text MATCH ?"
        theirs = torch.zeros(6)
        for entry, score in database.execute(query, (word,)):
            theirs[entry] = score / worth
        assert int((theirs > 0).sum()) == having
        torch.testing.assert_close(index.bm25([[word], [word, "unheard", word]]), torch.stack([theirs, 2 * theirs]))


def test_cosines_of_vectors_are_those_of_weighed_counts_but_for_collisions():
    scores, texts = by_name("knowledge.link_scores"), [text.split() for text in TEXTS]
    index = scores.WordIndex(texts)
    vectors = index.vectors([*texts, ["unheard"]], 2**14)
    rows = []
    for text in texts:
        having = {word: sum(word in other for other in texts) for word in text}
        idf = {word: math.log1p((6 - n + 0.5) / (n + 0.5)) for word, n in having.items()}
        row = {word: (1 + math.log(text.count(word))) * idf[word] for word in having}
        length = math.sqrt(sum(value**2 for value in row.values()))
        rows.append({word: value / length for word, value in row.items()})
    theirs = [[sum(value * other.get(word, 0) for word, value in row.items()) for other in rows] for row in rows]
    torch.testing.assert_close(scores.cosines(vectors[:-1], 3 * vectors[:-1]), torch.tensor(theirs))
    assert not vectors[-1].any()
    single = index.vectors([[word] for word in index.numbers], 2)
    assert {float(value) for value in single.flatten()} == {-1.0, 0.0, 1.0}  # some words count against others
    assert not scores.cosines(vectors, torch.zeros(1, 2**14)).any()


def test_a_long_list_gives_few_questions_and_what_names_its_source_is_found():
    exam = by_name("knowledge.linking_exam").LinkExam(drawn(20).dictionary, "no capitals", (99, 99, 99), 0, 64, 2)
    assert set(Counter(question.source for part in exam.parts for question in part).values()) == {2}
    sources = [{question.source for question in part} for part in exam.parts]
    assert not sources[0] & sources[1]
    assert not sources[2] & (sources[0] | sources[1])
    named = by_name("knowledge.linking_figures").says_source(exam)
    for question, found in zip(exam.parts[2], named.tolist(), strict=True):
        (name,) = exam.dictionary.names[question.source]
        assert found == (name.lower() in exam.dictionary.texts[question.entry])
    assert named.any()
    assert not named.all()


def test_a_question_of_training_does_not_count_itself():
    exam = by_name("knowledge.linking_exam").LinkExam(drawn(20).dictionary, "no capitals", (300, 50, 50), 0, 64)
    rows = torch.arange(len(exam.parts[0]))
    answers = exam.options[0].entries[rows, exam.options[0].answers]
    own = exam.prior(0)[rows, exam.options[0].answers]
    torch.testing.assert_close(own, (exam.times[answers] - 0.5).log())
    once = torch.bincount(answers, minlength=60)[answers] == 1
    around = exam.by_context(0, "around other mentions", 5)[rows, exam.options[0].answers]
    everything = torch.tensor([question.entry for question in exam.everything])
    once = torch.bincount(everything, minlength=60)[answers] == 1
    assert once.any()
    assert not around[once].any()
    assert around[~once].any()
    # In the test nothing is taken off.
    options = exam.options[2]
    torch.testing.assert_close(exam.prior(2), (exam.times[options.entries] + 0.5).log())


# the choice


def options(allowed: list[list[bool]], answers: list[int]) -> Any:
    mask = torch.tensor(allowed)
    return by_name("knowledge.candidate_choice").Options(
        torch.zeros(mask.shape, dtype=torch.long), mask, torch.tensor(answers)
    )


def test_with_two_candidates_it_is_logistic_regression_on_their_difference():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(300, 2, 3, generator=generator) * torch.tensor([1.0, 5.0, 0.2])
    difference = features[:, 1] - features[:, 0]
    second = torch.rand(300, generator=generator) < (difference @ torch.tensor([1.0, -0.2, 3.0])).sigmoid()
    found = by_name("knowledge.candidate_choice").learn_weights(
        features, options([[True, True]] * 300, second.long().tolist()), ridge=0.0
    )
    theirs = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.LBFGS([theirs], max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(difference @ theirs, second.float())
        value.backward()
        return value

    optimizer.step(loss)
    torch.testing.assert_close(found, theirs.detach(), rtol=5e-3, atol=5e-3)


def test_learnt_weights_are_where_the_loss_has_no_slope_and_forbidden_candidates_do_not_matter():
    choice, generator = by_name("knowledge.candidate_choice"), torch.Generator().manual_seed(1)
    features = torch.randn(200, 5, 2, generator=generator)
    allowed = [[True] * 4 + [False]] * 200
    answers = (features[:, :4] @ torch.tensor([2.0, 1.0]) + torch.randn(200, 4, generator=generator)).argmax(dim=1)
    found = choice.learn_weights(features, options(allowed, answers.tolist()), ridge=0.0)
    other = features.clone()
    other[:, 4] = 100.0
    torch.testing.assert_close(choice.learn_weights(other, options(allowed, answers.tolist()), ridge=0.0), found)
    weights = found.requires_grad_()
    chances = choice.log_softmax(features @ weights, torch.tensor(allowed))
    (slope,) = torch.autograd.grad(-chances[torch.arange(200), answers].mean(), weights)
    assert slope.abs().max() < 1e-3
    with pytest.raises(ValueError, match="needs a right candidate that is allowed"):
        choice.learn_weights(features, options(allowed, [4] * 200))
    with pytest.raises(ValueError, match="needs a right candidate"):
        choice.learn_weights(features, options(allowed, [-1] * 200))
    with pytest.raises(ValueError, match="there is no question"):
        choice.options_of([], 3)


def test_ties_are_broken_at_random_and_a_missing_entry_is_never_found():
    hits = by_name("knowledge.candidate_choice").hits
    scores = torch.tensor([[2.0, 2.0, 1.0, 9.0], [1.0, 2.0, 3.0, 9.0], [2.0, 2.0, 2.0, 9.0], [3.0, 1.0, 1.0, 9.0]])
    asked = options([[True, True, True, False]] * 4, [0, 0, 1, -1])
    torch.testing.assert_close(hits(scores, asked), torch.tensor([1 / 2, 0.0, 1 / 3, 0.0]))
    torch.testing.assert_close(hits(scores, asked, 2), torch.tensor([1.0, 0.0, 2 / 3, 0.0]))
    torch.testing.assert_close(hits(scores, asked, 3), torch.tensor([1.0, 1.0, 1.0, 0.0]))


def test_an_interval_over_texts_is_wider_where_mentions_of_a_text_are_alike():
    interval, generator = by_name("knowledge.candidate_choice").grouped_interval, torch.Generator().manual_seed(0)
    alone = (torch.rand(400, generator=generator) < 0.5).float()
    mean, low, high = interval(alone, torch.arange(400), generator)
    assert mean == pytest.approx(float(alone.mean()))
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(400), rel=0.15)
    four = interval(alone.repeat_interleave(4), torch.arange(400).repeat_interleave(4), generator)
    assert four[2] - four[1] == pytest.approx(high - low, rel=0.15)  # not half of it
    assert interval(torch.ones(5), torch.zeros(5, dtype=torch.long), generator) == (1.0, 1.0, 1.0)


def test_a_threshold_trades_wrong_answers_for_refusals():
    linker = by_name("knowledge.linker")
    best, right = torch.tensor([0.9, 0.6, 0.5, 0.3]), torch.tensor([1.0, 0.0, 1.0, 0.0])
    none = torch.tensor([False, True, False, True])
    assert linker.answers(best, right, none, 0.0).tolist() == right.tolist()
    assert linker.answers(best, right, none, 0.4).tolist() == [1.0, 0.0, 1.0, 1.0]
    assert linker.answers(best, right, none, 0.7).tolist() == [1.0, 1.0, 0.0, 1.0]


# a world whose law is known


def drawn(names: int, seed: int = 0) -> Any:
    return by_name("knowledge.homographs").draw_world(names, 4, 6, torch.Generator().manual_seed(seed))


def test_the_optimum_is_as_often_right_as_it_says_and_nobody_is_ahead_of_it():
    world = drawn(60)
    for kind in ("no capitals", "hidden"):
        exam = by_name("knowledge.linking_exam").LinkExam(world.dictionary, kind, (300, 200, 2000), 0, 128)
        best = world.posterior(exam)
        torch.testing.assert_close(best.exp().sum(dim=1), torch.ones(len(best), dtype=torch.double))
        expected = best.amax(dim=1).exp().mean()
        hits = by_name("knowledge.candidate_choice").hits
        measured = hits(best, exam.options[2]).double()
        assert abs(measured.mean() - expected) < 3.5 * measured.std() / math.sqrt(len(measured))
        linker = by_name("knowledge.linker").Linker(exam, (5, 20))
        reached = {name: float(hits(found, exam.options[2]).mean()) for name, found in linker.scores(2).items()}
        assert max(reached.values()) < measured.mean()
        assert reached["weighted sum"] > reached["BM25"] > float((1 / exam.options[2].allowed.sum(dim=1)).mean())


def test_words_near_a_mention_come_as_often_as_the_law_says():
    world = drawn(100)
    assert torch.allclose(world.words.exp().sum(dim=1), torch.ones(300, dtype=torch.double))
    assert torch.allclose(world.targets.exp().sum(dim=1), torch.ones(4, dtype=torch.double))
    count, expected, spread = 0, 0.0, 0.0
    for reference in world.dictionary.references:
        near = world.dictionary.texts[reference.source][reference.start - 5 : reference.start]
        likely = world.words[reference.entry].exp()
        own = likely > likely.quantile(0.9)  # the words that this entry has most
        count += sum(bool(own[int(word[1:])]) for word in near)
        share = float(likely[own].sum())
        expected, spread = expected + 5 * share, spread + 5 * share * (1 - share)
    assert abs(count - expected) < 4 * math.sqrt(spread)
    with pytest.raises(ValueError, match="two names or more; got 1"):
        drawn(1)


# scripts


def test_which_entry_is_the_same_twice_and_the_sum_is_ahead(load_sprint):
    script = load_sprint(f"{SPRINT}/which_entry.py")
    config = script.Config(
        worlds=2, names=30, most=(150, 80, 150), kinds=("no capitals",), windows=(5, 20), features=128
    )
    found = script.main(config)
    assert dataclasses.asdict(script.main(config)) == dataclasses.asdict(found)
    measured = found.kinds["no capitals"]
    assert measured.accuracy["weighted sum"][0] > max(measured.accuracy["prior"][0], measured.accuracy["BM25"][0])
    assert measured.accuracy["best possible"][0] > measured.accuracy["weighted sum"][0]
    assert measured.chance == pytest.approx(1 / 3)
    assert measured.missing is None
    script.plot(found)


@pytest.mark.usefixtures("own_data")
def test_which_entry_refuses_what_there_is_not(load_sprint):
    script = load_sprint(f"{SPRINT}/which_entry.py")
    for arguments in (["--data", "foldoc"], ["--kinds", "initials"]):
        with pytest.raises((ValueError, SystemExit)):
            parse_config(script.Config, arguments)
    with pytest.raises(ValueError, match="foldoc"):
        script.main(script.Config(data="foldoc", worlds=1))


def test_vectors_of_a_model_are_one_more_score_by_context():
    exam_of = by_name("knowledge.linking_exam").LinkExam
    dictionary, read = drawn(20).dictionary, []

    def encode(texts):
        read.append(len(texts))
        vectors = torch.tensor([[text.count("w1"), text.count("w2"), 1.0] for text in texts])
        return torch.nn.functional.normalize(vectors, dim=1)

    exam = exam_of(dictionary, "no capitals", (50, 50, 50), 0, 64, encode=encode)
    linker = by_name("knowledge.linker").Linker(exam, (5,))
    assert read[0] == 60
    assert list(linker.weights) == ["prior", "BM25", "vectors of words", "around other mentions", "MiniLM"]
    entry = int(exam.options[2].entries[0, 1])
    words = " ".join([*by_name("knowledge.linking").words_of(dictionary.names[entry][0]), *dictionary.texts[entry]])
    expected = encode([" ".join(exam.parts[2][0].context(5))])[0] @ encode([words])[0]
    torch.testing.assert_close(linker.scores(2)["MiniLM"][0, 1], expected)


def test_minilm_is_the_published_model():
    if not by_name("shared.nn.packaged_models").is_installed("minilm"):
        pytest.skip("the group models is not installed")
    encode = by_name("knowledge.sentence_vectors").minilm()
    fruit, tree, tool = encode(["a sweet fruit", "peaches grow on a tree", "a hammer of steel"])
    assert float(fruit @ fruit) == pytest.approx(1.0, abs=1e-5)
    assert fruit @ tree > fruit @ tool
    alone = encode(["a tree", "a sweet fruit"])[1]
    torch.testing.assert_close(alone, fruit)


def test_foldoc_is_linked_with_missing_entries(load_sprint, own_data):
    """A made-up dictionary in the form of foldoc goes the whole way, refusals and all."""
    fruit, tools = ("sweet", "juicy", "ripe"), ("steel", "sharp", "heavy")
    entries = ["Pine\n\n   a tree, {gone}\n", "pine\n\n   to long for\n"]
    for number in range(60):
        kind = (fruit, tools)[number % 2]
        meant = ("peach jam", "saw jam")[number % 2] if number % 5 else f"lost{number} jam"
        entries.append(f"word{number}\n\n   {kind[number % 3]} {kind[(number + 1) % 3]} {{{meant}}} here\n")
    entries += ["jam\n\n   of any kind\n"]
    entries += [f"peach jam\n\n   {' '.join(fruit)}\n", f"saw jam\n\n   {' '.join(tools)}\n"]
    own_data("foldoc/foldoc.txt.gz", gzip.compress(("\n" + "\n".join(entries)).encode()))
    script = load_sprint(f"{SPRINT}/which_entry.py")
    options = {"data": "foldoc", "worlds": 1, "kinds": ("last word",), "windows": (5,), "features": 64}
    measured = script.main(script.Config(**options)).kinds["last word"]
    assert measured.accuracy["weighted sum"][0] == 1.0
    assert measured.accuracy["equal title, then prior"][0] == 0.0  # nobody means what is only called "jam"
    assert measured.candidates == 3.0
    assert measured.missing.questions > 0
    assert measured.missing.always[0] == pytest.approx(1 - measured.missing.share)


# the note and the exercises on paper


def test_the_numbers_of_note_8(load_sprint):
    script, text = load_sprint(f"{SPRINT}/linking_by_hand.py"), note(8)
    found = script.main(script.Config())
    assert " ".join(found.context) == "melt butter add leaves of and lemon"
    assert script.ENTRIES["sage"] in text
    shown(text, *(found.worth[word] for word in ("butter", "leaves", "of")))
    for name, prior, words, share in zip(
        found_names(script), found.prior, found.words, found.probability[0], strict=True
    ):
        assert f"| {name} | {prior:.3f} | {words:.3f} | {prior + words:.3f} | {share:.1%} |".replace("%", " %") in text
    shown(text, *found.slope, *found.weights[1])
    assert f"{found.probability[1][0]:.1%}".replace("%", " %") in text
    shown(text, (found.prior[1] - found.prior[0]) / (found.words[0] - found.words[1]), form=".2f")
    by_hand = [sum(share * value for share, value in zip(found.probability[0], column, strict=True)) - column[0]
               for column in (found.prior, found.words)]  # fmt: skip
    torch.testing.assert_close(torch.tensor(found.slope), torch.tensor(by_hand))
    script.plot(found)


def found_names(script: Any) -> list[str]:
    return list(script.ENTRIES)[:3]


def test_the_answers_of_the_exercises_on_paper():
    apart = math.log(39)
    assert apart == pytest.approx(math.log(19.5) - math.log(0.5))
    shown(PAGE, apart, 0.6 * apart / 1.4)
    for needed, most in ((0.6 * apart / 1.4, 207), (apart, 25)):
        enough = [n for n in range(1, 1000) if math.log1p((1000 - n + 0.5) / (n + 0.5)) >= needed]
        assert max(enough) == most
    shown(PAGE, math.sqrt(0.24 / 1000), math.sqrt(0.24 / 100))
    assert math.sqrt(10) == pytest.approx(3.2, abs=0.05)
    assert pytest.approx(0.143, abs=5e-4) == 1 / 7
