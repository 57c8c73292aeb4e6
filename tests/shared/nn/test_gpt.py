"""GPT is GPT-2: the same size, the same logits, the same text."""

import math
from dataclasses import FrozenInstanceError

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from shared.checks.invariants import check_cache, check_causality, check_padding_invariance
from shared.checks.sanity import check_gradients, check_initial_loss
from shared.generation.decoding import generate
from shared.nn.gpt import GPT, GPTConfig
from shared.training.losses import next_token_loss

SMALL = GPTConfig(vocab_size=61, context=32, layers=2, heads=4, d_model=16, dropout=0.0)
VARIANTS = {
    "gpt2": SMALL,
    "sinusoidal": GPTConfig(**{**vars(SMALL), "positions": "sinusoidal"}),
    "post-norm": GPTConfig(**{**vars(SMALL), "norm": "post"}),
    "untied": GPTConfig(**{**vars(SMALL), "tie_weights": False}),
}


@pytest.fixture(params=VARIANTS)
def model(request: pytest.FixtureRequest) -> GPT:
    return GPT(VARIANTS[request.param], torch.Generator().manual_seed(0)).eval()


def tokens(batch: int = 2, length: int = 10, seed: int = 0) -> torch.Tensor:
    return torch.randint(SMALL.vocab_size, (batch, length), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("vocab_size", "end"), [(61, 0), (50_257, 50_256)])
def test_exported_models_know_their_end_token(vocab_size: int, end: int):
    theirs = GPT(GPTConfig(vocab_size=vocab_size, context=4, layers=1, heads=1, d_model=2)).to_transformers()
    assert (theirs.config.bos_token_id, theirs.config.eos_token_id) == (end, end)
    assert not theirs.training


def test_a_cache_has_room_for_the_context_unless_told_and_the_type_of_the_weights():
    model = GPT(SMALL).bfloat16()
    for cache, room in ((model.new_cache(3), 32), (model.new_cache(3, 7), 7)):
        assert len(cache) == SMALL.layers
        assert cache[0].keys.shape == (3, 4, room, 4)
        assert cache[0].keys.dtype is torch.bfloat16


def test_features_are_dropped_in_training():
    model = GPT(GPTConfig(**{**vars(SMALL), "dropout": 0.5, "attention_dropout": 0.0}))
    dropped = model.dropout(torch.ones(1000)) == 0
    assert 0.3 < dropped.float().mean() < 0.7
    assert model.blocks[0].dropout.p == 0.5
    assert model.blocks[0].feed_forward.dropout.p == 0, "GPT-2 drops what a part adds, not hidden features"


def test_there_and_back_again_changes_nothing():
    ours = GPT(GPTConfig(**{**vars(SMALL), "d_hidden": 40, "tie_weights": False})).eval()
    theirs = ours.to_transformers()
    with torch.no_grad():
        torch.testing.assert_close(theirs(tokens()).logits, ours(tokens()), atol=1e-5, rtol=0)
    again = GPT.from_transformers(theirs)
    assert again.config == ours.config
    for name, parameter in ours.state_dict().items():
        assert torch.equal(again.state_dict()[name], parameter), name


def test_every_variant_keeps_the_invariants(model: GPT):
    check_causality(model, tokens(), vocab_size=SMALL.vocab_size)
    check_cache(model, tokens())
    loss = next_token_loss(model(tokens()), tokens())
    check_initial_loss(loss.item(), SMALL.vocab_size)
    check_gradients(model, next_token_loss(model(tokens(8, 32)), tokens(8, 32)))


def test_initial_weights_are_gpt2s():
    model = GPT(GPTConfig(vocab_size=500, context=64, layers=8, heads=4, d_model=64))
    assert model.token_embedding.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert model.blocks[0].attention.qkv.weight.std().item() == pytest.approx(0.02, rel=0.05)
    for residual in (model.blocks[3].attention.output, model.blocks[3].feed_forward.contract):
        assert residual.weight.std().item() == pytest.approx(0.02 / math.sqrt(16), rel=0.05)
        assert not residual.bias.any()


