"""Pictures before words in sprint 22: the model, its equals in transformers, what goes wrong, and notes 7 and 10."""

import copy
import math
from types import ModuleType

import pytest
import torch
from lesson_texts import lesson_texts, shown

from shared.checks.invariants import InvariantError, check_cache, check_causality
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


def perturb(model, generator: torch.Generator):
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
    assert model.vectors(pictures).shape == (3, 9, 16)
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
    vectors = torch.cat([model.vectors(pictures), gpt.transformer.wte(tokens)], dim=1)
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


def grads_as_weights(llava: ModuleType, theirs: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return their gradients under our names: the conversion, given gradients where weights were."""
    copied = copy.deepcopy(theirs)
    for twin, parameter in zip(copied.parameters(), theirs.parameters(), strict=True):
        twin.data = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    return llava.from_llava(copied).state_dict()


@pytest.mark.parametrize(("kind", "skipped", "tied"), [("vit", 0, True), ("clip", 1, False)])
def test_the_assembled_model_is_llava(seeing, generator, pictures, tokens, kind: str, skipped: int, tied: bool):
    vision_language, llava = seeing("vision_language"), seeing("llava")
    encoder = VisionTransformer(VisionConfig(**{**vars(VISION), "kind": kind}), generator)
    gpt = GPT(GPTConfig(**{**vars(TEXT), "tie_weights": tied}), generator)
    projector = vision_language.Projector(VISION.d_model, TEXT.d_model, generator)
    ours = perturb(vision_language.VisionLanguageModel(encoder, projector, gpt, skipped), generator)
    theirs = llava.to_llava(ours, 52)
    tokens = tokens % 52
    inputs = llava.with_picture_places(tokens, 9, 52)
    scored = torch.ones_like(tokens, dtype=torch.bool)
    scored[:, :3] = False
    loss, count = vision_language.text_loss(ours, vision_language.PictureTexts(pictures, tokens, scored))
    labels = torch.cat([torch.full((3, 9), -100), tokens.where(scored, -100)], dim=1)
    output = theirs(input_ids=inputs, pixel_values=pictures, labels=labels, use_cache=False)
    torch.testing.assert_close(ours(pictures, tokens), output.logits[:, 9:], atol=1e-5, rtol=0)
    torch.testing.assert_close(loss / count, output.loss, atol=1e-5, rtol=0)
    (loss / count).backward()
    output.loss.backward()
    expected = grads_as_weights(llava, theirs)
    for name, parameter in ours.named_parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(
            gradient, expected[name], atol=1e-5, rtol=0, msg=lambda text, name=name: f"{name}: {text}"
        )
    again = llava.from_llava(theirs)
    assert not theirs.config.text_config.tie_word_embeddings, "theirs stays as it is"
    assert (again.gpt.config, again.skipped_blocks) == (ours.gpt.config, ours.skipped_blocks)
    assert all(torch.equal(again.state_dict()[name], weight) for name, weight in ours.state_dict().items())


def test_llava_writes_the_same_with_padding_on_the_left(seeing, generator, pictures):
    model, llava = build(seeing("vision_language"), generator, 1), seeing("llava")
    theirs = llava.to_llava(model, 52)
    prompts = [[END], [END, 7, 9], [END, 4]]
    written = model.write(pictures, prompts, max_new_tokens=6, end_token=END)
    rows = [llava.with_picture_places(torch.tensor([prompt]), 9, 52)[0] for prompt in prompts]
    inputs = torch.nn.utils.rnn.pad_sequence(rows, True, padding_value=END, padding_side="left")
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], True, padding_side="left")
    options = {
        "attention_mask": mask,
        "max_new_tokens": 6,
        "do_sample": False,
        "eos_token_id": END,
        "pad_token_id": END,
    }
    found = theirs.generate(input_ids=inputs, pixel_values=pictures, **options)[:, inputs.shape[1] :]
    for row, expected in zip(found.tolist(), written, strict=True):
        assert (row[: row.index(END)] if END in row else row) == expected


def test_what_llava_cannot_be_is_refused(seeing, generator):
    vision_language, llava = seeing("vision_language"), seeing("llava")
    with pytest.raises(ValueError, match="before the last norm"):
        llava.to_llava(build(vision_language, generator), 52)
    model = build(vision_language, generator, 1)
    with pytest.raises(ValueError, match="one of the 53 tokens; got 53"):
        llava.to_llava(model, 53)
    with pytest.raises(ValueError, match="must not have the picture token; got 5"):
        llava.with_picture_places(torch.tensor([[3, 5]]), 9, 5)
    theirs = llava.to_llava(model, 52)
    theirs.config.vision_feature_select_strategy = "full"
    with pytest.raises(ValueError, match=r"without the class token.*'full'"):
        llava.from_llava(theirs)
    theirs.config.text_config.model_type = "llama"
    with pytest.raises(ValueError, match="got 'llama'"):
        llava.from_llava(theirs)
    model.projector = torch.nn.Linear(12, 16)
    with pytest.raises(ValueError, match="a projector of two layers; got a Linear"):
        llava.to_llava(model, 52)


def beside(seeing, generator, **options):
    """Return a model that looks at pictures beside its text, at its start."""
    vision_language, cross = seeing("vision_language"), seeing("cross_attention")
    encoder, gpt = VisionTransformer(VISION, generator), GPT(TEXT, generator).eval()
    perturb(gpt, generator)
    projector = vision_language.Projector(VISION.d_model, TEXT.d_model, generator)
    return cross.CrossAttentionModel(encoder, projector, gpt, generator=generator, **options).eval()


@pytest.mark.parametrize("every", [1, 2])
def test_gated_blocks_start_as_the_gpt_bit_for_bit_and_learn(seeing, generator, pictures, tokens, every: int):
    model = beside(seeing, generator, every=every)
    assert len(model.gated) == 2 // every
    assert torch.equal(model(pictures, tokens), model.gpt(tokens))
    batch = seeing("vision_language").with_captions(pictures, [[5, 6, 7], [8], [9, 9]], END)
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-2, weight_decay=0)
    for step in range(3):
        loss, _ = seeing("vision_language").text_loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:  # behind a closed gate nothing moves yet
            moving = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
            assert moving == {name for name, _ in model.named_parameters() if name.endswith("_gate")}
        optimizer.step()
    moved = {name for name, weight in model.state_dict().items() if not torch.equal(weight, before[name])}
    assert moved == {name for name in before if not name.startswith("gpt.")}


def test_gated_blocks_keep_the_invariants_and_see(seeing, generator, pictures, tokens):
    model = perturb(beside(seeing, generator), generator)
    check_causality(model.behind(pictures), tokens, vocab_size=TEXT.vocab_size)
    check_cache(model.behind(pictures), tokens)
    changed = pictures.clone()
    changed[1, :, 8:, 8:] += 1
    moved = (model(changed, tokens) - model(pictures, tokens)).abs().amax(dim=-1)
    assert moved[1].min() > 1e-4
    assert moved[[0, 2]].max() == 0
    prompts = [[END], [END, 7, 9], [END, 4]]
    written = model.write(pictures, prompts, max_new_tokens=5, end_token=60)
    alone = [
        model.write(picture[None], [prompt], max_new_tokens=5, end_token=60)[0]
        for picture, prompt in zip(pictures, prompts, strict=True)
    ]
    assert written == alone
    one = model.behind(pictures[:1])  # one picture for several texts
    torch.testing.assert_close(one(tokens)[1], model(pictures[:1], tokens[1:2])[0], atol=1e-5, rtol=0)
    looked = model.attention_to_patches(pictures, tokens)
    assert looked.shape == (3, 2, 4, 7, 9)
    torch.testing.assert_close(looked.sum(-1), torch.ones(3, 2, 4, 7))
    # A picture takes no place of the text.
    assert model.behind(pictures).config.context == model.behind(pictures).new_cache(3)[0].keys.shape[2] == 32
    with pytest.raises(ValueError, match="takes 32 tokens; got 33"):
        model(pictures[:1], tokens[:1, :1].expand(1, 33))
    with pytest.raises(ValueError, match="every must be at least 1"):
        beside(seeing, generator, every=0)


def test_a_gated_block_is_its_formula(seeing, generator):
    block = perturb(seeing("cross_attention").GatedCrossAttention(16, 4), generator)
    theirs = torch.nn.MultiheadAttention(16, 4, batch_first=True)
    names = {"qkv": "in_proj_", "output": "out_proj."}
    weights = block.attention.state_dict().items()
    theirs.load_state_dict({names[name.split(".")[0]] + name.split(".")[1]: weight for name, weight in weights})
    x, picture = torch.randn(2, 5, 16, generator=generator), torch.randn(2, 9, 16, generator=generator)
    y = x + torch.tanh(block.attention_gate) * theirs(block.attention_norm(x), picture, picture)[0]
    hidden = torch.nn.functional.gelu(block.feed_forward.expand(block.feed_forward_norm(y)))
    expected = y + torch.tanh(block.feed_forward_gate) * block.feed_forward.contract(hidden)
    torch.testing.assert_close(block(x, picture), expected, atol=1e-5, rtol=0)


def test_note_7_two_patches_by_hand(load_sprint):
    script = load_sprint(f"{SPRINT}/projector_by_hand.py")
    results = script.main(script.Config())
    for row in (*results.patches, *results.hidden):
        assert f"({row[0]:g}, {row[1]:g})".replace("-", "−") in note(7)
    for row in (*results.active, *results.vectors):
        assert f"({row[0]:.3f}, {row[1]:.3f})".replace("-", "−") in note(7)
    assert len(results.read) == len(script.TARGETS) == 5
    script.plot(results)
    projector = torch.nn.Sequential(torch.nn.Linear(128, 192), torch.nn.Linear(192, 192))
    assert f"{sum(weight.numel() for weight in projector.parameters()):,} numbers" in note(7)
    shown(note(7), torch.tensor(0.5).tanh().item())
    assert (336 // 14) ** 2 == (48 // 2) ** 2 == 576
    assert "576 vectors" in note(7)


def test_note_7_more_patches_than_places(seeing):
    vision_language = seeing("vision_language")
    encoder = VisionTransformer(VisionConfig(picture=48, patch=2, layers=1, heads=1, d_model=4))
    gpt = GPT(GPTConfig(vocab_size=5, context=256, layers=1, heads=1, d_model=4))
    with pytest.raises(ValueError, match="256 places of the model, got 576 vectors and at least 1 tokens: make the"):
        vision_language.VisionLanguageModel(encoder, vision_language.Projector(4, 4), gpt)


def test_note_10_masks_by_hand(load_sprint):
    script = load_sprint(f"{SPRINT}/masks_by_hand.py")
    results = script.main(script.Config())
    counted = {mask: (len(results.copied[mask]), len(results.copied_twice[mask])) for mask in script.MASKS}
    assert [*counted.values()] == [(0, 0), (0, 0), (3, 3), (0, 4), (4, 4)]
    assert "3 of 4 words see themselves" in note(10)
    assert "After two layers all 4 are known" in note(10)
    shown(note(10), results.floor, math.log(2))
    assert results.floor == pytest.approx(math.log(2))
    script.plot(results)


def test_the_exercises_on_paper():
    assert "1,472 places" in PAGE
    assert 2048 - 576 == 1472
    assert f"{1024 * 4096 + 4096 + 4096 * 4096 + 4096:,} numbers" in PAGE
    pairs = [places * (places + 1) // 2 for places in (64, 64 + 576)]
    assert all(f"{number:,}" in PAGE for number in pairs)
    shown(PAGE, pairs[1] / pairs[0], form=".1f")


def test_equals_llava_finds_every_fault_when_perturbed(load_sprint):
    script = load_sprint(f"{SPRINT}/equals_llava.py")
    results = script.main(script.Config())
    for found in results.right.values():
        assert max(vars(found).values()) < 1e-5
    assert all(row["perturbed"] > 1e-4 for row in results.faulty.values())
    assert [name for name, row in results.faulty.items() if row["as drawn"] < 1e-5] == ["GELU by its tanh formula"]


@pytest.mark.parametrize(
    ("fault", "leaks"),
    [
        ("as it must be", False),
        ("patches see all patches", False),
        ("words in the patches' region", True),
        ("patches see the words", True),
        ("padding mask alone", True),
    ],
)
def test_masks_leak_as_note_10_says_and_the_check_of_causality_finds_it(
    seeing, generator, pictures, tokens, fault: str, leaks: bool
):
    leaking, model = seeing("leaking"), build(seeing("vision_language"), generator)
    vectors = model.vectors(pictures)

    def logits_of(rows: torch.Tensor) -> torch.Tensor:
        mask = leaking.visible(fault, 9, torch.ones_like(rows, dtype=torch.bool))
        both = torch.cat([vectors, model.gpt.token_embedding(rows)], dim=1)
        return leaking.read_with(model.gpt, both, mask)[:, 9:]

    if fault == "as it must be":
        torch.testing.assert_close(logits_of(tokens), model(pictures, tokens), atol=1e-5, rtol=0)
    if not leaks:
        check_causality(logits_of, tokens, vocab_size=TEXT.vocab_size)
        return
    with pytest.raises(InvariantError, match="reads the future"):
        check_causality(logits_of, tokens, vocab_size=TEXT.vocab_size)


def test_a_padding_mask_hides_padding(seeing):
    real = torch.tensor([[True, True, False]])
    seen = seeing("leaking").visible("padding mask alone", 1, real)[0, 0].tolist()
    assert seen == [[True, True, True, False]] * 4
    assert seeing("leaking").visible("as it must be", 1, real)[0, 0, -1].tolist() == [True, True, True, False]


def test_labels_of_faulty_losses(seeing, generator, pictures):
    vision_language, leaking = seeing("vision_language"), seeing("leaking")
    model = build(vision_language, generator)
    batch = vision_language.with_captions(pictures, [[5, 6, 7], [8], [9, 9]], END)
    right, count = vision_language.text_loss(model, batch)
    same, same_count = leaking.faulty_loss("as it must be")(model, batch)
    torch.testing.assert_close(same, right, atol=1e-4, rtol=0)
    assert same_count == count == 9
    scores = model(pictures, batch.tokens).log_softmax(-1)
    # Not shifted: every read token is asked for again. Shifted twice: the one after the next.
    rows = [[0, 5, 6, 7, 0], [0, 8, 0], [0, 9, 9, 0]]
    for fault, ahead, terms in (("labels not shifted", 0, 9), ("labels shifted twice", 2, 6)):
        loss, count = leaking.faulty_loss(fault)(model, batch)
        expected = -sum(
            scores[number, place, row[place + ahead]]
            for number, row in enumerate(rows)
            for place in range(len(row) - 1 - max(0, ahead - 1))
        )
        torch.testing.assert_close(loss, expected, atol=1e-4, rtol=0)
        assert count == terms


def test_wrong_places(seeing, generator, pictures):
    vision_language, places = seeing("vision_language"), seeing("wrong_places")
    model = build(vision_language, generator)
    expected = {
        "as in training": [0, 1, 2, 3, 4],
        "text begins at 0 again": [0, 1, 0, 1, 2],
        "all patches at 0": [0, 0, 2, 3, 4],
        "patches backwards": [1, 0, 2, 3, 4],
        "text 8 later": [0, 1, 10, 11, 12],
    }
    assert {kind: places.position_ids(kind, 2, 3)[0].tolist() for kind in places.POSITIONS} == expected
    batch = vision_language.with_captions(pictures, [[5, 6, 7], [8], [9, 9]], END)
    nats = places.by_positions(model, [batch, batch])
    assert nats["as in training"] == pytest.approx(vision_language.text_loss(model, batch)[0].item() / 3, rel=1e-4)
    assert all(abs(nats[kind] - nats["as in training"]) > 1e-3 for kind in places.POSITIONS[1:])
    # Large word vectors and positions, so that what is written turns with what is read.
    for table in (model.gpt.token_embedding, model.gpt.positions):
        for weight in table.parameters():
            weight.data *= 5
    same = places.by_padding(model, pictures, [[END], [END, 7, 9, 3, 20, 31], [END, 4]], 12)
    prompts = [[END], [END, 7, 9], [END, 4]]
    written = places.write_padded(model, pictures, prompts, 5, "left, positions count").tolist()
    assert written == model.write(pictures, prompts, max_new_tokens=5, end_token=TEXT.vocab_size)
    assert same["left, positions count"] == 1
    assert all(share < 1 for name, share in same.items() if name != "left, positions count"), same


def test_leaks_at_a_tiny_size(load_sprint):
    script = load_sprint(f"{SPRINT}/leaks.py")
    config = script.Config(
        faults=("as it must be", "labels not shifted"),
        steps=1,
        batch_size=4,
        test=4,
        prompts=2,
        new_tokens=2,
        seeds=(0,),
    )
    results = script.main(config)
    assert set(results.faults) == {"as it must be", "labels not shifted"}
    right = results.faults["as it must be"]
    assert right.logged[0] == pytest.approx(right.honest[0], rel=1e-4)
    assert results.faults["labels not shifted"].logged[0] != pytest.approx(
        results.faults["labels not shifted"].honest[0]
    )
    assert results.paddings["left, positions count"][0] == 1
    script.plot(results)
