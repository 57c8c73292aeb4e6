"""BM25, metrics, fusion, chunks and the data of sprint 25: equal to libraries, to brute force and to the notes."""

import gzip
import itertools
import random
import statistics

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.lab.datasets import VARIABLE, find_folder
from shared.text.debian import Package, read_packages

SPRINT = "25_retrieval_augmented_generation"
FIXTURE = HealthCheck.function_scoped_fixture
SYLLABLES = ("ba", "ko", "ri", "tu", "the", "x", "é_", "9z")


@pytest.fixture
def part(load_sprint):
    return lambda name: load_sprint(f"{SPRINT}/retrieval/{name}.py")


def made_texts(count: int, seed: int = 0) -> list[str]:
    """Return texts of words with very uneven frequencies; the first one has none."""
    generator = random.Random(seed)
    words = ["".join(pair) for pair in itertools.product(SYLLABLES, repeat=2)]
    shares = [1 / place for place in range(1, len(words) + 1)]
    return ["", *(" ".join(generator.choices(words, shares, k=generator.randint(1, 30))) for _ in range(count - 1))]


@pytest.mark.parametrize("variant", ["lucene", "robertson", "atire"])
def test_bm25_is_that_of_bm25s(part, variant):
    import bm25s

    texts, queries = made_texts(150), [*made_texts(30, seed=1)[1:], "Ba ba BABA nowhere the x"]
    ours = part("bm25").BM25(texts, variant=variant, k1=1.4, b=0.6)
    theirs = bm25s.BM25(method=variant, k1=1.4, b=0.6, dtype="float64", backend="numpy")
    theirs.index(bm25s.tokenize(texts, show_progress=False), show_progress=False)
    for query in queries:
        tokens = next(iter(bm25s.tokenize([query], return_ids=False, show_progress=False)))
        assert tokens == part("words").Words()(query)
        known = [token for token in tokens if token in ours.vocabulary]
        np.testing.assert_allclose(ours.scores(query), theirs.get_scores(known), rtol=0, atol=1e-6)


def test_the_variant_fts5_is_what_sqlite_computes(part):
    texts = made_texts(100)
    ours, sqlite = part("bm25").BM25(texts, variant="fts5"), part("fts5").Fts5(texts)
    common = next(iter(ours.vocabulary))
    assert ours.having[0] > 50
    for query in [*made_texts(30, seed=2)[1:], common, f"{common} {common} kori"]:
        found = sqlite.search(query, 100)
        scores = ours.scores(query)
        assert [score for _, score in found] == pytest.approx([scores[number] for number, _ in found], abs=1e-9)
        assert {number for number, _ in found} == set(np.flatnonzero(scores > 0).tolist())
        places = [(-score, number) for number, score in found]
        assert [round(score, 9) for score, _ in places] == sorted(round(score, 9) for score, _ in places)
    assert sqlite.search("the", 5) == []


def test_more_of_a_word_never_lowers_a_score_and_longer_documents_pay(part):
    make = part("bm25").BM25
    filler = ["other words here"] * 9
    for variant in ("lucene", "robertson", "atire", "fts5"):
        found = make(["kitchen knife", "kitchen kitchen", "kitchen knife fork spoon plate", *filler], variant=variant)
        once, twice, longer = found.scores("kitchen")[:3]
        assert twice > once > longer > 0
        flat = make(["kitchen knife", "kitchen kitchen", "kitchen knife fork", *filler], variant=variant, k1=0.0)
        assert np.ptp(flat.scores("kitchen")[:3]) < 1e-12
        even = make(
            ["kitchen knife", "kitchen fork", "kitchen knife fork spoon plate", *filler], variant=variant, b=0.0
        )
        assert np.ptp(even.scores("kitchen")[:3]) < 1e-12
        assert found.search("nowhere", 3) == []


def test_words_have_names_for_what_they_leave_out(part):
    words = part("words").Words
    text = "The C libraries of the Python_3 library"
    assert words()(text) == ["libraries", "python_3", "library"]
    assert words(shortest=1)(text) == ["c", "libraries", "python_3", "library"]
    assert words(stop=False)("to be, or NOT") == ["to", "be", "or", "not"]
    assert words(stem=True)(text) == ["librari", "python_3", "librari"]


def test_the_best_are_sorted_by_score_and_then_by_number(part):
    best = part("ranking").best
    scores = np.array([1.0, 3.0, 2.0, 3.0, 2.0, 2.0])
    assert best(scores, 4) == [(1, 3.0), (3, 3.0), (2, 2.0), (4, 2.0)]
    assert [number for number, _ in best(scores, 9)] == [1, 3, 2, 4, 5, 0]
    with pytest.raises(ValueError, match="nan"):
        best(np.array([1.0, np.nan]), 1)
    with pytest.raises(ValueError, match="at least 1"):
        best(scores, 0)


