"""The answers that the exercises of sprint 6 give on paper."""

import itertools
import math
import re
from pathlib import Path

import numpy as np
import torch
from lesson_texts import lesson_texts
from scipy.optimize import linprog

from shared.nn.attention import MultiHeadAttention, attend

PAGE = (Path(__file__).parents[2] / "sprints/06_multi_head_attention/exercises/README.md").read_text(encoding="utf-8")
_, note = lesson_texts("06_multi_head_attention")


def test_two_features_two_values():
    query, value = torch.tensor([[2.0, 1, 0, 0]]), torch.tensor([[6.0, 0], [0, 6], [3, 3]])
    key = torch.tensor([[0.0, 2, 0, 0], [2, 2, 0, 0], [0, 0, 1, 0]])
    mixed, weights = attend(query[None, None], key[None, None], value[None, None])
    assert ", ".join(f"{weight:.3f}" for weight in weights.flatten()) in PAGE
    assert f"({mixed[0, 0, 0, 0]:.3f}, {mixed[0, 0, 0, 1]:.3f})" in PAGE
    sharp = attend(query[None, None].double(), 10 * key[None, None].double(), value[None, None].double())[1]
    assert f"{1 - sharp[0, 0, 0, 1].item():.0e}" == "2e-09"


def test_shapes_and_sizes():
    shapes = {}
    for heads in (6, 12):
        layer = MultiHeadAttention(96, heads)
        assert f"{sum(parameter.numel() for parameter in layer.parameters()):,}" in PAGE
        x, memory = torch.randn(3, 12, 96), torch.randn(3, 20, 96)
        query, key, value = layer.project(x, memory)
        mixed, weights = attend(query, key, value)
        shapes[heads] = [str(tuple(tensor.shape)) for tensor in (query, key, weights, mixed, layer(x, memory))]
    answer = re.search(r"head_dim is 96 / 6 = 16\..*?biases", PAGE, re.DOTALL)
    assert answer is not None
    assert re.findall(r"\(3, [^)]+\)", answer[0].replace("\n", " ")) == shapes[6]


def softmax(*scores: float) -> str:
    return ", ".join(f"{weight:.3f}" for weight in torch.tensor(scores, dtype=torch.float64).softmax(dim=0))


def test_the_cache_of_a_model():
    numbers = 2 * 30 * 3 * 64 * 2048
    assert f"{numbers / 1e6:.1f} million numbers, {2 * numbers / 1e6:.0f} MB" in PAGE
    assert round(2 * 134.5e6 / (2 * numbers)) == 6
    assert f"{2 * 134.515:.0f} MB" in PAGE


# What the notes work out by hand


def test_note_1_and_4_attention_and_masks_by_hand():
    assert "0.090, 0.665, 0.245" in note(1)
    assert softmax(0, 4, 2) in note(1)
    assert softmax(0, 0, 1) in note(4)
    assert softmax(0, -math.inf, 1).replace("0.000", "0") in note(4)


def test_note_2_tokens_that_look_for_each_other():
    x, query = torch.tensor([[1.0, 0], [0, 2]]), torch.eye(2)
    key, value = torch.tensor([[0.0, 1], [1, 0]]), torch.tensor([[10.0, 0], [0, 1]])
    assert (x @ query @ (x @ key).T).tolist() == [[0, 2], [2, 0]]
    mixed, weights = attend((x @ query)[None, None], (x @ key)[None, None], (x @ value)[None, None])
    assert ", ".join(f"{number:.3f}" for number in weights[0, 0, 0]) == "0.196, 0.804"
    assert f"({mixed[0, 0, 0, 0]:.2f}, {mixed[0, 0, 0, 1]:.2f})" in note(2)


def test_note_3_the_weight_of_the_better_key():
    for good, other, weight in ((4, 2, "0.881"), (2, 1, "0.731"), (8, 4, "0.982")):
        assert softmax(good, other).startswith(weight)
        assert weight in note(3)
    assert f"{1 / (1 + math.exp(-32)):.14f}" in note(3)


