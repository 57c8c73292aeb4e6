"""Scalings of rotary positions: the speeds of transformers, what each leaves as it was, and what it refuses."""

from typing import Any

import pytest
import torch

from shared.nn.rotary import Llama3Scaling, rotate_halves
from shared.nn.rotary_scaling import (
    BaseScaling,
    DynamicScaling,
    LinearScaling,
    YarnScaling,
    rotary_speeds,
    rotate_scaled,
)

HEAD_DIM, CONTEXT = 32, 512


def their_config(kind: str, theta: float, fields: dict[str, Any]) -> Any:
    from transformers import LlamaConfig

    longest = CONTEXT if kind == "dynamic" else 4 * CONTEXT
    original = {} if kind == "dynamic" else {"original_max_position_embeddings": CONTEXT}
    parameters = {"rope_type": kind, "rope_theta": theta} | fields | original
    return LlamaConfig(
        hidden_size=2 * HEAD_DIM, num_attention_heads=2, max_position_embeddings=longest, rope_parameters=parameters
    )


@pytest.mark.parametrize("theta", [100.0, 10_000.0, 500_000.0])
def test_speeds_are_those_of_transformers(theta: float):
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    cases = [
        ("linear", {"factor": 4.0}, LinearScaling(4.0), None),
        ("yarn", {"factor": 4.0}, YarnScaling(4.0, CONTEXT), None),
        ("yarn", {"factor": 4.0, "truncate": False}, YarnScaling(4.0, CONTEXT, truncate=False), None),
        ("yarn", {"factor": 16.0, "beta_fast": 8.0, "beta_slow": 2.0}, YarnScaling(16.0, CONTEXT, 8.0, 2.0), None),
        (
            "llama3", {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0},
            Llama3Scaling(8.0, context=CONTEXT), None,
        ),
    ]  # fmt: skip
    for factor in (1.0, 3.0):
        for tokens in (CONTEXT - 1, CONTEXT, CONTEXT + 1, 4 * CONTEXT):
            cases.append(("dynamic", {"factor": factor}, DynamicScaling(CONTEXT, factor).at(tokens), tokens))
    for kind, fields, scaling, tokens in cases:
        theirs, factor = ROPE_INIT_FUNCTIONS[kind](their_config(kind, theta, fields), seq_len=tokens)
        found = scaling.slow_down(rotary_speeds(HEAD_DIM, theta))
        torch.testing.assert_close(found, theirs, rtol=1e-5, atol=0, msg=f"{kind} {fields} {tokens}")
        assert factor == pytest.approx(getattr(scaling, "attention_factor", 1.0))


def test_turned_queries_and_their_gradients_are_those_of_transformers():
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    x = torch.randn(2, 3, 40, HEAD_DIM, generator=torch.Generator().manual_seed(0), requires_grad=True)
    real = torch.arange(40) >= torch.tensor([[0], [7]])  # a row that is padded on the left
    positions = (real.cumsum(dim=1) - 1).clamp(min=0) * 30
    cosine, sine = LlamaRotaryEmbedding(their_config("yarn", 1000.0, {"factor": 4.0}))(x, positions)
    theirs, _ = apply_rotary_pos_emb(x, x, cosine, sine)
    ours = rotate_scaled(x, positions[:, None], 1000.0, YarnScaling(4.0, CONTEXT))
    # Angles reach 1,170 radians, where neighbours in float32 are 1.2e-4 apart; they turn numbers of up to 4.
    torch.testing.assert_close(ours, theirs, atol=5e-4, rtol=0)
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    gradients = [torch.autograd.grad((turned * weights).sum(), x)[0] for turned in (ours, theirs)]
    torch.testing.assert_close(*gradients, atol=1e-4, rtol=0)


def test_without_a_scaling_and_with_llamas_it_is_the_usual_rotation():
    x, positions = torch.randn(2, 10, 8, generator=torch.Generator().manual_seed(0)), torch.arange(10) * 50
    for scaling in (None, Llama3Scaling(4.0, context=100)):
        expected = rotate_halves(x, positions, 100.0, scaling)
        torch.testing.assert_close(rotate_scaled(x, positions, 100.0, scaling), expected, atol=1e-5, rtol=0)
    assert rotate_scaled(x.bfloat16(), positions).dtype is torch.bfloat16


def test_what_each_scaling_leaves_as_it_was():
    speeds = rotary_speeds(HEAD_DIM, 10_000.0)
    larger = 10_000.0 * 4.0 ** (HEAD_DIM / (HEAD_DIM - 2))
    torch.testing.assert_close(BaseScaling(4.0).slow_down(speeds), rotary_speeds(HEAD_DIM, larger))
    ratios = {
        kind: speeds / scaling.slow_down(speeds)
        for kind, scaling in (("base", BaseScaling(4.0)), ("yarn", YarnScaling(4.0, CONTEXT)))
    }
    for ratio in ratios.values():  # the fastest plane turns as before, the slowest at a quarter of its speed
        torch.testing.assert_close(ratio[[0, -1]], torch.tensor([1.0, 4.0]))
        assert (ratio.diff() >= -1e-6).all()
    assert (DynamicScaling(CONTEXT, 8.0).at(CONTEXT // 2).slow_down(speeds) == speeds).all()
    assert LinearScaling(4.0).slow_down(speeds)[0] == 0.25


def test_what_makes_no_sense_is_refused():
    for make in (
        lambda: LinearScaling(0.5), lambda: BaseScaling(0.0), lambda: DynamicScaling(0), lambda: YarnScaling(0.5, 512),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="of a scaling is 1 or more"):
            make()
    with pytest.raises(ValueError, match="0 < slow < fast"):
        YarnScaling(2.0, 512, fast=1.0, slow=1.0)
    for head_dim in (2, 7):
        with pytest.raises(ValueError, match="even head_dim of 4 or more"):
            rotary_speeds(head_dim)
