"""Each invariant holds for a sound model and names the fault of one that is broken on purpose."""

import math

import pytest
import torch
from torch import Tensor, nn

from shared.checks.invariants import (
    InvariantError,
    check_cache,
    check_causality,
    check_padding_invariance,
    check_source_sensitivity,
)
from shared.nn.gpt import GPT, GPTConfig

VOCAB = 13
TOKENS = torch.randint(VOCAB, (4, 8), generator=torch.Generator().manual_seed(0))


class Mixer(nn.Module):
    """One attention layer whose mask is handed in: right or wrong."""

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(VOCAB, 16)
        self.head = nn.Linear(16, VOCAB)
        self.mask = mask

    def forward(self, tokens: Tensor, real: Tensor | None = None) -> Tensor:
        x = self.embedding(tokens)
        mask = self.mask if real is None else self.mask & real[:, None]
        scores = (x @ x.mT).masked_fill(~mask, -math.inf)
        return self.head(scores.softmax(-1).nan_to_num() @ x)


CAUSAL = torch.ones(8, 8, dtype=torch.bool).tril()


def gpt(**changes) -> GPT:
    settings = {"vocab_size": VOCAB, "context": 16, "layers": 2, "heads": 2, "d_model": 16, "dropout": 0.0} | changes
    return GPT(GPTConfig(**settings), torch.Generator().manual_seed(0)).eval()


def test_causality_names_an_inverted_mask():
    check_causality(Mixer(CAUSAL), TOKENS, vocab_size=VOCAB)
    check_causality(gpt(), TOKENS, vocab_size=VOCAB)
    with pytest.raises(InvariantError, match=r"reads the future\. Is the mask inverted"):
        check_causality(Mixer(~CAUSAL), TOKENS, vocab_size=VOCAB)
    with pytest.raises(InvariantError, match="reads the future"):
        check_causality(Mixer(torch.ones_like(CAUSAL)), TOKENS, vocab_size=VOCAB)
    with pytest.raises(InvariantError, match="does not read its input"):
        check_causality(lambda tokens: torch.zeros(*tokens.shape, VOCAB), TOKENS, vocab_size=VOCAB)


def test_source_sensitivity_names_an_unseen_source():
    def sees(source: Tensor, target: Tensor) -> Tensor:
        return (target + source.sum(1, keepdim=True)).float()

    def blind_to_the_end(source: Tensor, target: Tensor) -> Tensor:
        return sees(source[:, :-1], target)

    check_source_sensitivity(sees, TOKENS, TOKENS, vocab_size=VOCAB)
    with pytest.raises(InvariantError, match="source token 7 changed: the decoder does not see it"):
        check_source_sensitivity(blind_to_the_end, TOKENS, TOKENS, vocab_size=VOCAB)


def test_padding_invariance_names_a_leak():
    real = torch.arange(8) < torch.tensor([8, 5, 3, 2])[:, None]
    model = Mixer(torch.ones_like(CAUSAL))
    check_padding_invariance(model, TOKENS, real, vocab_size=VOCAB)
    with pytest.raises(InvariantError, match="padding leaks"):
        check_padding_invariance(lambda tokens, _real: model(tokens), TOKENS, real, vocab_size=VOCAB)
    with pytest.raises(ValueError, match="needs padding"):
        check_padding_invariance(model, TOKENS, torch.ones_like(real), vocab_size=VOCAB)


def test_cache_names_the_position_that_differs():
    model = gpt()
    check_cache(model, TOKENS)

    class ForgetsPositions:
        new_cache = staticmethod(model.new_cache)

        def __call__(self, tokens: Tensor, cache=None) -> Tensor:
            positions = torch.zeros_like(tokens) if cache else None
            return model(tokens, cache=cache, positions=positions)

    model.positions.weight.data.mul_(50)
    with pytest.raises(InvariantError, match="logits at position 1 differ"):
        check_cache(ForgetsPositions(), TOKENS)
