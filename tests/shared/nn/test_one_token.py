"""One token at a time: the numbers of the model's own forward pass, or that pass itself."""

from dataclasses import replace

import pytest
import torch

from shared.generation.decoding import generate
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.lora import LoRALayer
from shared.nn.one_token import SingleTokens

SMALL = GPTConfig(vocab_size=30, context=16, layers=2, heads=2, d_model=12, dropout=0.1)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def gpt(generator: torch.Generator, **changes: object) -> GPT:
    """A GPT with weights as large as in a trained model."""
    model = GPT(replace(SMALL, **changes), generator).eval()
    for parameter in model.parameters():
        parameter.data.mul_(8).add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model


@pytest.mark.parametrize("changes", [{}, {"positions": "sinusoidal"}, {"tie_weights": False, "heads": 3}])
@torch.inference_mode()
def test_the_logits_are_those_of_the_model(generator: torch.Generator, changes: dict):
    model = gpt(generator, **changes)
    fast, tokens = model.for_single_tokens(), torch.randint(30, (3, 16), generator=generator)
    assert isinstance(fast, SingleTokens)
    mask = torch.arange(16) >= torch.tensor([0, 2, 5])[:, None]
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    for seen, places in ((None, None), (mask, positions)):
        caches = model.new_cache(3), model.new_cache(3)
        for start, end in ((0, 6), *((place, place + 1) for place in range(6, 16))):
            theirs, ours = (
                compute(
                    tokens[:, start:end],
                    cache=cache,
                    mask=None if seen is None else seen[:, :end],
                    positions=None if places is None else places[:, start:end],
                )
                for compute, cache in zip((model, fast), caches, strict=True)
            )
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
        with pytest.raises(ValueError, match="takes 1 to 16 tokens; got 17"):
            fast(tokens[:, :1], cache=caches[1])


def test_generation_uses_it(generator: torch.Generator, monkeypatch: pytest.MonkeyPatch):
    model = gpt(generator)
    prompts = [[1, 2, 3], [4]]
    expected = generate(model, prompts, max_new_tokens=9, temperature=0, use_cache=False)
    calls, forward = [], GPT.forward
    monkeypatch.setattr(GPT, "forward", lambda *some, **rest: calls.append(1) or forward(*some, **rest))
    assert generate(model, prompts, max_new_tokens=9, temperature=0) == expected
    assert len(calls) == 1, "the prompt alone"


def test_what_is_no_plain_gpt_is_called_itself(generator: torch.Generator):
    assert isinstance(gpt(generator).for_single_tokens(), SingleTokens)
    training, post, adapted, watched, replaced = (gpt(generator, norm=norm) for norm in ("pre", "post", *3 * ["pre"]))
    training.train()
    adapted.blocks[1].feed_forward.expand = LoRALayer(adapted.blocks[1].feed_forward.expand)
    watched.blocks[0].attention.register_forward_hook(lambda *_: None)
    replaced.forward = watched.forward

    class Other(GPT):
        pass

    others = [training, post, adapted, watched, replaced, Other(SMALL).eval()]
    for model in others:
        assert model.for_single_tokens() is model
