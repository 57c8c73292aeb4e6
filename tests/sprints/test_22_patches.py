"""Sprint 22, patches: preprocessing is the libraries' own, what the notes work out by hand, the networks compared."""

from types import ModuleType

import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts
from PIL import Image
from torch import Tensor

SPRINT = "22_pictures_and_words"
page, note = lesson_texts(SPRINT)


@pytest.fixture
def preprocessing(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/preprocessing.py")


def noise(height: int, width: int, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(height * 1000 + width)
    return torch.randint(0, 256, (channels, height, width), generator=generator, dtype=torch.uint8)


def as_image(picture: Tensor) -> Image.Image:
    return Image.fromarray(picture.permute(1, 2, 0).numpy())


def of_image(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


@pytest.mark.parametrize(
    ("kind", "pillow"), [("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)]
)
@pytest.mark.parametrize("sizes", [(37, 53, 16, 20), (9, 7, 30, 24), (100, 8, 7, 8), (1, 5, 3, 1)])
def test_resize_is_pillows_and_torchvisions(preprocessing, kind: str, pillow: Image.Resampling, sizes: tuple[int, ...]):
    from torchvision.transforms import v2

    height, width, new_height, new_width = sizes
    picture = noise(height, width)
    ours = preprocessing.resize(picture, new_height, new_width, kind)
    assert torch.equal(ours, of_image(as_image(picture).resize((new_width, new_height), pillow)))
    mode = v2.InterpolationMode(kind)
    of_pillow = v2.functional.resize(as_image(picture), [new_height, new_width], mode)
    assert torch.equal(ours, of_image(of_pillow))
    # On numbers of torch.uint8 torchvision rounds its weights more coarsely.
    of_tensor = v2.functional.resize(picture, [new_height, new_width], mode, antialias=True)
    assert (ours.int() - of_tensor.int()).abs().max() <= 1
    real = picture.double()
    exact = (
        preprocessing.resize_weights(height, new_height, kind)
        @ real
        @ preprocessing.resize_weights(width, new_width, kind).mT
    )
    torch.testing.assert_close(exact, v2.functional.resize(real, [new_height, new_width], mode, antialias=True))


@pytest.mark.parametrize("size", [(60, 45), (45, 61), (32, 32), (300, 40)])
def test_all_of_it_is_transformers_processor(preprocessing, size: tuple[int, int]):
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    ours = preprocessing.Preprocessing(32, "bicubic", preprocessing.CLIP_MEAN, preprocessing.CLIP_DEVIATION)
    theirs = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    picture = noise(*size)
    expected = theirs(as_image(picture), return_tensors="pt")["pixel_values"][0]
    torch.testing.assert_close(ours(picture), expected, atol=1e-5, rtol=1e-5)
    assert preprocessing.CLIP_PREPROCESSING.size == CLIPImageProcessorPil().size["shortest_edge"]
    assert preprocessing.CLIP_PREPROCESSING.mean == tuple(CLIPImageProcessorPil().image_mean)
    assert preprocessing.CLIP_PREPROCESSING.deviation == tuple(CLIPImageProcessorPil().image_std)


def test_crops_as_torchvision_or_as_transformers(preprocessing):
    from torchvision.transforms import v2

    for over in range(6):
        picture = noise(20 + over, 20)
        even = preprocessing.centre_crop(picture, 20, "even")
        assert torch.equal(even, v2.functional.center_crop(picture, [20, 20]))
        same = torch.equal(even, preprocessing.centre_crop(picture, 20))
        assert same == (over != 3), "3 over: 1.5 is rounded to 2, or down to 1"
    assert torch.equal(preprocessing.centre_crop(noise(23, 20), 20), noise(23, 20)[:, 1:21])


def test_scenes_come_through_unchanged(preprocessing, load_sprint):
    drawing = load_sprint(f"{SPRINT}/seeing/drawing.py")
    (scene,) = load_sprint(f"{SPRINT}/seeing/scenes.py").scenes("test", 0, 1)
    torch.testing.assert_close(preprocessing.Preprocessing()(drawing.render(scene)), drawing.pictures([scene])[0])


def test_weights_of_a_resize_are_means(preprocessing):
    for old, new in ((8, 3), (3, 8), (5, 5), (48, 1)):
        weights = preprocessing.resize_weights(old, new)
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(new, dtype=torch.float64))
        torch.testing.assert_close(weights, weights.flip(0, 1))
    assert torch.equal(preprocessing.resize_weights(5, 5, "bicubic"), torch.eye(5, dtype=torch.float64))


@pytest.mark.usefixtures("unchecked")
def test_preprocessing_refuses(preprocessing):
    with pytest.raises(ValueError, match="got 4 to be resized to 0"):
        preprocessing.resize(noise(4, 4), 4, 0)
    with pytest.raises(ValueError, match="bilinear, bicubic; got 'nearest'"):
        preprocessing.resize(noise(4, 4), 2, 2, "nearest")
    with pytest.raises(ValueError, match="it has 8 x 30: resize it first"):
        preprocessing.centre_crop(noise(8, 30), 20)


def test_note_1_by_hand(load_sprint):
    script = load_sprint(f"{SPRINT}/patches_by_hand.py")
    found = script.main(script.Config())
    assert found.patches == [[0, 4, 0, 4], [0, 0, 0, 0], [0, 4, 0, 4], [0, 0, 2, 2]]
    assert found.products == [[2, 4], [0, 0], [2, 4], [1, 0]]
    assert found.tokens == [[1, 1], [3, 4], [0, 1], [1, 4], [1, -1]]
    maps = torch.tensor(found.convolved).flatten(1).mT
    assert maps.tolist() == found.products
    assert found.convolved == [[[2, 0], [2, 1]], [[4, 0], [4, 0]]]
    text = note(1)
    assert "(2, 4), (0, 0), (2, 4), (1, 0)" in text
    assert "(1, 1), (3, 4), (0, 1), (1, 4), (1, -1)".replace("-", "−") in text
    for patch in (1, 8):
        assert f"{found.pairs[f'48 pixels, patches of {patch}']:,}" in text
    assert round((1 + 224**2) ** 2 / 1e9, 1) == 2.5
    assert found.moved_without < 1e-5
    assert found.moved_with == pytest.approx(0.1, abs=0.05)
    scenes = load_sprint(f"{SPRINT}/seeing/scenes.py").scenes("test", 0, 300)
    shown = load_sprint(f"{SPRINT}/seeing/drawing.py").pictures(scenes)
    like_neighbour = (shown[..., 1:] == shown[..., :-1]).all(dim=1).float().mean().item()
    assert f"{like_neighbour:.0%}".replace("%", " %") + " of the pixels" in text
    turned = script.main(script.Config(picture=(0.0,) * 8 + (9.0,) * 4 + (0.0,) * 4))
    assert turned.products == [[0, 0], [0, 0], [4.5, 0], [4.5, 0]], "a line across has no right minus left"
    assert f"{3 * 16**2 * 768:,} weights" in text


def test_note_1_the_crumb(load_sprint):
    script = load_sprint(f"{SPRINT}/crumb_by_hand.py")
    found = script.main(script.Config())
    assert [round(share, 6) for share in found.shares] == [5, 7, 7, 5, 3, 1, 0, 0]
    assert "5, 7, 7, 5, 3, 1, 0, 0" in note(1)
    assert [round(row[3], 6) for row in found.antialias] == [5, 3]
    assert [row[3] for row in found.without] == [0, 0]
    assert found.unseen == 4
    assert "lost at four of them" in note(1)
    assert sum(row[0] for row in script.main(script.Config(brightness=56.0)).antialias) == pytest.approx(10)


def test_exercise_e_sizes():
    patches, larger = (224 // 16) ** 2, (384 // 16) ** 2
    for number in (patches + 1, 3 * 16**2 * 768 + 768, (patches + 1) * 768, larger + 1, (larger + 1) * 768):
        assert f"{number:,}" in page
    assert f"{((larger + 1) / (patches + 1)) ** 2:.1f} times as many" in page


@pytest.fixture
def facts(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/learning_facts.py")


def test_a_mirrored_table_is_the_picture_of_mirrored_answers(facts, load_sprint):
    scenes = load_sprint(f"{SPRINT}/seeing/scenes.py")
    item = scenes.Item
    scene = scenes.Scene((item("plate", "red", "small", 0, 0, 1, -1), item("knife", "black", "large", 2, 1, 0, 1)))
    other = scenes.Scene((item("plate", "red", "small", 0, 2, -1, -1), item("knife", "black", "large", 2, 1, 0, 1)))
    shown, wanted = facts.facts([scene] * 40), facts.facts([other])
    mirrored = facts.mirror(shown, torch.Generator().manual_seed(0))
    turned = (mirrored.pictures != shown.pictures).flatten(1).any(dim=1)
    assert 10 < turned.sum() < 30, "half of them"
    torch.testing.assert_close(mirrored.pictures[turned], wanted.pictures.expand(int(turned.sum()), -1, -1, -1))
    assert (mirrored.answers[turned] == wanted.answers).all()
    assert torch.equal(mirrored.answers[~turned], shown.answers[~turned])
    plate, knife = 0, 4
    assert shown.answers[0, plate] == scenes.COLOURS.index("red")
    assert (shown.answers[0, 6 + plate], shown.answers[0, 6 + knife]) == (0, 7)
    assert (shown.answers[0] == facts.ABSENT).sum() == 8


def test_only_a_napkin_shows_that_it_was_mirrored(load_sprint):
    drawing = load_sprint(f"{SPRINT}/seeing/drawing.py")
    for kind in load_sprint(f"{SPRINT}/seeing/scenes.py").KINDS:
        left, right = (drawing.draw_place(kind, "red", "large", dx, 0) for dx in (-1, 1))
        assert torch.equal(left.flip(-1), right) == (kind != "napkin")


def test_digits_are_split_by_hands_and_stay_themselves(facts):
    task = facts.digits()
    assert [len(part) for part in (task.train, task.validation, task.test)] == [700, 198, 899]
    moved = facts.turn_and_shift(task.train, torch.Generator().manual_seed(0))
    assert torch.equal(moved.answers, task.train.answers)
    change = (moved.pictures - task.train.pictures).flatten(1).norm(dim=1) / task.train.pictures.flatten(1).norm(dim=1)
    assert change.min() > 0
    assert change.mean() < 0.7


def test_losses_and_shares_ask_only_for_what_is_there(facts):
    from torch.nn import functional

    pictures, answers = torch.zeros(2, 1, 1, 1), torch.tensor([[1, -1], [0, 2]])
    shown = facts.Shown(pictures, answers)
    task = facts.Task((2, 3), {"a": slice(0, 1), "b": slice(1, 2)}, shown, shown, shown, facts.mirror)
    logits = torch.tensor([[0.0, 1, 9, 9, 9], [2, 0, 1, 2, 0]])
    loss, count = facts.question_losses(logits, shown, task)
    expected = [
        functional.cross_entropy(logits[0, :2], answers[0, 0]),
        functional.cross_entropy(logits[1, :2], answers[1, 0]),
    ]
    expected.append(functional.cross_entropy(logits[1, 2:], answers[1, 1]))
    torch.testing.assert_close(loss, torch.stack(expected).sum())
    assert count == 3
    guess = torch.tensor([[1, -1], [1, 2]])
    assert facts.shares_right(guess, shown, task) == {"a": 0.5, "b": 1.0}
    assert facts.nearest_picture(shown[torch.tensor([1])], shown, task) == {"a": 0.5, "b": 1.0}


def test_both_networks_are_as_large_and_every_parameter_moves(facts, load_sprint):
    two = load_sprint(f"{SPRINT}/seeing/two_networks.py")
    task = facts.digits()
    for sizes in ((1, 8, 2, 32, 3, 10), (3, 48, 8, 48, 3, 90)):
        residual, transformer = (two.parameters(make(0)) for make in two.networks(*sizes).values())
        assert residual == pytest.approx(transformer, rel=0.06)
    for make in two.networks(1, 8, 2, 8, 1, 10).values():
        network, before = make(0), make(0).state_dict()
        assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())
        facts.learn(network, task.train[:40], task, facts.Budget(2), rate=0.01, augment=True, seed=0)
        assert not [name for name, weight in network.named_parameters() if torch.equal(weight, before[name])]


def test_a_residual_block_is_what_it_says(load_sprint):
    two = load_sprint(f"{SPRINT}/seeing/two_networks.py")
    block = two.ResidualBlock(2, 3, 2).eval()
    x = torch.randn(1, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    expected = (block.shortcut(x) + block.second(block.first(x).relu())).relu()
    assert torch.equal(block(x), expected)
    assert block(x).shape == (1, 3, 3, 3)
    assert isinstance(two.ResidualBlock(3, 3, 1).shortcut, torch.nn.Identity)


def test_positions_start_as_loud_as_they_are_asked_to(load_sprint):
    script = load_sprint(f"{SPRINT}/loud_positions.py")
    two = load_sprint(f"{SPRINT}/seeing/two_networks.py")
    for positions in (0.02, 0.5):
        encoder = two.networks(3, 48, 8, 48, 1, 90, positions)["vision transformer"](0).encoder
        assert encoder.position_embedding.std().item() == pytest.approx(positions, rel=0.1)
    config = script.Config(positions=(0.02, 1.0), pictures=8, steps=2, batch_size=4, seeds=2)
    found = script.main(config)
    assert found == script.main(config)
    assert found.accuracies["place"]["0.02"] != found.accuracies["place"]["1"]
    assert 0.3 < found.products < 1
    script.plot(found)


def test_which_needs_more_data_at_a_tiny_size(load_sprint, refusal):
    script = load_sprint(f"{SPRINT}/which_needs_more_data.py")
    config = script.Config(amounts=(20, 40), rates=(0.003, 0.01), steps=3, seeds=2, d_model=8, layers=1)
    found = script.main(config)
    assert found == script.main(config)
    assert len(found.cells) == 8
    assert all(len(cell.accuracies["digit"]) == 2 for cell in found.cells)
    assert found.nearest["digit"][1] > found.nearest["digit"][0] > 0.4
    script.plot(found)
    tables = script.Config(task="tables", amounts=(8,), rates=(0.003,), steps=1, seeds=1, d_model=8, layers=1, patch=16)
    cells = script.main(tables).cells
    assert {kind for cell in cells for kind in cell.accuracies} == {"colour", "place"}
    assert not any(cell.at_the_end for cell in cells)
    with pytest.raises(ValueError, match="there are 700 pictures"):
        script.main(script.Config(amounts=(701,)))
    assert "4 heads" in refusal(f"{SPRINT}/which_needs_more_data.py", "--d-model 30")


def test_note_2_by_hand(load_sprint):
    script = load_sprint(f"{SPRINT}/shift_by_hand.py")
    found = script.main(script.Config())
    before, moved = found.before, found.moved
    assert before.convolved == [4, -4, 0, 0, 0, 0, 0]
    assert moved.convolved == [0, 4, -4, 0, 0, 0, 0]
    assert before.mean == moved.mean == pytest.approx(4 / 7)
    assert (before.tokens[0], moved.tokens[1]) == ([2, 4], [2, -4])
    assert (before.mean_of_tokens, moved.mean_of_tokens) == (1, 0)
    text = note(2)
    for words in ("(4, −4, 0, 0, 0, 0, 0)", "(0, 4, −4, 0, 0, 0, 0)", "4/7 = 0.57", "(2, −4)"):
        assert words in text
    whole = script.main(script.Config(by=2)).moved
    assert (whole.tokens[1], whole.mean_of_tokens) == (before.tokens[0], 1), "by a whole patch the token only moves"


def test_note_2_a_residual_network_moves_with_its_stride(load_sprint):
    two = load_sprint(f"{SPRINT}/seeing/two_networks.py")
    network = two.ResidualNetwork(1, (4, 4, 4), 2, 2).eval()
    picture = torch.zeros(1, 1, 128, 128)
    picture[..., 60:66, 56:64] = torch.rand(6, 8, generator=torch.Generator().manual_seed(0))

    def maps(x: Tensor) -> Tensor:
        return network.blocks(network.stem(x))

    with torch.no_grad():
        expected = maps(picture).roll(1, dims=3)
        inner = slice(2, -2)  # away from the edges
        torch.testing.assert_close(maps(picture.roll(16, dims=3))[..., inner, inner], expected[..., inner, inner])
        assert (maps(picture.roll(8, dims=3)) - maps(picture)).abs().max() > 1e-4
        wrong = maps(picture.roll(8, dims=3))[..., inner, inner] - expected[..., inner, inner]
        assert wrong.abs().max() > 1e-4
