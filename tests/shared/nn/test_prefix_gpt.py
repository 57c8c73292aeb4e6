"""A GPT reads vectors as it reads words, and what stands behind a prefix is a causal model."""

import pytest
import torch

from shared.checks.invariants import check_cache, check_causality, check_padding_invariance
from shared.generation.decoding import generate
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.prefix_gpt import PrefixGPT, read_vectors, refuse_if_too_long
from shared.training.losses import token_losses

CONFIG = GPTConfig(vocab_size=61, context=24, layers=2, heads=4, d_model=16, dropout=0.0)
LENGTH = 5


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def gpt(generator) -> GPT:
    model = GPT(CONFIG, generator)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4, generator=generator)
    return model.eval()


@pytest.fixture
def tokens(generator) -> torch.Tensor:
    return torch.randint(CONFIG.vocab_size, (3, 9), generator=generator)


@pytest.fixture
def prefix(generator) -> torch.Tensor:
    return torch.randn(3, LENGTH, CONFIG.d_model, generator=generator)


def test_vectors_are_read_as_gpt2_of_transformers_reads_them(gpt, prefix, tokens):
    theirs = gpt.to_transformers()
    vectors = prefix.clone().requires_grad_()
    logits = PrefixGPT(gpt, vectors)(tokens)
    again = prefix.clone().requires_grad_()
    inputs = torch.cat([again, theirs.transformer.wte(tokens)], dim=1)
    expected = theirs(inputs_embeds=inputs, use_cache=False).logits[:, LENGTH:]
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)
    token_losses(logits, tokens).mean().backward()
    token_losses(expected, tokens).mean().backward()
    torch.testing.assert_close(vectors.grad, again.grad, atol=1e-5, rtol=0)
    torch.testing.assert_close(gpt.token_embedding.weight.grad, theirs.transformer.wte.weight.grad, atol=1e-5, rtol=0)


def test_a_prefix_of_word_vectors_is_the_words(gpt, tokens):
    with torch.no_grad():
        whole = gpt(tokens)
        torch.testing.assert_close(read_vectors(gpt, gpt.token_embedding(tokens)), whole, atol=1e-5, rtol=0)
        behind = PrefixGPT(gpt, gpt.token_embedding(tokens[:, :4]))
        torch.testing.assert_close(behind(tokens[:, 4:]), whole[:, 4:], atol=1e-5, rtol=0)
        bare = PrefixGPT(gpt, torch.empty(3, 0, CONFIG.d_model))
        torch.testing.assert_close(bare(tokens), whole, atol=1e-5, rtol=0)
        same = PrefixGPT(gpt, gpt.token_embedding(tokens[:1, :4]))  # one prefix for all rows
        rows = torch.cat([tokens[:1, :4].expand(3, -1), tokens[:, 4:]], dim=1)
        torch.testing.assert_close(same(tokens[:, 4:]), gpt(rows)[:, 4:], atol=1e-5, rtol=0)


def test_what_stands_behind_a_prefix_keeps_the_invariants(gpt, prefix, tokens):
    behind = PrefixGPT(gpt, prefix)
    check_causality(behind, tokens, vocab_size=CONFIG.vocab_size)
    check_cache(behind, tokens)
    mask = torch.ones_like(tokens, dtype=torch.bool)
    mask[0, :4] = mask[2, :1] = False
    check_padding_invariance(
        lambda rows, real: behind(rows, mask=real), tokens, mask, vocab_size=CONFIG.vocab_size
    )  # fmt: skip


@pytest.mark.parametrize("use_cache", [True, False])
def test_prompts_of_different_lengths_are_continued_as_each_alone(gpt, prefix, use_cache: bool):
    prompts = [[7], [3, 9, 22, 4], [5, 5]]
    written = generate(
        PrefixGPT(gpt, prefix), prompts, max_new_tokens=6, temperature=0, use_cache=use_cache
    )  # fmt: skip
    for row, prompt in enumerate(prompts):
        text = list(prompt)
        for _ in range(6):  # whole passes over vectors and words
            words = gpt.token_embedding(torch.tensor([text]))
            text.append(int(read_vectors(gpt, torch.cat([prefix[row : row + 1], words], 1))[0, -1].argmax()))
        assert written[row] == text[len(prompt) :]


def test_dropout_and_room(gpt, prefix, tokens):
    dropped = GPT(GPTConfig(**{**vars(CONFIG), "embedding_dropout": 0.9}), torch.Generator().manual_seed(0))
    assert not torch.equal(read_vectors(dropped, prefix), read_vectors(dropped.eval(), prefix))
    behind = PrefixGPT(gpt, prefix)
    assert behind.config.context == CONFIG.context - LENGTH
    assert behind.new_cache(2)[0].keys.shape[2] == CONFIG.context
    assert behind.new_cache(2, 3)[0].keys.shape[2] == LENGTH + 3
    longest = tokens[:, :1].expand(-1, CONFIG.context - LENGTH)
    assert behind(longest).shape[1] == CONFIG.context - LENGTH
    with pytest.raises(ValueError, match="the 24 places of the model; got 25"):
        behind(tokens[:, :1].expand(-1, CONFIG.context - LENGTH + 1))
    with pytest.raises(ValueError, match="exceed the context of 19"):
        generate(behind, [[1]] * 3, max_new_tokens=19)


def test_prefixes_that_do_not_fit_are_refused(gpt):
    with pytest.raises(ValueError, match="as wide as the words, 16 numbers; got 8"):
        PrefixGPT(gpt, torch.zeros(1, 3, 8))
    with pytest.raises(ValueError, match="fit into the 24 places of the model, got 24 vectors and at least 1 tokens"):
        PrefixGPT(gpt, torch.zeros(1, 24, 16))
    refuse_if_too_long(gpt, 23)
    refuse_if_too_long(gpt, 14, 10)
    with pytest.raises(ValueError, match="got 14 vectors and at least 11 tokens: make the prefix shorter"):
        refuse_if_too_long(gpt, 14, 11)
