"""The loss of a masked language model counts the chosen places and nothing else."""

import math

import pytest
import torch

from shared.training.masked_loss import masked_loss, masked_token_losses


def test_is_the_mean_over_the_chosen_places():
    logits = torch.tensor([[[0.0, 0.0], [math.log(3), 0.0], [5.0, -5.0]]])
    tokens, chosen = torch.tensor([[1, 0, 1]]), torch.tensor([[True, True, False]])
    expected = torch.tensor([math.log(2), -math.log(0.75)])
    torch.testing.assert_close(masked_token_losses(logits, tokens, chosen), expected)
    torch.testing.assert_close(masked_loss(logits, tokens, chosen), expected.mean())


def test_refuses_a_loss_of_nothing():
    with pytest.raises(ValueError, match="needs a chosen token; none of 3 is"):
        masked_loss(torch.zeros(1, 3, 2), torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, 3, dtype=torch.bool))