MEASURES = {"recall@5": "recall_5", "ndcg@5": "ndcg_cut_5", "ndcg": "ndcg", "rr": "recip_rank", "ap": "map"}


def test_measures_without_ties_are_those_of_trec_eval(part):
    import pytrec_eval

    generator = random.Random(0)
    run, relevant = {}, {}
    for query in range(100):
        scores = generator.sample(range(1000), 12)
        run[str(query)] = {f"d{number}": float(score) for number, score in enumerate(scores)}
        relevant[str(query)] = {f"d{number}": generator.choice([0, 0, 1, 2, 3]) for number in range(15)} | {"d3": 1}
    ours = part("metrics").evaluate(run, relevant, tuple(MEASURES))
    asked = {"recall.5", "ndcg_cut.5", "ndcg", "recip_rank", "map"}
    theirs = pytrec_eval.RelevanceEvaluator(relevant, asked).evaluate(run)
    for name, their_name in MEASURES.items():
        assert ours[name] == pytest.approx([theirs[query][their_name] for query in relevant], abs=1e-6)


@settings(max_examples=40, suppress_health_check=[FIXTURE])
@given(ranking=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 0, 1, 2])), min_size=1, max_size=5))
def test_measures_with_ties_are_means_over_all_orders(part, ranking):
    metrics = part("metrics")
    scores, gains = [float(score) for score, _ in ranking], [float(gain) for _, gain in ranking]
    judged = [*gains, 1.0]  # one relevant document was not found
    orders = [
        [gains[number] for number in sorted(order, key=lambda number: -scores[number])]
        for order in itertools.permutations(range(len(ranking)))
    ]
    falling = [-float(place) for place in range(len(ranking))]
    for name in ("recall@1", "recall@3", "ndcg@2", "ndcg", "rr", "ap"):
        ours = metrics.measure(name, metrics.levels(scores, gains), judged)
        over_orders = [metrics.measure(name, metrics.levels(falling, order), judged) for order in orders]
        assert ours == pytest.approx(statistics.fmean(over_orders), abs=1e-12), name


def test_measures_say_what_they_refuse(part):
    metrics = part("metrics")
    ranking = metrics.levels([1.0], [1.0])
    for name in ("recall", "rr@5", "recall@0", "f1", "ndcg@x"):
        with pytest.raises(ValueError, match="got '"):
            metrics.measure(name, ranking, [1.0])
    with pytest.raises(ValueError, match="leave it out"):
        metrics.evaluate({}, {"q": {"a": 0}})
    with pytest.raises(ValueError, match="nan"):
        metrics.levels([float("nan")], [1.0])
    assert metrics.evaluate({}, {"q": {"a": 1}}, ("rr", "ndcg@3")) == {"rr": [0.0], "ndcg@3": [0.0]}


def test_intervals_cover_and_the_test_without_a_difference_finds_none(part):
    intervals = part("intervals")
    generator = np.random.default_rng(0)
    covered, small = 0, 0
    for _ in range(200):
        values = generator.random(80)
        estimate = intervals.mean_over_queries(values.tolist(), generator, 300)
        covered += estimate.low <= 0.5 <= estimate.high
        same = intervals.compare(values.tolist(), generator.random(80).tolist(), generator, 300)
        small += same.p < 0.05
    assert 180 <= covered <= 199  # 95 % of 200, give or take three standard deviations
    assert 1 <= small <= 20
    better = intervals.compare([0.9, 0.8, 1.0, 0.7] * 5, [0.1, 0.2, 0.3, 0.1] * 5, generator)
    assert better.low > 0
    assert better.p < 0.001
    assert better.mean == pytest.approx(0.675)
    with pytest.raises(ValueError, match="same queries"):
        intervals.compare([1.0, 2.0], [1.0], generator)
    with pytest.raises(ValueError, match="at least two"):
        intervals.mean_over_queries([1.0], generator)


def test_fusion_by_places_and_by_scores(part):
    fusion = part("fusion")
    words, vectors = [(3, 9.0), (1, 5.0), (2, 1.0)], [(1, 0.8), (4, 0.6), (3, 0.4)]
    fused = fusion.reciprocal_rank_fusion([words, vectors], 3, k=60)
    assert fused == [(1, 1 / 62 + 1 / 61), (3, 1 / 61 + 1 / 63), (4, 1 / 62)]
    weighted = fusion.weighted_fusion([words, vectors], 4, weights=[1, 2])
    assert weighted == [(1, 2.5), (3, 1.0), (4, pytest.approx(1.0)), (2, 0.0)]
    assert fusion.mean_places([5, 3, 3, 1]) == [1, 2.5, 2.5, 4]
    assert fusion.weighted_fusion([[(7, 2.0)], []], 5) == [(7, 1.0)]
    with pytest.raises(ValueError, match="needs a weight"):
        fusion.weighted_fusion([words, vectors], 3, weights=[1])
    with pytest.raises(ValueError, match="above -1"):
        fusion.reciprocal_rank_fusion([words], 3, k=-1)
    bm25 = part("bm25").BM25
    texts = ["red apple", "green apple", "red pear"]
    for k in (60.0, None):
        both = fusion.Fused([bm25(texts), bm25(texts, variant="atire")], k=k)
        assert [number for number, _ in both.search("red apple", 2)] == [0, 1]


