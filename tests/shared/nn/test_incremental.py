"""Going on token by token equals one pass over the whole target."""

import pytest
import torch

from shared.nn.seq2seq import EncoderDecoder
from tests.shared.nn.seq2seq_examples import VARIANTS, build, mask, rows


@pytest.fixture(params=VARIANTS)
def model(request: pytest.FixtureRequest) -> EncoderDecoder:
    return build(VARIANTS[request.param])


def test_steps_with_a_cache_equal_one_pass(model: EncoderDecoder):
    source, target, real = rows(11, 8), rows(9, 7), mask(8, 5, 2)
    full = model(source, target, real)
    steps = model.incremental(source, real, 7)
    for position in range(7):
        torch.testing.assert_close(steps(target[:, position]), full[:, position], atol=1e-5, rtol=0)


def test_several_targets_of_a_source_go_on_and_change_places(model: EncoderDecoder):
    source, target, real = rows(11, 8, 2), rows(9, 6, 4), mask(8, 5)
    twice = (source.repeat_interleave(2, 0), real.repeat_interleave(2, 0))
    steps = model.incremental(source, real, 6, width=2)
    for position in range(3):
        steps(target[:, position])
    order = torch.tensor([1, 1, 3, 2])  # each stays with its source
    steps.reorder(order)
    joined = torch.cat([target[order, :3], target[:, 3:]], dim=1)
    full = model(twice[0], joined, twice[1])
    for position in range(3, 6):
        torch.testing.assert_close(steps(joined[:, position]), full[:, position], atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="room for 6 tokens; it would have to hold 7"):
        steps(target[:, 0])
