"""shared/generation/decoding.py: the text of transformers, of a naive loop and of each prompt alone; refusals."""

import pytest
import torch
from torch import Tensor

from shared.generation.decoding import generate, stream
from shared.nn.gpt import GPT, GPTConfig

CONFIG = GPTConfig(vocab_size=23, context=40, layers=2, heads=2, d_model=16, dropout=0.0, tie_weights=False)
PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11]]  # different lengths: padded and masked
VARIANTS = [{}, {"positions": "sinusoidal"}, {"norm": "post"}]


def make_model(**changes: object) -> GPT:
    model = GPT(GPTConfig(**{**vars(CONFIG), **changes}), torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        # Initial weights are so small that one token follows for ever, whatever comes before.
        for parameter in model.parameters():
            parameter.mul_(12 if parameter.dim() == 2 else 1)
    return model


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda changes: str(changes or "gpt2"))
def model(request: pytest.FixtureRequest) -> GPT:
    return make_model(**request.param)


@pytest.fixture(scope="module")
def gpt2() -> GPT:
    return make_model()


def naive(model: GPT, prompt: list[int], count: int) -> list[int]:
    """Greedy decoding as one writes it first: the whole text again for each token."""
    tokens = list(prompt)
    with torch.no_grad():
        for _ in range(count):
            tokens.append(int(model(torch.tensor([tokens]))[0, -1].argmax()))
    return tokens[len(prompt) :]


class Scripted(torch.nn.Module):
    """Follows a script: after t tokens of a row comes scripts[row][t], whatever they were. Keeps what it was given."""

    def __init__(self, scripts: list[list[int]]) -> None:
        super().__init__()
        self.anywhere = torch.nn.Parameter(torch.zeros(1))
        self.config = CONFIG
        self.scripts = torch.tensor(scripts)
        self.calls: list[dict[str, Tensor | None]] = []

    def new_cache(self, batch: int, max_tokens: int) -> dict[str, int]:
        return {"length": 0, "batch": batch, "room": max_tokens}

    def forward(
        self,
        tokens: Tensor,
        *,
        cache: dict[str, int] | None = None,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
    ) -> Tensor:
        assert torch.is_inference_mode_enabled()
        self.calls.append({"tokens": tokens, "mask": mask, "positions": positions})
        past = 0
        if cache is not None:
            past = cache["length"]
            cache["length"] += tokens.shape[1]
            assert cache["batch"] == len(tokens)
            assert cache["length"] <= cache["room"]
        total = past + tokens.shape[1]
        places = torch.arange(past, total).expand_as(tokens) if positions is None else positions
        return torch.nn.functional.one_hot(self.scripts.gather(1, places), CONFIG.vocab_size) * 50.0


# Agreement


def test_greedy_is_that_of_transformers(gpt2):
    theirs = gpt2.to_transformers()
    theirs.generation_config.eos_token_id = None
    for prompt in PROMPTS:
        ids = torch.tensor([prompt])
        settings = {"do_sample": False, "max_new_tokens": 30, "pad_token_id": 0}
        expected = theirs.generate(ids, attention_mask=torch.ones_like(ids), **settings)[0, len(prompt) :].tolist()
        assert len(set(expected)) > 3, "a text that repeats one token would prove nothing"
        assert generate(gpt2, [prompt], max_new_tokens=30, temperature=0) == [expected]


@pytest.mark.parametrize("use_cache", [True, False])
def test_greedy_is_a_naive_loop_for_each_prompt_alone(model, use_cache):
    expected = [naive(model, prompt, 30) for prompt in PROMPTS]
    assert generate(model, PROMPTS, max_new_tokens=30, temperature=0, use_cache=use_cache) == expected
    equally_long = [[prompt[0], 2] for prompt in PROMPTS]
    expected = [naive(model, prompt, 30) for prompt in equally_long]
    assert generate(model, equally_long, max_new_tokens=30, temperature=0, use_cache=use_cache) == expected


