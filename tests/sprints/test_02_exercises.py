"""The numbers that notes and exercises of sprint 2 work out by hand."""

import math
from itertools import combinations, permutations
from types import ModuleType

import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score
from torch.nn import functional

FOLDER = "02_datasets_and_dataloaders"
PAGE, note = lesson_texts("02_datasets_and_dataloaders")


def padded_share(lengths: list[int], batches: list[tuple[int, ...]]) -> float:
    """Return the share of padding in batches of places in the list of lengths."""
    places = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    return 1 - sum(lengths[index] for batch in batches for index in batch) / places


def rates(found: int, rare: int, alarms: int, others: int) -> tuple[float, float, float, float]:
    """Return recall, false positive rate, precision and accuracy."""
    return found / rare, alarms / others, found / (found + alarms), (found + others - alarms) / (rare + others)


# What the notes work out


def test_notes_1_and_2_the_seven_fruits(load_sprint):
    fruits: ModuleType = load_sprint(f"{FOLDER}/data_study/fruits.py")
    data = fruits.Fruits()
    for index, (grams, centimetres, kind) in enumerate(fruits.ROWS):
        assert f"| {index} | {grams:g} | {centimetres:g} | {kind} |" in note(1)
    assert len(data) == 7
    assert (data[2][0].tolist(), data[2][1]) == ([170, 8], 0)
    features, labels = torch.tensor(fruits.ROWS)[:, :2], torch.tensor(fruits.ROWS)[:, 2]
    means = fruits.class_means(features, labels, 2)
    assert [f"{number:.4g}" for number in means.flatten()] == ["155", "7.5", "120", "18.67"]
    distances = fruits.squared_distances(torch.tensor([150.0, 9]), means)
    assert [f"{distance:.4g}" for distance in distances] == ["27.25", "993.4"]
    assert all(number in note(2) for number in ("27.25", "993.4"))
    long = torch.tensor([120.0, 19])
    assert [f"{score:,.0f}" for score in 2 * means @ long] == ["37,485", "29,509"]
    assert all(number in note(2) for number in ("37,485", "29,509"))
    assert fruits.squared_distances(long, means).argmin() == 1
    # The nearest mean is a linear classifier.
    scores = 2 * features @ means.T - means.square().sum(dim=1)
    nearest = torch.stack([fruits.squared_distances(fruit, means) for fruit in features]).argmin(dim=1)
    assert torch.equal(scores.argmax(dim=1), nearest)


def test_note_3_units(load_sprint):
    script = load_sprint(f"{FOLDER}/units_by_hand.py")
    results = script.main(script.Config())
    assert (results.column_means[0], results.standard_deviations[0]) == pytest.approx((140, 20))
    distances = [f"{distance:.2f}" for distance in results.panels["grams, centimetres"].distances]
    assert distances == ["400.25", "338.78"]
    assert all(distance in note(3) for distance in distances)
    kilograms = results.panels["kilograms, centimetres"].distances
    assert f"{kilograms[0]:.4f}" == "0.2504"
    assert f"{kilograms[1]:.2f}" == "113.78"
    assert "0.2504" in note(3)
    assert "113.78" in note(3)
    assert results.panels["standardised"].new[0] == pytest.approx(-0.25)
    nearest = [panel.distances[0] < panel.distances[1] for panel in results.panels.values()]
    assert nearest == [False, True, True]


def test_note_5_transforms():
    pixels = torch.tensor([0.0, 51, 204])
    assert ((pixels / 255 - 0.3) / 0.4).tolist() == pytest.approx([-0.75, -0.25, 1.25])
    assert ((pixels - 0.3) / 0.4).tolist() == pytest.approx([-0.75, 126.75, 509.25])

    def dilate(*row: float) -> list[float]:
        return functional.max_pool1d(torch.tensor([row]).float(), 3, stride=1, padding=1)[0].tolist()

    def erode(*row: float) -> list[float]:
        return [-number for number in dilate(*(-number for number in row))]

    assert (dilate(0, 1, 5, 2, 0), erode(0.0, 1, 5, 2, 0)) == ([1, 5, 5, 5, 2], [0, 0, 1, 0, 0])
    assert (erode(3.0, 3, 0, 3, 3), erode(0.0, 0, 3, 0, 0)) == ([3, 0, 0, 0, 3], [0] * 5)
    assert f"{student.ppf(0.975, 4):.2f}" == "2.78"
    assert f"{student.ppf(0.975, 3):.2f}" == "3.18"
    error = np.std([1, 2, 3, 2], ddof=1) / 2
    assert f"{error:.3f}" == "0.408"
    assert f"2 ± {student.ppf(0.975, 3) * error:.1f}" in note(5)


def test_note_6_batches():
    order = [2, 5, 0, 6, 1, 4, 3]
    cut = [tuple(order[start : start + 3]) for start in range(0, 7, 3)]
    assert ", ".join(str(batch) for batch in cut).replace(",)", ")") in note(6)
    assert f"that is {(1 - 1 / 7) ** 7:.3f};" in note(6)
    assert f"1/e = {1 / math.e:.3f}" in note(6)
    assert f"(3 · 1 + 3 · 2 + 9) / 7 = {(3 + 6 + 9) / 7:.2f}" in note(6)
    assert (1 + 2 + 9) / 3 == 4
    assert math.factorial(5) == 120
    assert math.factorial(20) > 2e18


