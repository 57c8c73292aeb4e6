"""Pictures before words in sprint 22: the model, its equals in transformers, what goes wrong, and notes 7 and 10."""

from types import ModuleType

import pytest
import torch
from lesson_texts import lesson_texts

from shared.checks.invariants import check_cache, check_causality
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.vision_config import VisionConfig
from shared.nn.vision_transformer import VisionTransformer
from shared.training.losses import next_token_loss

SPRINT = "22_pictures_and_words"
PAGE, note = lesson_texts(SPRINT)
VISION = VisionConfig(picture=12, patch=4, layers=2, heads=2, d_model=12)  # nine patches
TEXT = GPTConfig(vocab_size=53, context=32, layers=2, heads=4, d_model=16, dropout=0.0)
END = 0


@pytest.fixture
def seeing(load_sprint):
    """Return a function that loads a module of the sprint's package."""
    return lambda name: load_sprint(f"{SPRINT}/seeing/{name}.py")


def perturb(model: torch.nn.Module, generator: torch.Generator) -> torch.nn.Module:
    """Move every parameter off its start, so that none can be forgotten unseen."""
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def build(vision_language: ModuleType, generator: torch.Generator, skipped: int | None = None):
    encoder, gpt = VisionTransformer(VISION, generator), GPT(TEXT, generator)
    projector = vision_language.Projector(VISION.d_model, TEXT.d_model, generator)
    return perturb(vision_language.VisionLanguageModel(encoder, projector, gpt, skipped), generator)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def pictures(generator) -> torch.Tensor:
    return torch.randn(3, 3, 12, 12, generator=generator)


@pytest.fixture
def tokens(generator) -> torch.Tensor:
    return torch.randint(1, TEXT.vocab_size, (3, 7), generator=generator)


def test_a_vision_language_model_keeps_the_invariants_and_sees(seeing, generator, pictures, tokens):
    model = build(seeing("vision_language"), generator)
    assert torch.equal(model(pictures, tokens), model.behind(pictures)(tokens))
    check_causality(model.behind(pictures), tokens, vocab_size=TEXT.vocab_size)
    check_cache(model.behind(pictures), tokens)
    assert model.prefixes(pictures).shape == (3, 9, 16)
    # Every patch of a picture reaches every logit of its own text, and no other text.
    changed = pictures.clone()
    changed[1, :, 8:, 8:] += 1
    moved = (model(changed, tokens) - model(pictures, tokens)).abs().amax(dim=-1)
    assert moved[1].min() > 1e-4
    assert moved[[0, 2]].max() == 0


def test_skipped_blocks_and_errors(seeing, generator, pictures):
    vision_language = seeing("vision_language")
    model = build(vision_language, generator, 1)
    expected = model.encoder.blocks[0](model.encoder.embed(pictures))[:, 1:]
    torch.testing.assert_close(model.features(pictures), expected)
    whole = build(vision_language, generator)
    torch.testing.assert_close(whole.features(pictures), whole.encoder(pictures)[:, 1:])
    with pytest.raises(ValueError, match="the encoder has 2 blocks; got skipped_blocks=3"):
        build(vision_language, generator, 3)
    small = GPT(GPTConfig(vocab_size=5, context=9, layers=1, heads=1, d_model=4))
    with pytest.raises(ValueError, match="fit into the 9 places of the model, got 9 vectors and at least 1 tokens"):
        vision_language.VisionLanguageModel(model.encoder, vision_language.Projector(12, 4), small)


def test_captions_and_answers_are_scored_and_nothing_else(seeing, generator, pictures):
    vision_language = seeing("vision_language")
    batch = vision_language.with_captions(pictures[:2], [[5, 6, 7], [8]], END)
    assert batch.tokens.tolist() == [[0, 5, 6, 7, 0], [0, 8, 0, 0, 0]]
    assert batch.scored.tolist() == [[True] * 5, [True] * 3 + [False] * 2]
    batch = vision_language.with_answers(pictures[:2], [[5, 6, 7], [8]], [[9], [3, 4]], END)
    assert batch.tokens.tolist() == [[0, 5, 6, 7, 9, 0], [0, 8, 3, 4, 0, 0]]
    scored = [row[kept].tolist() for row, kept in zip(batch.tokens, batch.scored, strict=True)]
    assert scored == [[9, 0], [3, 4, 0]]
    model = build(vision_language, generator)
    loss, count = vision_language.text_loss(model, batch)
    assert count == 5
    with torch.no_grad():
        alone = sum(
            -model(picture[None], torch.tensor([row]))[0].log_softmax(-1)[place, target]
            for picture, row, targets in (
                (pictures[0], [0, 5, 6, 7, 9], ((3, 9), (4, 0))),
                (pictures[1], [0, 8, 3, 4], ((1, 3), (2, 4), (3, 0))),
            )
            for place, target in targets
        )
    torch.testing.assert_close(loss, alone, atol=1e-4, rtol=0)
    assert batch.to(torch.device("cpu")).tokens is batch.tokens


def test_what_is_written_is_what_whole_passes_say(seeing, generator, pictures):
    model = build(seeing("vision_language"), generator)
    prompts = [[END], [END, 7, 9], [END, 4]]
    written = model.write(pictures, prompts, max_new_tokens=8, end_token=END)
    for picture, prompt, row in zip(pictures, prompts, written, strict=True):
        text = list(prompt)
        for _ in range(8):
            text.append(int(model(picture[None], torch.tensor([text]))[0, -1].argmax()))
            if text[-1] == END:
                break
        expected = [token for token in text[len(prompt) :] if token != END]
        assert row == expected
    assert len({tuple(row) for row in written}) == 3
    with pytest.raises(ValueError, match="exceed the context of 23"):
        model.write(pictures, prompts, max_new_tokens=21, end_token=END)


def test_attention_to_patches_is_what_the_model_attends_by(seeing, generator, pictures, tokens):
    model = build(seeing("vision_language"), generator)
    looked = model.attention_to_patches(pictures, tokens)
    assert looked.shape == (3, 2, 4, 7, 9)
    assert 0 < looked.sum(dim=-1).max() < 1
    gpt = model.gpt.to_transformers()
    gpt.set_attn_implementation("eager")
    vectors = torch.cat([model.prefixes(pictures), gpt.transformer.wte(tokens)], dim=1)
    theirs = gpt(inputs_embeds=vectors, output_attentions=True).attentions
    expected = torch.stack([weights[:, :, 9:, :9] for weights in theirs], dim=1)
    torch.testing.assert_close(looked, expected, atol=1e-5, rtol=0)


def test_every_parameter_learns_and_a_picture_is_learnt(seeing, generator, pictures):
    vision_language = seeing("vision_language")
    model = build(vision_language, generator).train()
    batch = vision_language.with_captions(pictures, [[5, 6, 7], [8], [9, 9]], END)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        loss, count = vision_language.text_loss(model, batch)
        optimizer.zero_grad()
        (loss / count).backward()
        optimizer.step()
        losses.append(loss.item() / count)
    # The class token is left out, but the patches have looked at it.
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    assert losses[-1] < 0.1 < losses[0]
    written = model.eval().write(pictures, [[END]] * 3, max_new_tokens=6, end_token=END)
    assert written == [[5, 6, 7], [8], [9, 9]]
    # Without the picture nothing could tell the three apart.
    assert next_token_loss(model.gpt(batch.tokens[:, :-1]), batch.tokens, batch.scored) > 0.4
