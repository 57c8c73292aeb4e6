"""Each invariant holds for a sound model and names the fault of one that is broken on purpose."""

import math

import pytest
import torch
from torch import Tensor, nn

from shared.checks.invariants import (
    InvariantError,
    check_cache,
    check_causality,
    check_gradients,
    check_initial_loss,
    check_overfits_one_batch,
    check_padding_invariance,
    check_reported_loss,
    check_source_sensitivity,
)
from shared.nn.gpt import GPT, GPTConfig
from shared.training.losses import next_token_loss

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


def test_initial_loss_names_a_leak_and_a_wrong_mean():
    loss = next_token_loss(gpt()(TOKENS), TOKENS).item()
    check_initial_loss(loss, VOCAB)
    with pytest.raises(InvariantError, match="the answer leaks"):
        check_initial_loss(0.4, VOCAB)
    with pytest.raises(InvariantError, match=r"multiplied \(by a batch size of 4"):
        check_initial_loss(loss * 4, VOCAB)


def test_reported_loss_names_the_mistake():
    model = gpt()
    model.head.weight.data *= 30  # so that the figures differ
    logits = model(TOKENS)
    check_reported_loss(next_token_loss(logits, TOKENS).item(), model, TOKENS)
    mistakes = {
        "labels are shifted twice": next_token_loss(logits[:, :-1], TOKENS[:, 1:]).item(),
        "labels are not shifted": -logits.log_softmax(-1).gather(-1, TOKENS[..., None]).mean().item(),
        "times the batch size 4": next_token_loss(logits, TOKENS).item() * 4,
        "the sum over the tokens": next_token_loss(logits, TOKENS).item() * 28,
    }
    for cause, reported in mistakes.items():
        with pytest.raises(InvariantError, match=cause):
            check_reported_loss(reported, model, TOKENS)


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


def test_gradients_name_a_detached_layer():
    model = gpt()
    tokens = torch.arange(16) % VOCAB
    check_gradients(model, next_token_loss(model(tokens[None]), tokens[None]))
    block = model.blocks[0]
    forward = block.feed_forward.forward
    block.feed_forward.forward = lambda x: forward(x).detach()  # ty: ignore[invalid-assignment]
    with pytest.raises(InvariantError, match=r"no gradient reaches .*blocks\.0\.feed_forward\.expand\.weight"):
        check_gradients(model, next_token_loss(model(tokens[None]), tokens[None]))
    weight = nn.Linear(2, 1, bias=False)
    with pytest.raises(InvariantError, match="gradient of weight is not finite"):
        check_gradients(weight, weight(torch.full((1, 2), math.inf)).sum())


def test_one_batch_can_be_learnt_by_heart_unless_something_is_cut():
    model = gpt()
    before = [parameter.clone() for parameter in model.parameters()]
    check_overfits_one_batch(model, lambda model: next_token_loss(model(TOKENS), TOKENS), learning_rate=1e-2)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)), "the model is left as it is"
    shuffled = TOKENS.roll(1, dims=0)
    with pytest.raises(InvariantError, match=r"not below 0\.1"):
        check_overfits_one_batch(
            model,
            lambda model: next_token_loss(model(torch.zeros_like(TOKENS)), shuffled),
            steps=20,
            learning_rate=1e-2,
        )
