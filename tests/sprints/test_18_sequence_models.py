import pytest
import torch

from shared.checks.streaming import check_streaming
from shared.nn.norms import RMSNorm
from shared.nn.sequence_model import Residual, SequenceModel, TokenWise


def test_a_model_without_a_state_reads_each_token_by_itself():
    torch.manual_seed(0)
    model = SequenceModel(7, 4, [Residual(TokenWise(torch.nn.Linear(4, 4)), RMSNorm(4))], RMSNorm(4))
    tokens = torch.tensor([[1, 2, 1, 6]])
    check_streaming(model, tokens)
    logits, _ = model(tokens)
    assert logits[0, 0].tolist() == pytest.approx(logits[0, 2].tolist())
