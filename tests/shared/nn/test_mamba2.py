import pytest
import torch
from sequence_layer_examples import (
    check_layer,
    check_logits_and_gradients,
    check_padding,
    check_ways,
    no_zeros_and_no_ones,
    token_ids,
)
from transformers import Mamba2Config, Mamba2ForCausalLM

from shared.checks.invariants import check_causality
from shared.nn.mamba2 import NAMES, Mamba2, mamba2_from_transformers

WAYS = ["tokens", "scan", "chunks"]


def build_theirs(**changes):
    torch.manual_seed(0)
    options = {
        "vocab_size": 13, "hidden_size": 8, "state_size": 4, "num_hidden_layers": 2, "num_heads": 4, "head_dim": 4,
        "n_groups": 2, "chunk_size": 4,
    }  # fmt: skip
    return no_zeros_and_no_ones(Mamba2ForCausalLM(Mamba2Config(**options | changes)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": True, "n_groups": 1, "time_step_limit": (0.01, 0.05)}])
def test_equals_transformers_in_logits_and_every_gradient(way, changes):
    theirs = build_theirs(**changes)
    check_logits_and_gradients(mamba2_from_transformers(theirs, way), theirs, NAMES)


def test_padding_on_the_left_and_on_the_right_as_in_transformers():
    theirs = build_theirs()
    check_padding(mamba2_from_transformers(theirs), theirs)


@pytest.mark.parametrize("way", WAYS)
def test_the_layer_is_the_same_in_pieces_and_takes_no_notice_of_padding(way):
    torch.manual_seed(2)
    check_layer(Mamba2(6, heads=3, d_state=5, groups=3, chunk=4, way=way).double(), 6)


def test_the_layer_has_the_same_gradients_by_each_way():
    torch.manual_seed(2)
    check_ways(lambda way: Mamba2(6, heads=3, d_state=5, groups=3, chunk=4, way=way), WAYS, 6)


def test_is_causal():
    model = mamba2_from_transformers(build_theirs())
    check_causality(lambda ids: model(ids)[0], token_ids(), vocab_size=13)


def test_what_does_not_fit_is_refused():
    layer = Mamba2(6, heads=2)
    with pytest.raises(ValueError, match="at least one token, of 6 features"):
        layer(torch.zeros(1, 0, 6))
    with pytest.raises(ValueError, match="give the state of the same rows"):
        layer(torch.zeros(2, 3, 6), layer(torch.zeros(1, 3, 6))[1])
    with pytest.raises(ValueError, match="got 12 inner features, 5 heads"):
        Mamba2(6, heads=5)
    with pytest.raises(ValueError, match=r"this model has \{'use_conv_bias': False\}"):
        mamba2_from_transformers(build_theirs(use_conv_bias=False))