def test_same_generator_same_weights():
    one, two = (GPT(SMALL, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert one.head.weight is one.token_embedding.weight


def test_left_padding_changes_nothing(model: GPT):
    real, ids = tokens(1, 6), torch.cat([torch.zeros(1, 3, dtype=torch.long), tokens(1, 6)], dim=1)
    mask = torch.arange(9)[None] >= 3
    positions = (torch.arange(9)[None] - 3).clamp(min=0)
    padded = model(ids, mask=mask, positions=positions)[:, 3:]
    torch.testing.assert_close(padded, model(real), atol=1e-5, rtol=0)
    check_padding_invariance(
        lambda ids, mask: model(ids, mask=mask, positions=positions), ids, mask, vocab_size=SMALL.vocab_size
    )


@pytest.mark.parametrize("length", [0, 33])
def test_wrong_lengths_are_refused(length: int):
    with pytest.raises(ValueError, match=rf"1 to 32 tokens; got {length}"):
        GPT(SMALL)(torch.zeros(1, length, dtype=torch.long))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(({name: 0}, f"{name}=0") for name in ("vocab_size", "context", "layers", "heads", "d_model")),
        ({"heads": 3}, "d_model=16, heads=3"),
        ({"dropout": 1.0}, "got 1.0"),
        ({"attention_dropout": -0.1}, "got -0.1"),
        ({"dropout": -0.1}, "got -0.1"),
        ({"embedding_dropout": 1.0}, "got 1.0"),
        ({"attention_dropout": 1.0}, "got 1.0"),
        ({"positions": "none"}, "got 'none' and 'pre'"),
        ({"norm": "middle"}, "got 'learned' and 'middle'"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_wrong_configurations_are_refused(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        GPTConfig(**{**vars(SMALL), **change})


def test_the_smallest_gpt_has_one_of_everything():
    one = GPTConfig(vocab_size=1, context=1, layers=1, heads=1, d_model=1, dropout=0.0)
    assert GPT(one)(torch.zeros(1, 1, dtype=torch.long)).shape == (1, 1, 1)
    check_cache(GPT(GPTConfig(**{**vars(SMALL), "layers": 1})).eval(), tokens())


def test_the_size_of_a_gpt_cannot_be_changed_afterwards():
    with pytest.raises(FrozenInstanceError):
        SMALL.layers = 3  # ty: ignore[invalid-assignment] (that is the point)


@pytest.mark.parametrize("name", ["sinusoidal", "post-norm"])
def test_what_is_no_gpt2_is_not_exported(name: str):
    with pytest.raises(ValueError, match="is a GPT-2; this one has"):
        GPT(VARIANTS[name]).to_transformers()


def test_dropouts_of_attention_embedding_and_features_are_apart_and_survive_conversion():
    size = {"vocab_size": 9, "context": 8, "layers": 2, "heads": 2, "d_model": 8, "dropout": 0.3}
    config = GPTConfig(**size, attention_dropout=0.1, embedding_dropout=0.2)
    model = GPT(config)
    assert [block.attention.dropout for block in model.blocks] == [0.1, 0.1]
    assert [block.dropout.p for block in model.blocks] == [0.3, 0.3]
    assert model.dropout.p == 0.2
    theirs = model.to_transformers()
    assert (theirs.config.embd_pdrop, theirs.config.attn_pdrop, theirs.config.resid_pdrop) == (0.2, 0.1, 0.3)
    assert GPT.from_transformers(theirs).config == config
    alike = GPT(GPTConfig(**size))
    assert alike.blocks[0].attention.dropout == alike.dropout.p == 0.3, "by default as the features"
    assert not GPT.from_transformers(theirs.train()).training


def test_full_size_equals_transformers():
    torch.manual_seed(0)
    theirs = GPT2LMHeadModel(GPT2Config()).eval()
    ours = GPT.from_transformers(theirs)
    assert ours.config == GPTConfig(), "the defaults are GPT-2 small"
    assert ours.parameter_count() == 124_439_808
    ids = torch.randint(50_257, (2, 24), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=1e-4, rtol=0)
        prompt = ids[:1, :5]
        written = theirs.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=6, do_sample=False, pad_token_id=0
        )
    assert generate(ours, prompt.tolist(), max_new_tokens=6, temperature=0)[0] == written[0, 5:].tolist()