def test_note_7_the_buffer_of_the_drawing(load_sprint):
    script = load_sprint(f"{FOLDER}/one_buffer.py")
    results = script.main(script.Config())
    assert f"It hands out {', '.join(results.order)}." in note(7)
    assert results.order.index("g") == 5
    order = script.main(script.Config(items=26, size=4, seed=1)).order
    assert sorted(order) == list("abcdefghijklmnopqrstuvwxyz")
    assert all(place >= ord(letter) - ord("a") - 3 for place, letter in enumerate(order))
    assert script.main(script.Config(size=1)).order == list("abcdefghi")


def test_note_8_padding(load_sprint):
    script = load_sprint(f"{FOLDER}/padding.py")
    every = list(combinations(range(4), 2))
    for lengths, text in (([1, 2, 3, 4], "25 %"), ([2, 2, 8, 8], "28.6 %")):
        share = script.expected_padding(lengths, 2)
        assert share == pytest.approx(padded_share(lengths, every))
        assert text in note(8)
        assert f"{share:.3f}" == f"{float(text.split()[0]) / 100:.3f}"
    assert padded_share([1, 5, 5], [(0, 1), (2,)]) == 1 - 11 / 15
    scores = torch.tensor([[2.0, 4, 0], [6, 0, 0]])
    real = torch.tensor([[True, True, False], [True, False, False]])
    row_means = [row[places].mean() for row, places in zip(scores, real, strict=True)]
    assert (scores[real].mean(), scores.mean(), sum(row_means) / 2) == (4, 2, 4.5)
    assert "(2 + 4 + 6) / 3 = 4" in note(8)
    assert padded_share([1, 5, 5], [(0,), (1, 2)]) == 0
    drawn = load_sprint(f"{FOLDER}/one_padded_batch.py")
    orders = drawn.main(drawn.Config()).orders
    assert [padded.places for padded in orders.values()] == [60, 44]
    assert "44 places instead of 60" in note(8)


def test_note_8_sorting_is_best_where_batches_come_out_even():
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        lengths = torch.randint(1, 9, (6,), generator=generator).sort().values.tolist()
        for size in (2, 3):
            best = padded_share(lengths, [tuple(range(start, start + size)) for start in range(0, 6, size)])
            for order in permutations(range(6)):
                cut = [order[start : start + size] for start in range(0, 6, size)]
                assert padded_share(lengths, cut) >= best - 1e-12


def test_note_9_rates_odds_and_weights(load_sprint):
    recall, false_positive_rate, precision, accuracy = rates(16, 20, 98, 980)
    assert (recall, false_positive_rate, accuracy) == (0.8, 0.1, 0.898)
    assert f"16 / 114 = {precision:.1%}".replace("%", " %") in note(9)
    assert f"{0.8 / 0.9:.0%}" == "89%"
    assert f"10 / 59 = {10 / 59:.1%}".replace("%", " %") in note(9)
    assert f"250 / 275 = {250 / 275:.1%}".replace("%", " %") in note(9)
    assert pytest.approx(250 / 25 * 20 / 980) == 10 / 49
    assert f"ln(980 / 20) = {math.log(980 / 20):.2f}" in note(9)
    recall, false_positive_rate, precision, _ = rates(9, 10, 27, 990)
    assert (recall, precision) == (0.9, 0.25)
    assert f"27 / 990 = {false_positive_rate:.1%}".replace("%", " %") in note(9)
    assert f"the AUC is 5 / 6 = {roc_auc_score([1, 1, 0, 0, 0], [3, 1, 2, 0, -1]):.0%}".replace("%", " %") in note(9)
    script = load_sprint(f"{FOLDER}/weights_on_a_line.py")
    results = script.main(script.Config())
    assert results.weights == [0.25] * 4 + [1]
    assert ("0.919", 3) in [(f"{point:.3f}", item) for point, item in zip(results.points, results.drawn, strict=True)]


@pytest.mark.parametrize(
    ("load", "step", "batches", "ends"),
    [(4, 1, 8, {0: 40, 1: 33, 4: 12}), (2, 1, 6, {0: 18, 1: 13, 2: 8}), (3, 2, 6, {0: 30, 1: 20, 2: 15, 3: 15})],
)
def test_note_10_time_lines(load_sprint, load: float, step: float, batches: int, ends: dict[int, float]):
    script = load_sprint(f"{FOLDER}/loader_timeline.py")
    results = script.main(script.Config(workers=tuple(ends), batches=batches, load=load, step=step))
    assert {workers: line.end for workers, line in zip(results.workers, results.lines, strict=True)} == ends


