import pytest
import torch
from sequence_layer_examples import no_zeros_and_no_ones, token_ids
from torch import nn

from shared.nn.mamba import Mamba, mamba_from_transformers, mamba_model
from shared.nn.mamba2 import Mamba2, mamba2_from_transformers
from shared.nn.mamba_to_transformers import mamba2_to_transformers, mamba_to_transformers
from shared.nn.norms import RMSNorm
from shared.nn.sequence_model import Residual, SequenceModel


def build_mamba():
    return no_zeros_and_no_ones(mamba_model(13, 8, 2, d_state=5, expand=3, kernel=3, rank=2, epsilon=1e-3))


def build_mamba2(outputs=None):
    layers = [
        Residual(Mamba2(8, 4, 5, groups=2, chunk=3, epsilon=1e-3, steps=(0.01, 0.5)), RMSNorm(8, 1e-3))
        for _ in range(2)
    ]
    return no_zeros_and_no_ones(SequenceModel(13, 8, layers, RMSNorm(8, 1e-3), outputs))


@pytest.mark.parametrize(
    ("build", "there", "back"),
    [
        (build_mamba, mamba_to_transformers, mamba_from_transformers),
        (build_mamba2, mamba2_to_transformers, mamba2_from_transformers),
        (lambda: build_mamba2(13), mamba2_to_transformers, mamba2_from_transformers),
    ],
)
def test_the_model_is_the_same_there_and_when_it_comes_back(build, there, back):
    model = build()
    theirs = there(model)
    with torch.no_grad():
        logits = model(token_ids())[0]
        torch.testing.assert_close(theirs(token_ids(), use_cache=False).logits, logits, atol=1e-5, rtol=0)
    returned = back(theirs).state_dict()
    assert returned.keys() == model.state_dict().keys()
    assert all(torch.equal(returned[name], weight) for name, weight in model.state_dict().items())


def test_what_transformers_does_not_have_is_refused():
    with pytest.raises(ValueError, match="each layer must be a Mamba in a Residual; this model has Linear"):
        mamba_to_transformers(SequenceModel(13, 8, [nn.Linear(8, 8)], RMSNorm(8)))
    unequal = [Residual(Mamba(8, size), RMSNorm(8)) for size in (4, 5)]
    with pytest.raises(ValueError, match="one size for all layers"):
        mamba_to_transformers(SequenceModel(13, 8, unequal, RMSNorm(8)))
    with pytest.raises(ValueError, match="build it with outputs None"):
        mamba_to_transformers(SequenceModel(13, 8, [Residual(Mamba(8), RMSNorm(8))], RMSNorm(8), 13))
