"""The loss equals the library's, shifts once, and weighs every token the same."""

import math

import pytest
import torch
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel

from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import Batch, pad_rows
from shared.training.losses import (
    count_targets,
    evaluate_loss,
    language_model_loss,
    next_token_loss,
    perplexity,
    token_losses,
)

VOCAB = 11


def logits_and_tokens() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 6, VOCAB, generator=generator), torch.randint(VOCAB, (3, 6), generator=generator)


def test_loss_equals_transformers_own():
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=VOCAB, n_positions=8)).eval()
    _, tokens = logits_and_tokens()
    output = model(tokens, labels=tokens)
    torch.testing.assert_close(next_token_loss(output.logits, tokens), output.loss)


def test_loss_equals_cross_entropy_with_labels_shifted_by_hand():
    logits, tokens = logits_and_tokens()
    expected = functional.cross_entropy(logits[:, :-1].reshape(-1, VOCAB), tokens[:, 1:].reshape(-1))
    torch.testing.assert_close(next_token_loss(logits, tokens), expected)
    torch.testing.assert_close(next_token_loss(logits[:, :-1], tokens), expected)


def test_a_model_that_knows_the_next_token_has_no_loss():
    _, tokens = logits_and_tokens()
    logits = functional.one_hot(tokens.roll(-1, dims=1), VOCAB) * 100.0
    assert next_token_loss(logits, tokens).item() < 1e-6


def test_padding_has_no_loss_and_no_weight():
    logits, tokens = logits_and_tokens()
    mask = torch.arange(6) < torch.tensor([6, 3, 1])[:, None]
    losses = token_losses(logits, tokens, mask)
    assert not losses[~mask[:, 1:]].any()
    assert count_targets(tokens, mask) == 5 + 2 + 0
    alone = [token_losses(logits[:1], tokens[:1]).sum(), token_losses(logits[1:2, :3], tokens[1:2, :3]).sum()]
    torch.testing.assert_close(next_token_loss(logits, tokens, mask), sum(alone) / 7)


def test_what_is_masked_may_be_infinite():
    logits, tokens = logits_and_tokens()
    mask = torch.arange(6).expand(3, 6) < 4
    expected = next_token_loss(logits, tokens, mask)
    logits[:, 4] = math.inf  # scored against the masked token 5
    assert token_losses(logits, tokens).isnan().any()
    torch.testing.assert_close(next_token_loss(logits, tokens, mask), expected)


def test_a_gap_between_logits_that_softmax_rounds_to_nothing_is_a_finite_loss():
    logits = torch.tensor([[[0.0, 105.0]]])
    assert token_losses(logits, torch.tensor([[0, 0]])).item() == 105


def test_softmax_is_taken_in_float32():
    logits, tokens = logits_and_tokens()
    low = token_losses((logits * 4).bfloat16(), tokens)
    assert low.dtype is torch.float32
    torch.testing.assert_close(low, token_losses((logits * 4).bfloat16().float(), tokens))


def test_evaluation_weighs_tokens_not_batches():
    model = GPT(GPTConfig(vocab_size=VOCAB, context=16, layers=1, heads=2, d_model=8, dropout=0.5))
    rows = [[1, 2, 3, 4, 5, 6, 7, 8], [3, 1], [4, 1, 5, 9, 2, 6], [7, 7, 7]]
    together, targets = evaluate_loss(model, [pad_rows(rows)])
    apart, _ = evaluate_loss(model, [pad_rows(rows[:1]), pad_rows(rows[1:])])
    assert targets == sum(len(row) - 1 for row in rows)
    assert apart == pytest.approx(together, rel=1e-6)
    assert model.training, "the mode is put back"
    of_batches = [evaluate_loss(model, [pad_rows(part)])[0] for part in (rows[:1], rows[1:])]
    assert sum(of_batches) / 2 != pytest.approx(together, rel=1e-4), "the mean of means is another number"


def test_training_and_evaluation_agree():
    model = GPT(GPTConfig(vocab_size=VOCAB, context=5, layers=1, heads=2, d_model=8, dropout=0.0))
    _, tokens = logits_and_tokens()
    # Six tokens for a context of five: the last is only a target.
    total, count = language_model_loss(model, Batch(tokens, None))
    assert evaluate_loss(model, [Batch(tokens, None)])[0] == pytest.approx(total.item() / count)
    assert count == 15


def test_perplexity_of_a_fair_die_is_six():
    assert perplexity(math.log(6)) == pytest.approx(6)


@pytest.mark.parametrize("nats", [math.nan, math.inf, 1e5])
def test_a_loss_beyond_all_perplexities_is_refused(nats: float):
    with pytest.raises(ValueError, match=r"has no perplexity.*did training diverge"):
        perplexity(nats)


def test_nothing_to_predict_is_refused():
    with pytest.raises(ValueError, match=r"two real tokens in a row; got tokens \(2, 1\)"):
        next_token_loss(torch.zeros(2, 1, VOCAB), torch.zeros(2, 1, dtype=torch.long))
    with pytest.raises(ValueError, match="got none"):
        evaluate_loss(GPT(GPTConfig(vocab_size=3, layers=1, heads=1, d_model=2)), [])