def test_note_10_no_more_batches_are_under_way_than_may_be(load_sprint):
    script = load_sprint(f"{FOLDER}/loader_timeline.py")
    line = script.with_workers(2, 20, 1.0, 3.0, prefetch_factor=2)
    for batch in range(4, 20):
        assert line.load_begins[batch] >= line.step_begins[batch - 4]
    assert line.end == 1 + 20 * 3
    assert script.without_workers(3, 2.0, 1.0).waiting == 6
    waits = [script.with_workers(workers, 8, 4.0, 1.0, prefetch_factor=2).waiting for workers in (1, 4)]
    assert waits == [33 - 8, 12 - 8]


def test_note_11_a_generator_that_is_copied(load_sprint):
    script = load_sprint(f"{FOLDER}/worker_copies.py")
    ways = script.main(script.Config()).numbers
    first = np.random.default_rng(0).random(4).tolist()
    assert ", ".join(f"{number:.3f}" for number in first) in note(11)
    copied, seeded, keyed = ways.values()
    assert copied == [[*first[:2], *first]] * 2
    assert len({number for epoch in (*seeded, *keyed) for number in epoch}) == 24
    # NumPy fills short keys up with zeros.
    assert keyed[0][0] == copied[0][0]
    assert f"the key (0, 0, 0) gives {keyed[0][0]:.4f}, as the seed 0 does" in note(11)
    assert np.random.default_rng((0, 1)).random() == np.random.default_rng((0, 1, 0)).random()


def test_note_4_sizes():
    numbers = 64 * 64 * 3
    assert f"take {4e4 * numbers / 1e6:.0f} MB; a million take {4e6 * numbers / 1e9:.0f} GB" in note(4)
    assert len("Crème") + 1 == len("Crème".encode())
    assert 32 * 3 * 100 * 100 == 960_000


def test_note_12_throughput_and_prefetch(load_sprint):
    assert f"{1.04 / 0.04:.0f} times slower" in note(12)
    assert pytest.approx(80, abs=0.5) == 321 / 4
    assert pytest.approx((1000, 1600)) == (1 / 1e-3, 2 / (1.25e-3))
    script = load_sprint(f"{FOLDER}/prefetch.py")
    loads = [1.0, 1, 1, 1, 5]
    assert [script.predicted_seconds(loads, 2.0, depth) for depth in (1, 2)] == [12, 11]
    assert script.least_seconds(loads, 2.0) == 11
    config = script.Config()
    uneven = script.loading_times(config)["uneven"]
    slow = [batch for batch, load in enumerate(uneven) if load > config.load]
    assert slow[0] == 2, "the third batch is a slow one"
    assert 6 < uneven[2] / config.step < 7
    four, eight, endless = (script.predicted_seconds(uneven, config.step, depth) for depth in (4, 8, config.batches))
    assert four > eight == pytest.approx(endless)
    # Nothing waits yet when the slow batch has been loaded.
    assert endless == pytest.approx(sum(uneven[:3]) + (config.batches - 2) * config.step)


def test_note_13_what_the_samplers_position_loses():
    order = [7, 3, 9, 0, 5, 1, 8, 2, 6, 4]
    assert " ".join(map(str, order)) in note(13)
    used, handed_out = 2, 4
    assert order[2 * used : 2 * handed_out] == [5, 1, 8, 2]
    assert "Items 5, 1, 8 and 2 are never seen" in note(13)
    assert 3 * 2 * 32 == 192


# What the exercises ask on paper


def test_houses():
    houses = torch.tensor([[50.0, 10], [80, 40], [110, 10]])
    new = torch.tensor([105.0, 30])
    mean, deviation = houses.mean(dim=0), houses.std(dim=0, correction=0)
    assert [f"{number:.2f}" for number in deviation] == ["24.49", "14.14"]
    z = (new - mean) / deviation
    assert f"The new house: {z[0]:.2f} and {z[1]:.2f}." in PAGE
    before = (houses - new).square().sum(dim=1)
    after = ((houses - new) / deviation).square().sum(dim=1)
    assert "before: " + ", ".join(f"{number:,.0f}" for number in before) in PAGE
    assert "After: " + ", ".join(f"{number:.2f}" for number in after) in PAGE
    assert (before.argmin(), after.argmin()) == (2, 1)


def test_expected_padding_of_the_exercise(load_sprint):
    share = load_sprint(f"{FOLDER}/padding.py").expected_padding([1, 1, 4, 6], 2)
    assert f"1 − 3 / 4.5 = {share:.1%}".replace("%", " %") in PAGE
    assert f"{padded_share([1, 1, 4, 6], [(0, 1), (2, 3)]):.1%}".replace("%", " %") in PAGE


def test_the_filter():
    recall, false_positive_rate, precision, accuracy = rates(30, 40, 40, 1960)
    assert f"{recall:.0%} {accuracy:.1%}" == "75% 97.5%"
    assert f"{false_positive_rate:.2%}".replace("%", " %") in PAGE
    assert f"{precision:.1%}".replace("%", " %") in PAGE
    assert f"= {(recall + 1 - false_positive_rate) / 2:.1%}".replace("%", " %") in PAGE
    assert 1960 / 2000 == 0.98