# Properties


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.7, "top_k": 5}, {"top_p": 0.8}])
@pytest.mark.parametrize("prompts", [PROMPTS, PROMPTS[:1]], ids=["batch", "alone"])
def test_the_cache_changes_no_token(model, settings, prompts):
    cached, uncached, other = (
        generate(
            model,
            prompts,
            max_new_tokens=30,
            use_cache=use_cache,
            generator=torch.Generator().manual_seed(seed),
            **settings,
        )
        for use_cache, seed in ((True, 3), (False, 3), (True, 4))
    )
    assert cached == uncached
    assert cached != other
    assert [len(row) for row in cached] == [30] * len(prompts)


def test_all_of_the_context_can_be_used(gpt2):
    assert generate(gpt2, [[1, 2]], max_new_tokens=38, temperature=0) == [naive(gpt2, [1, 2], 38)]


def test_rows_are_cut_at_the_end_token():
    end, endless, late, at_once = 22, list(range(10, 20)), [0, 0, 5, 6, 22, 7, 22, 8, 9, 9], [0, 22, *[1] * 8]
    model = Scripted([endless, late, at_once])
    rows = generate(model, [[1], [1, 1], [1, 1]], max_new_tokens=6, temperature=0, end_token=end)
    assert rows == [[10, 11, 12, 13, 14, 15], [0, 5, 6], []]
    assert generate(model, [[1], [1, 1], [1, 1]], max_new_tokens=6, temperature=0)[1] == [0, 5, 6, 22, 7, 22]


def test_no_token_is_computed_after_all_rows_have_ended():
    model = Scripted([[3, 22, 4, 4, 4, 4], [3, 4, 22, 4, 4, 4]])
    assert generate(model, [[1], [1]], max_new_tokens=5, temperature=0, end_token=22) == [[3], [3, 4]]
    assert len(model.calls) == 3


def test_a_step_reads_one_token_and_masks_only_if_it_must():
    model = Scripted([list(range(8))] * 2)
    generate(model, [[1, 1], [1, 1]], max_new_tokens=4, temperature=0)
    assert [call["tokens"].shape for call in model.calls] == [(2, 2), (2, 1), (2, 1), (2, 1)]
    assert all(call["mask"] is None and call["positions"] is None for call in model.calls)
    model.calls.clear()
    generate(model, [[9, 9, 9], [8]], max_new_tokens=3, temperature=0)
    masks = [call["mask"].int().tolist() for call in model.calls]
    assert masks == [[[1, 1, 1], [0, 0, 1]], [[1, 1, 1, 1], [0, 0, 1, 1]], [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]]]
    assert [call["positions"].tolist() for call in model.calls] == [[[0, 1, 2], [0, 0, 0]], [[3], [1]], [[4], [2]]]


def test_stream_yields_what_generate_returns(gpt2):
    settings = {"max_new_tokens": 12, "temperature": 1.3}
    streamed = list(stream(gpt2, PROMPTS, generator=torch.Generator().manual_seed(0), **settings))
    rows = generate(gpt2, PROMPTS, generator=torch.Generator().manual_seed(0), **settings)
    assert [list(row) for row in zip(*streamed, strict=True)] == rows


def test_inference_mode_stays_inside(gpt2):
    for _ in stream(gpt2, [[1]], max_new_tokens=2):
        assert not torch.is_inference_mode_enabled()
        assert (gpt2.head.weight * 1).requires_grad
    assert not torch.is_inference_mode_enabled()


# Errors


@pytest.mark.parametrize(
    ("prompts", "max_new_tokens", "message"),
    [
        ([], 5, "prompts of at least one token each"),
        ([[1], []], 5, "prompts of at least one token each"),
        ([[1], [1, 2, 3]], 38, "a prompt of 3 tokens and 38 new ones exceed the context of 40"),
        ([[1]], 0, "max_new_tokens must be at least 1, got 0"),
    ],
)
def test_impossible_requests_are_refused(gpt2, prompts, max_new_tokens, message):
    with pytest.raises(ValueError, match=message):
        generate(gpt2, prompts, max_new_tokens=max_new_tokens)


def test_bad_settings_are_refused(gpt2):
    with pytest.raises(ValueError, match="top_p must be above 0 and at most 1, got 2"):
        generate(gpt2, [[1]], max_new_tokens=1, top_p=2)
