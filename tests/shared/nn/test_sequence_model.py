import pytest
import torch
from torch import nn

from shared.checks.streaming import check_streaming
from shared.nn.sequence_model import Residual, SequenceModel, TokenWise


class RunningMean(nn.Module):
    """The simplest layer with a state: the sum so far, and how many tokens it has."""

    def forward(self, x, state=None, mask=None):
        real = x.new_ones(x.shape[:2]) if mask is None else mask.to(x.dtype)
        real = real.unsqueeze(-1)
        before = (x.new_zeros(len(x), x.shape[2]), x.new_zeros(len(x), 1)) if state is None else state
        total = before[0][:, None] + (x * real).cumsum(dim=1)
        count = before[1][:, None] + real.cumsum(dim=1)
        return total / count.clamp(min=1) * real, (total[:, -1], count[:, -1])


def build(outputs=None):
    torch.manual_seed(0)
    layers = [Residual(RunningMean(), nn.LayerNorm(6)), Residual(TokenWise(nn.Linear(6, 6)), nn.LayerNorm(6))]
    return SequenceModel(11, 6, [*layers, RunningMean()], nn.LayerNorm(6), outputs).double()


def test_equals_the_same_sum_written_out():
    model = build()
    tokens = torch.tensor([[3, 1, 4, 1, 5]])
    x = model.embedding.weight[tokens]
    x = x + RunningMean()(nn.functional.layer_norm(x, (6,)))[0]
    linear = model.layers[1].layer.module
    x = x + nn.functional.layer_norm(x, (6,)) @ linear.weight.T + linear.bias
    x = nn.functional.layer_norm(RunningMean()(x)[0], (6,))
    torch.testing.assert_close(model(tokens)[0], x @ model.embedding.weight.T)


def test_is_the_same_in_pieces_and_its_state_does_not_grow():
    model = build()
    tokens = torch.randint(11, (2, 9), generator=torch.Generator().manual_seed(1))
    check_streaming(model, tokens)
    sizes = {model.state_bytes(model(tokens[:, :length])[1]) for length in (1, 5, 9)}
    assert sizes == {2 * 2 * (6 + 1) * 8}  # two means of two rows: six sums and a count of 8 bytes


def test_token_wise_says_nothing_at_padding():
    mask = torch.tensor([[True, False]])
    output, state = TokenWise(nn.Linear(3, 2))(torch.ones(1, 2, 3), None, mask)
    assert output.shape == (1, 2, 2)
    assert output[0, 0].ne(0).all()
    assert output[0, 1].eq(0).all()
    assert state == ()


def test_an_output_layer_of_its_own():
    logits, states = build(outputs=4)(torch.zeros(1, 2, dtype=torch.int64))
    assert logits.shape == (1, 2, 4)
    assert len(states) == 3


def test_the_embedding_begins_small():
    # it is the output layer too: the first logits are near 0, and the first loss near ln(vocab_size)
    torch.manual_seed(0)
    model = SequenceModel(500, 64, [], nn.Identity())
    assert model.embedding.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_a_state_of_other_layers_is_refused():
    with pytest.raises(ValueError, match="each of 3 layers; it has 1"):
        build()(torch.zeros(1, 2, dtype=torch.int64), [()])
