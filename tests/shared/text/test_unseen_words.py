"""Words that pre-training never showed."""

import pytest
import torch

from shared.nn.pretrained import load_causal_model
from shared.text.cookbook import Cookbook
from shared.text.unseen_words import renew, unseen_tokens


@pytest.fixture
def embedding() -> torch.Tensor:
    """Forty vectors, of which those of tokens 3, 7 and 39 were pushed the same way."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(40, 16, generator=generator)
    weight[[3, 7, 39]] = torch.randn(16, generator=generator) + 0.001 * torch.randn(3, 16, generator=generator)
    return weight


def test_vectors_that_were_pushed_the_same_way_are_found(embedding: torch.Tensor):
    assert unseen_tokens(embedding).tolist() == [3, 7, 39]
    assert unseen_tokens(7 * embedding).tolist() == [3, 7, 39], "lengths do not count"
    many = torch.cat([torch.randn(3000, 16, generator=torch.Generator().manual_seed(1)), embedding[:8]])
    assert unseen_tokens(many, 0.999).tolist() == [3003, 3007], "over the limits of the pieces too"


def test_only_these_get_new_vectors_near_the_mean(embedding: torch.Tensor):
    before, tokens = embedding.clone(), torch.tensor([3, 7, 39])
    renew(embedding, tokens, torch.Generator().manual_seed(0))
    assert (embedding != before).any(dim=1).nonzero()[:, 0].tolist() == [3, 7, 39]
    assert unseen_tokens(embedding).numel() == 0
    others = torch.ones(40, dtype=torch.bool).index_fill_(0, tokens, False)
    mean, deviation = before[others].mean(dim=0), before[others].std(dim=0)
    away = (embedding[tokens] - mean) / deviation
    assert away.square().mean().sqrt().item() == pytest.approx(0.3, abs=0.06)
    renew(again := before.clone(), tokens, torch.Generator().manual_seed(0))
    assert torch.equal(again, embedding), "same seed, same vectors"


def test_the_shipped_model_has_never_read_half_of_its_tokens():
    model, tokenizer = load_causal_model("cookbook")
    unseen = set(unseen_tokens(model.get_input_embeddings().get_parameter("weight")).tolist())
    read = (tokenizer.encode(Cookbook().recipe("train", index).text) for index in range(300))
    assert not unseen.intersection(token for ids in read for token in ids)
    assert 0.4 < len(unseen) / len(tokenizer) < 0.6
