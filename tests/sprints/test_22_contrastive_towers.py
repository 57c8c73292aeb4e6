"""Sprint 22's two towers: = CLIPModel, causal to the end token, written and read back."""

from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from shared.nn.pretrained import load_tokenizer
from shared.nn.vision_config import VisionConfig

SPRINT = "22_pictures_and_words"


@pytest.fixture
def contrastive(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/contrastive.py")


@pytest.fixture
def two_towers(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/two_towers.py")


@pytest.fixture
def clip_weights(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/clip_weights.py")


TOKENS = torch.tensor([[5, 9, 3, 0, 0, 0], [7, 0, 0, 0, 0, 0], [1, 2, 8, 4, 6, 0], [5, 9, 4, 0, 7, 0]])


def small_towers(two_towers: ModuleType, kind: str = "clip", activation: str = "gelu", end_token: int = 0) -> nn.Module:
    """Return two small towers of which every parameter is away from where it began."""
    vision = VisionConfig(12, 4, 3, layers=2, heads=2, d_model=8, kind=kind, activation=activation)
    text = two_towers.TextConfig(11, 6, 2, 2, 12, end_token, activation=activation)
    towers = two_towers.TwoTowers(vision, text, 5, torch.Generator().manual_seed(0))
    return perturbed(towers)


def perturbed(model: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return model


def some_pictures(count: int = 4) -> Tensor:
    return torch.randn(count, 3, 12, 12, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu"])
def test_towers_and_loss_are_clip_model(two_towers, contrastive, clip_weights, activation: str):
    towers, loss = small_towers(two_towers, activation=activation), contrastive.ContrastiveLoss(scale=3.0)
    theirs = clip_weights.to_transformers(towers, loss)
    found = theirs(input_ids=TOKENS, pixel_values=some_pictures(), return_loss=True)
    pictures, texts = towers(some_pictures(), TOKENS)
    torch.testing.assert_close(pictures, found.image_embeds, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(texts, found.text_embeds, atol=1e-5, rtol=1e-5)
    ours = loss(pictures, texts)
    torch.testing.assert_close(ours, found.loss, atol=1e-5, rtol=1e-5)
    ours.backward()
    found.loss.backward()
    weights = clip_weights.named_weights(towers, loss)
    gradients = {name: weight.grad for name, weight in theirs.named_parameters()}
    assert len(gradients) == len({their for name in weights for their in clip_weights.their_names(name)})
    for name, gradient in clip_weights.as_ours(weights, gradients).items():
        assert gradient.abs().sum() > 0, name
        torch.testing.assert_close(weights[name].grad, gradient, atol=1e-5, rtol=1e-4, msg=name)


def test_a_clip_model_becomes_two_towers(clip_weights):
    from transformers import CLIPConfig, CLIPModel

    small = {"hidden_size": 8, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision = small | {"image_size": 12, "patch_size": 4}
    for end, tokens in (
        (0, TOKENS),
        (2, torch.tensor([[5, 9, 10, 0], [7, 10, 3, 10]])),
    ):  # 2: the largest id ends a row
        text = small | {"vocab_size": 11, "max_position_embeddings": 6, "eos_token_id": end, "bos_token_id": 1}
        theirs = CLIPModel(CLIPConfig(vision_config=vision, text_config=text, projection_dim=5))
        theirs = perturbed(theirs).eval()
        towers, loss = clip_weights.from_transformers(theirs)
        pictures = some_pictures(len(tokens))
        found = theirs(input_ids=tokens, pixel_values=pictures, return_loss=True)
        torch.testing.assert_close(loss(*towers(pictures, tokens)), found.loss, atol=1e-5, rtol=1e-5)


def test_what_stands_behind_the_end_token_does_not_matter(two_towers):
    towers = small_towers(two_towers)
    other = TOKENS.clone()
    other[0, 4:] = torch.tensor([7, 2])
    assert torch.equal(towers.encode_texts(TOKENS), towers.encode_texts(other))
    assert torch.allclose(towers.encode_texts(TOKENS[1:2, :2]), towers.encode_texts(TOKENS)[1], atol=1e-6)
    other[0, 2] = 6  # before it, it does
    assert not torch.allclose(towers.encode_texts(TOKENS)[0], towers.encode_texts(other)[0], atol=1e-3)


def test_both_towers_give_unit_vectors(two_towers):
    pictures, texts = small_towers(two_towers, "vit")(some_pictures(), TOKENS)
    for vectors_of in (pictures, texts):
        torch.testing.assert_close(vectors_of.norm(dim=-1), torch.ones(4))


def test_every_parameter_of_the_towers_moves(two_towers, contrastive):
    vision = VisionConfig(12, 4, layers=2, heads=2, d_model=8)
    towers = two_towers.TwoTowers(vision, two_towers.TextConfig(11, 6, 2, 2, 8), 5, torch.Generator().manual_seed(0))
    for kind in ("clip", "siglip"):
        loss = contrastive.ContrastiveLoss(kind)
        loss(*towers(some_pictures(), TOKENS)).backward()
        for name, weight in (*towers.named_parameters(), *loss.named_parameters()):
            assert weight.grad is not None, name
            assert weight.grad.abs().sum() > 0, name
        towers.zero_grad()


def test_the_seed_draws_the_towers(two_towers):
    def weights(seed: int) -> list[Tensor]:
        config = VisionConfig(12, 4, layers=1, heads=2, d_model=8)
        generator = torch.Generator().manual_seed(seed)
        return list(two_towers.TwoTowers(config, two_towers.TextConfig(11, 6, 1, 2, 8), 5, generator).parameters())

    assert all(torch.equal(one, other) for one, other in zip(weights(0), weights(0), strict=True))
    assert not all(torch.equal(one, other) for one, other in zip(weights(0), weights(1), strict=True))


def test_what_the_towers_refuse(two_towers, contrastive, clip_weights):
    towers = small_towers(two_towers)
    with pytest.raises(ValueError, match="up to 6 tokens; got 7"):
        towers.encode_texts(torch.zeros(1, 7, dtype=torch.long))
    with pytest.raises(ValueError, match="end with the end token 0"):
        towers.encode_texts(torch.tensor([[1, 0], [1, 2]]))
    with pytest.raises(ValueError, match="one of the 11 tokens; got 11"):
        two_towers.TextConfig(11, end_token=11)
    with pytest.raises(ValueError, match="layers=0"):
        two_towers.TextConfig(layers=0)
    for wrong in (small_towers(two_towers, "vit"), small_towers(two_towers, end_token=2)):
        with pytest.raises(ValueError, match="another end token than 2"):
            clip_weights.to_transformers(wrong, contrastive.ContrastiveLoss())
    with pytest.raises(ValueError, match="loss='siglip'"):
        clip_weights.to_transformers(towers, contrastive.ContrastiveLoss("siglip"))


@pytest.mark.usefixtures("unchecked")
def test_an_unknown_activation(two_towers):
    with pytest.raises(ValueError, match="'gelu' or 'quick_gelu'"):
        two_towers.TextConfig(activation="relu")


def test_text_tokens_end_and_are_padded(two_towers):
    tokenizer = load_tokenizer("cookbook")
    end = tokenizer.eos_token_id
    tokens = two_towers.text_tokens(tokenizer, ["a red plate", "a plate", "<|endoftext|>"])
    ids = tokenizer("a plate")["input_ids"]
    assert tokens[1].tolist() == [*ids, *[end] * (tokens.shape[1] - len(ids))]
    assert (tokens[2] == end).sum() == 1 or tokens[2][0] != end  # the words of a control token do not end a text
    with pytest.raises(ValueError, match="at most 3 tokens"):
        two_towers.text_tokens(tokenizer, ["a red plate"], context=3)
    with pytest.raises(ValueError, match="at least one text"):
        two_towers.text_tokens(tokenizer, [])


@pytest.fixture
def contrasting(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/contrasting.py")


@pytest.fixture
def tiny(two_towers, contrasting, contrastive) -> nn.Module:
    """Return towers for the table, small enough for a test."""
    vision = VisionConfig(48, 16, layers=1, heads=2, d_model=16)
    text = two_towers.TextConfig(layers=1, heads=2, d_model=16)
    towers = two_towers.TwoTowers(vision, text, 16, torch.Generator().manual_seed(0))
    return contrasting.Contrast(towers, contrastive.ContrastiveLoss())


def test_training_moves_everything_and_is_the_same_twice(tiny, contrasting):
    tokenizer = load_tokenizer("cookbook")
    start = {name: weight.clone() for name, weight in tiny.state_dict().items()}
    losses = []
    for _ in range(2):
        tiny.load_state_dict(start)
        steps = contrasting.train_towers(tiny, contrasting.scene_batches(tokenizer, 24), steps=4, rate=0.02)
        losses.append([loss for _, loss in steps])
    assert losses[0] == losses[1]
    unused = {"towers.text.token_embedding.weight", "towers.text.positions.weight"}  # rows of tokens that never came
    for name, weight in tiny.state_dict().items():
        moved = weight != start[name]
        assert moved.any() if name in unused else moved.float().mean() > 0.9, name


def test_the_scale_is_clamped_in_training(tiny, contrasting):
    with torch.no_grad():
        tiny.loss.log_scale.fill_(9.0)
    for _ in contrasting.train_towers(tiny, contrasting.scene_batches(load_tokenizer(), 8), steps=1, rate=0.001):
        pass
    assert tiny.loss.scale.item() == pytest.approx(100)


def test_batches_are_new_pairs(contrasting):
    batches = contrasting.scene_batches(load_tokenizer(), 4, start=10)
    first, second = next(batches), next(batches)
    again = next(contrasting.scene_batches(load_tokenizer(), 4, start=14))
    assert not torch.equal(first[0], second[0])
    assert torch.equal(second[0], again[0])
    assert torch.equal(second[1], again[1])


def test_towers_are_written_and_read_back(tiny, load_sprint, tmp_path: Path):
    files = load_sprint(f"{SPRINT}/seeing/table_towers.py")
    files.save_towers(tiny, tmp_path / "towers")
    again = files.load_towers(tmp_path / "towers")
    for name, weight in tiny.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], weight, atol=1e-3, rtol=1e-3)  # float16
    with pytest.raises(ValueError, match="there are no towers"):
        files.load_towers(tmp_path)
    weights = tmp_path / "towers" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(ValueError, match="not as it was written"):
        files.load_towers(tmp_path / "towers")
    (tmp_path / "towers" / "checksums.json").unlink()
    with pytest.raises(ValueError, match="truncated"):
        files.load_towers(tmp_path / "towers")


def test_ridge_is_scikit_learns(load_sprint):
    linear_model = pytest.importorskip("sklearn.linear_model")
    linear = load_sprint(f"{SPRINT}/seeing/linear_retrieval.py")
    generator = torch.Generator().manual_seed(0)
    inputs, outputs = torch.randn(30, 5, generator=generator), torch.randn(30, 3, generator=generator)
    sums = linear.Ridge(5, 3)
    sums.add(inputs[:20], outputs[:20])
    sums.add(inputs[20:], outputs[20:])
    theirs = linear_model.Ridge(alpha=2.0, fit_intercept=False).fit(inputs.numpy(), outputs.numpy()).coef_
    torch.testing.assert_close(sums.solve(2.0), torch.tensor(theirs).mT, atol=1e-4, rtol=1e-4, check_dtype=False)


def test_ngrams_and_their_weights(load_sprint):
    linear = load_sprint(f"{SPRINT}/seeing/linear_retrieval.py")
    assert linear.ngrams("a red plate.", 2) == ["a", "red", "plate", "a red", "red plate"]
    space = linear.WordSpace.of(["a red plate", "a plate", "a bowl", "a red bowl"], longest=1, least=2)
    assert space.weights == pytest.approx({"a": 0.0, "bowl": 0.6931, "plate": 0.6931, "red": 0.6931}, abs=1e-4)
    assert space.vectors(["red red knife"]).tolist()[0] == pytest.approx([0, 0, 0, 0.6931], abs=1e-4)