def test_note_6_two_numbers_out_of_one_mixture():
    a, b, coupling = 3, 7, 0.01
    p = 1 / (1 + math.exp(-coupling * (a - b)))
    total, difference = p * a + (1 - p) * b, (2 * p - 1) / (coupling / 2)
    assert (f"{p:.3f}", f"{1 - p:.3f}", f"{total:.2f}", f"{2 * p - 1:.2f}") == ("0.490", "0.510", "5.04", "-0.02")
    assert (f"{total + difference / 2:.2f}", f"{total - difference / 2:.2f}") == ("3.04", "7.04")
    assert "3.04$ and $b \\approx 7.04" in note(6)


def readable(seen: list[list[float]], question: int, positions: bool) -> bool:
    """Return whether some linear readout answers a question for all pairs of different tokens.

    Args:
        seen: `seen[place][token]`, the weight of a place before it is divided by the sum of both.
        question: 0 for the token one back, 1 for the one two back.
        positions: whether values hold their place as well.
    """
    count = len(seen[0])
    pairs = list(itertools.permutations(range(count), 2))
    wins = []
    for pair in pairs:
        weights = [seen[place][token] for place, token in enumerate(pair)]
        # What is mixed: a weight for each token, one for each place if values hold it, and a constant.
        mixed = np.zeros(count + 3)
        for place, token in enumerate(pair):
            mixed[token] += weights[place] / sum(weights)
            mixed[count + place] = weights[place] / sum(weights) if positions else 0
        mixed[-1] = 1
        for other in set(range(count)) - {pair[question]}:
            row = np.zeros((count, count + 3))
            row[pair[question]], row[other] = mixed, -mixed
            wins.append(row.ravel())
    # Scores are linear in the readout: is there one whose right answer wins by 1 everywhere?
    found = linprog(np.zeros(len(wins[0])), -np.array(wins), -np.ones(len(wins)), bounds=(None, None))
    return found.status == 0


def test_note_6_the_proof_stands_if_values_hold_tokens_only_and_falls_if_they_hold_places():
    generator = np.random.default_rng(0)
    for _ in range(20):
        lean, far = generator.uniform(0.2, 5, 3).tolist(), generator.uniform(0.2, 5)
        seen = [lean, [far * weight for weight in lean]]  # a part for the token times a part for the place
        answers = [readable(seen, question, positions=False) for question in (0, 1)]
        assert answers == [far < 1, far > 1]
    assert [readable([[1, 1, 1], [2, 2, 2]], question, positions=True) for question in (0, 1)] == [False, True]
    leaning = [[1.0, 1.1, 1.21], [1.0, 1.1, 1.21]]
    assert [readable(leaning, question, positions=True) for question in (0, 1)] == [True, True]


def test_note_9_operations_and_a_softmax_in_one_pass():
    tokens, d_model = 1024, 768
    assert f"{8 * tokens * d_model**2 / 1e9:.1f} billion" in note(9)
    assert f"{4 * tokens**2 * d_model / 1e9:.1f} billion" in note(9)
    assert f"{12 * tokens**2 / 1e6:.1f} million numbers" in note(9)
    largest, total, mean = -math.inf, 0.0, 0.0
    for score, value in ((0, 20), (2, 10), (1, 30)):
        larger = max(largest, score)
        new = total * math.exp(largest - larger) + math.exp(score - larger)
        mean = (mean * total * math.exp(largest - larger) + math.exp(score - larger) * value) / new
        largest, total = larger, new
        assert f"{total:.3f}".removesuffix(".000") in note(9)
        assert f"{mean:.2f}".removesuffix(".00") in note(9) or f"{mean:.1f}" in note(9)
    assert f"{mean:.1f}" == "15.8"


def test_note_10_the_cache_of_gpt2():
    assert f"{2 * 12 * 1024 * 768 * 4 / 1e6:.1f} MB" in note(10)
