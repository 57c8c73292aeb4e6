"""Each sanity check accepts a sound model and names the fault of one that is broken on purpose."""

import math

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from shared.checks.invariants import InvariantError
from shared.checks.sanity import check_gradients, check_initial_loss, check_overfits_one_batch, check_reported_loss
from shared.nn.gpt import GPT, GPTConfig
from shared.training.losses import next_token_loss

VOCAB = 13
TOKENS = torch.randint(VOCAB, (4, 8), generator=torch.Generator().manual_seed(0))


def gpt(**changes) -> GPT:
    settings = {"vocab_size": VOCAB, "context": 16, "layers": 2, "heads": 2, "d_model": 16, "dropout": 0.0} | changes
    return GPT(GPTConfig(**settings), torch.Generator().manual_seed(0)).eval()


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


def test_the_loss_of_transformers_is_right_unless_its_labels_are_shifted_by_hand():
    torch.manual_seed(0)
    theirs = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=VOCAB, n_positions=8)).eval()
    theirs.lm_head.weight.data *= 30  # so that the figures differ
    with torch.no_grad():
        right = theirs(TOKENS, labels=TOKENS).loss.item()
        wrong = theirs(TOKENS[:, :-1], labels=TOKENS[:, 1:]).loss.item()
    check_reported_loss(right, lambda tokens: theirs(tokens).logits, TOKENS)
    with pytest.raises(InvariantError, match="labels are shifted twice"):
        check_reported_loss(wrong, lambda tokens: theirs(tokens).logits, TOKENS)


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