@settings(max_examples=80, suppress_health_check=[FIXTURE])
@given(
    text=st.text(alphabet="ab.!é\n \t", max_size=80),
    unit=st.sampled_from(["words", "sentences", "paragraphs"]),
    size=st.integers(1, 4),
    overlap=st.integers(0, 3),
)
def test_chunks_are_slices_that_cover_every_word(part, text, unit, size, overlap):
    chunks = part("chunks")
    if overlap >= size:
        with pytest.raises(ValueError, match="below the size"):
            chunks.cut("d", text, unit, size, overlap)
        return
    units = chunks.spans(text, unit)
    pieces = chunks.cut("d", text, unit, size, overlap)
    by_length = chunks.cut_by_length("d", text, most=size * 3, unit=unit)
    for piece in (*pieces, *by_length):
        assert text[piece.start : piece.end] == piece.text == piece.text.strip() != ""
    letters = {place for place, letter in enumerate(text) if not letter.isspace()}
    for made in (pieces, by_length):
        assert letters <= {place for piece in made for place in range(piece.start, piece.end)}
    assert all(len(piece.text) <= size * 3 for piece in by_length)
    ends = [piece.end for piece in pieces]
    assert ends == sorted(set(ends))  # none lies within another
    starts = {start: place for place, (start, _) in enumerate(units)}
    places = [starts[piece.start] for piece in pieces]
    assert places == [(size - overlap) * place for place in range(len(places))]


def test_lines_are_counted_from_one(part):
    line_of = part("chunks").line_of
    assert [line_of("a\nb\n\nc", offset) for offset in (0, 1, 2, 4, 5)] == [1, 1, 2, 3, 4]
    assert [piece.text for piece in part("chunks").cut_by_length("d", "ab cd ef", 5, "words")] == ["ab cd", "ef"]
    with pytest.raises(ValueError, match="unit must be"):
        part("chunks").cut("d", "a b", "letters")


PACKAGES = (
    "package\tversion\tshort\tlong\n"
    "apple\t1\tred fruit\tIt is red.\\n.\\nMore of it.\n"
    "apple-doc\t1\tred fruit (documentation)\tIt is\\nred.\\n.\\nWords on it.\n"
    "apple-old\t1\tred fruit, old\tIt is red.\\n.\\nMore of it.\n"
    "empty\t1\tnothing\t\n"
)


def test_packages_are_read_without_doubles_and_families_stay_together(part, own_data):
    debian = part("debian")
    own_data("debian/packages.tsv.gz", gzip.compress(PACKAGES.encode()))
    packages = read_packages()
    assert [package.name for package in packages] == ["apple", "apple-doc", "apple-old", "empty"]
    assert packages[0].long == "It is red.\n.\nMore of it."
    kept = debian.without_doubles(packages)
    assert [package.name for package in kept] == ["apple", "apple-doc"]
    assert kept[0].family == kept[1].family == "It is red."
    many = [Package(f"p{n}", f"s{n}", f"family {n // 3}\n.\npart {n}") for n in range(300)]
    parts = {split: debian.split_of(many, split) for split in debian.SHARES}
    assert sorted(package.name for split in parts.values() for package in split) == sorted(p.name for p in many)
    assert [len(split) for split in parts.values()] == [180, 60, 60]
    families = [{package.family for package in split} for split in parts.values()]
    assert not families[0] & families[1] | families[0] & families[2] | families[1] & families[2]
    assert debian.split_of(many, "test", seed=1) != parts["test"]
    with pytest.raises(ValueError, match="split must be"):
        debian.split_of(many, "dev")
    with pytest.raises(ValueError, match="at most so many can be drawn"):
        debian.known_items("test", 20_000, 1_000)


needs_data = pytest.mark.skipif(
    not (find_folder("debian", ["packages.tsv.gz"]) / "packages.tsv.gz").exists(),
    reason=f"needs {VARIABLE} with debian",
)


@needs_data
def test_the_packages_of_debian(part):
    items = part("debian").known_items("test", 300, 100)
    assert len(set(items.documents)) == 300
    bm25 = part("bm25").BM25(items.documents)
    run = part("kinds").as_run([bm25.search(query, 10) for query in items.queries])
    measured = part("metrics").evaluate(run, items.relevant)
    assert statistics.fmean(measured["recall@1"]) > 0.7
