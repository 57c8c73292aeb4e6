"""The answers that the exercises of sprint 6 give on paper."""

import math
import re
from pathlib import Path

import pytest
import torch

from shared.nn.attention import MultiHeadAttention, attend

PAGE = (Path(__file__).parents[2] / "sprints/06_multi_head_attention/exercises/README.md").read_text(encoding="utf-8")
KEYS = torch.tensor([[0.0, 0, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0]])[None, None]
VALUES = torch.tensor([[20.0], [10], [30]]).expand(1, 1, 3, 4)


@pytest.mark.parametrize(
    ("query", "times", "weights", "result"),
    [
        (2.0, 1, "0.090, 0.665, 0.245", "15.8"),
        (2.0, 2, "0.016, 0.867, 0.117", "12.5"),
        (0.0, 1, "0.333, 0.333, 0.333", "20.0"),
    ],
)
def test_three_words(query: float, times: int, weights: str, result: str):
    mixed, found = attend(torch.tensor([[[[query, 0, 0, 0]]]]), times * KEYS, VALUES)
    assert ", ".join(f"{weight:.3f}" for weight in found.flatten()) == weights
    assert f"{mixed[0, 0, 0, 0]:.1f}" == result
    assert query == 0 or (weights in PAGE and result in PAGE)


def test_shapes_and_sizes():
    shapes = {}
    for heads in (4, 8):
        layer = MultiHeadAttention(64, heads)
        assert f"{sum(parameter.numel() for parameter in layer.parameters()):,}" in PAGE
        query, key, value = layer.project(torch.randn(2, 10, 64))
        mixed, weights = attend(query, key, value)
        output = layer(torch.randn(2, 10, 64))
        shapes[heads] = [str(tuple(tensor.shape)) for tensor in (query, weights, mixed, output)]
    answer = re.search(r"head_dim is 64 / 4 = 16\..*?biases", PAGE, re.DOTALL)
    assert answer is not None
    assert re.findall(r"\(2, [^)]+\)", answer[0].replace("\n", " ")) == shapes[4]
    assert math.prod((4, 64, 64)) + 4 * 64 == 16_640
