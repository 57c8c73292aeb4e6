"""Sprint 4's claims, at a small size."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.nn import functional
from torch.utils.tensorboard import SummaryWriter
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import affine

from shared.lab import mnist
from shared.lab.config import parse_config
from shared.training.sealed import save_sealed

TINY = {
    "widths": (6, 6, 8), "seeds": 2, "steps": 12, "warmup": 3, "eval_every": 5, "batch_size": 32, "device": "cpu",
}  # fmt: skip
STILL = {"rotation": 0.0, "scaling": 0.0, "shear": 0.0, "shift": 0.0}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def load_part(load_sprint) -> Callable[[str], ModuleType]:
    """Import a script of this sprint, or a module of its package: "train" or "digit_study.networks"."""
    return lambda name: load_sprint(f"04_advanced_training_cnn/{name.replace('.', '/')}.py")


@pytest.fixture
def train(load_part) -> ModuleType:
    return load_part("train")


@pytest.fixture
def known(load_part):
    """The first half of the digits."""
    return load_part("digit_study.images").load_images("digits", torch.device("cpu"))[0]


@pytest.fixture
def silent(load_part):
    """The log of a run that writes none."""
    return load_part("digit_study.event_logs").EventLog(None)


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("ablation", "--cases whole no", "--cases must be out of whole recipe, no augmentation, "),
        ("ablation", "--rates 0.1 0.1", "--rates: the values must differ from each other"),
        ("ablation", "--processes 0", "--processes: must be greater than or equal to 1; got 0"),
        ("ablation", "--processes 65", "--processes: must be less than or equal to 64; got 65"),
        ("baselines", "--folds 1", "--folds: must be greater than or equal to 2; got 1"),
        ("convolution", "--size 4", "--size: must be greater than or equal to 5; got 4"),
        ("convolution_as_product", "--size 257", "--size: must be less than or equal to 256; got 257"),
        ("effective_field", "--depths 1 0", "--depths: must be greater than or equal to 1; got (1, 0)"),
        ("look_inside", "--image -1", "--image: must be greater than or equal to 0; got -1"),
        ("pooling", "--images 1", "--images: must be greater than or equal to 2; got 1"),
        ("pooling", "--farthest 65", "--farthest: must be less than or equal to 64; got 65"),
        ("schedules", "--steps 2", "--steps: must be greater than or equal to 3; got 2"),
        ("train", "--dropout 1", "--dropout: must be less than 1; got 1.0"),
        ("train", "--label-smoothing -1", "--label-smoothing: must be greater than or equal to 0; got -1.0"),
        ("train", "--scaling 1", "--scaling: must be less than 1; got 1.0"),
        ("train", "--steps -1", "--steps: must be greater than or equal to 1; got -1"),
        ("train", "--warmup -5", "--warmup: must be greater than or equal to 0; got -5"),
        ("train", "--steps 50", "must get to its peak; got --warmup 100 of --steps 50: give less"),
        ("train", "--preset mnist --steps 400", "must get to its peak; got --warmup 430 of --steps 400: give less"),
        ("train", "--widths 0", "--widths: must be greater than or equal to 1; got (0,)"),
        ("train", "--patience 0", "--patience: must be greater than or equal to 1; got 0"),
        ("train", "--device cpu:7", "device must be auto or one that is present"),
        ("which_schedule", "--rates 0.1 0", "--rates: must be greater than 0; got (0.1, 0.0)"),
    ],
)
def test_a_bad_command_line_is_refused_in_a_sentence(refusal, name: str, words: str, sentence: str):
    assert sentence in refusal(f"04_advanced_training_cnn/{name}.py", words)


def test_without_a_warm_up_a_run_may_be_short(train: ModuleType):
    assert parse_config(train.Config, ["--steps", "50", "--schedule", "constant"]).steps == 50


# Convolution and pooling


def test_loops_agree_with_the_library_and_move_with_the_image(load_part):
    script = load_part("convolution")
    results = script.main(script.Config(size=7, images=1, repeats=1))
    for name, difference in results.geometries.items():
        assert difference.loops < 1e-13, name
    assert [difference.output_size for difference in results.geometries.values()] == [5, 3, 7, 3, 3]
    assert results.equivariance < 1e-13, "moving the image moves the map"
    assert results.loops_to_library > 0, "a time: how much is for the results file to say"
    again = script.main(script.Config(size=7, images=1, repeats=1))
    assert replace(again, loops_to_library=results.loops_to_library) == results, "same seed, same results"


def test_the_product_agrees_with_the_library_in_values_and_gradients(load_part):
    script = load_part("convolution_as_product")
    results = script.main(script.Config(size=7, images=1, repeats=1))
    for name, differences in results.geometries.items():
        assert differences.product < 1e-13, name
        assert set(differences.gradients) == {"images", "weight", "bias"}
        assert max(differences.gradients.values()) < 1e-12, name
    again = script.main(script.Config(size=7, images=1, repeats=1))
    assert again.geometries == results.geometries, "same seed, same results"


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_every_geometry_equals_the_library_on_images_that_are_not_square(
    load_part, stride: int, padding: int, dilation: int
):
    product = load_part("convolution_as_product")
    geometry = load_part("digit_study.geometry").Geometry(stride, padding, dilation)
    shapes = ((2, 3, 6, 9), (4, 3, 3, 3), (4,))
    inputs = [torch.randn(shape, generator=generator(), dtype=torch.float64, requires_grad=True) for shape in shapes]
    expected = product.library(*inputs, geometry)
    direction = torch.randn(expected.shape, generator=generator(1), dtype=torch.float64)
    theirs = torch.autograd.grad(expected, inputs, direction)
    for convolve in (product.convolve, load_part("convolution").convolve_by_loops):
        ours = convolve(*inputs, geometry)
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-13)
        for left, right in zip(torch.autograd.grad(ours, inputs, direction), theirs, strict=True):
            torch.testing.assert_close(left, right, rtol=0, atol=1e-12)


def test_the_backward_pass_agrees_with_finite_differences(load_part):
    product, geometry = load_part("convolution_as_product"), load_part("digit_study.geometry").Geometry(2, 1, 2)
    shapes = ((2, 2, 5, 4), (3, 2, 2, 2), (3,))
    inputs = [torch.randn(shape, generator=generator(), dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(lambda *each: product.convolve(*each, geometry), inputs)


def test_putting_back_is_the_transpose_of_cutting_windows(load_part):
    product, geometry = load_part("convolution_as_product"), load_part("digit_study.geometry").Geometry(2, 1, 2)
    images = torch.randn(2, 3, 8, 7, generator=generator(), dtype=torch.float64)
    columns = product.windows(images, 3, geometry)
    other = torch.randn(columns.shape, generator=generator(1), dtype=torch.float64)
    back = product.put_back(other, (8, 7), 3, geometry)
    assert (columns * other).sum().item() == pytest.approx((images * back).sum().item(), rel=1e-12)


def test_a_window_that_does_not_fit_is_refused(load_part):
    geometry = load_part("digit_study.geometry")
    with pytest.raises(ValueError, match="reaches over 7 pixels of 6; add padding"):
        geometry.output_size(4, 3, geometry.Geometry(padding=1, dilation=3))
    with pytest.raises(ValueError, match=r"must fit into the image of \(2, 2\) pixels; got 3"):
        load_part("pooling").max_pool(torch.zeros(1, 1, 2, 2), 3, 1)


def test_max_pooling_equals_the_library(load_part):
    pooling = load_part("pooling")
    for kernel, stride in ((2, 2), (3, 2), (3, 1), (2, 3)):
        images = torch.randn(2, 3, 7, 9, generator=generator(), dtype=torch.float64, requires_grad=True)
        ours, theirs = pooling.max_pool(images, kernel, stride), functional.max_pool2d(images, kernel, stride)
        assert torch.equal(ours, theirs)
        direction = torch.randn(ours.shape, generator=generator(1), dtype=torch.float64)
        ours_back, theirs_back = (torch.autograd.grad(pooled, images, direction)[0] for pooled in (ours, theirs))
        torch.testing.assert_close(ours_back, theirs_back, rtol=0, atol=1e-14)


def test_only_the_maximum_over_all_places_ignores_a_move(load_part):
    pooling = load_part("pooling")
    results = pooling.main(pooling.Config(images=20, farthest=2))
    assert results.value_difference == results.gradient_difference == 0
    assert results.pixels_with_gradient == 0.25
    for changes in results.changes.values():
        assert max(changes.pop("filters, max over all")) < 1e-6
        for name, by_shift in changes.items():
            assert by_shift[0] == 0, name
            assert by_shift[1] > 0.2, name
        pooled, pixels = changes["filters, max pooling 2"][1], changes["pixels"][1]
        assert pooled == pytest.approx(pixels, rel=0.15), "by one pixel, pooled features change as much as pixels"
    wide, narrow = results.changes["24 x 24 pixels"], results.changes["8 x 8 pixels"]
    assert all(wide[name][1] < narrow[name][1] / 2 for name in wide), "a pixel is less of a wider stroke"
    assert len(pooling.plot(pooling.main(pooling.Config(images=2, farthest=0, sizes=(1,)))).axes) == 1


# Receptive field


def test_receptive_fields_by_formula_are_those_measured(load_part):
    script, stacks = load_part("receptive_field"), load_part("digit_study.stacks")
    draw = generator()
    for _ in range(12):
        depth = int(torch.randint(1, 5, (), generator=draw))
        rows = [torch.randint(1, 4, (3,), generator=draw).tolist() for _ in range(depth)]
        layers = [stacks.Layer(kernel + 1, stride, dilation) for kernel, stride, dilation in rows]
        assert script.measure(layers) == stacks.receptive_field(layers)[0], layers
    assert stacks.receptive_field([stacks.Layer(3), stacks.Layer(2, 2), stacks.Layer(3, dilation=2)]) == (12, 2)


def test_three_small_convolutions_see_what_a_large_one_sees(load_part):
    script = load_part("receptive_field")
    fields = script.main(script.Config()).fields
    assert all(field.formula == field.measured for field in fields.values())
    assert fields["three 3 x 3"].formula == fields["one 7 x 7"].formula == 7
    assert fields["three 3 x 3"].weights < fields["one 7 x 7"].weights


def test_the_effective_field_grows_with_the_root_of_the_depth(load_part):
    script = load_part("effective_field")
    config = script.Config(depths=(2, 8), draws=30, channels=8)
    results = script.main(config)
    assert results.effective["linear"] == pytest.approx(results.predicted, rel=0.08)
    assert results.predicted[1] == pytest.approx(2 * results.predicted[0])
    assert results.effective["linear"][1] < 0.6 * results.theoretical[1]
    assert script.main(config) == results, "same seed, same results"


def test_a_field_that_reaches_the_border_is_refused(load_part, monkeypatch: pytest.MonkeyPatch):
    script, layer = load_part("receptive_field"), load_part("digit_study.stacks").Layer
    monkeypatch.setattr(script, "receptive_field", lambda _: (3, 1))  # a formula that is too small
    with pytest.raises(ValueError, match="must lie inside the image"):
        script.measure([layer(3), layer(3)])


def test_networks_whose_paths_are_all_dead_are_told(load_part):
    script = load_part("effective_field")
    with pytest.raises(ValueError, match="in none of 1 networks a path is alive: give more --draws or --channels"):
        script.main(script.Config(depths=(30,), draws=1, channels=1, seed=1))


# Schedules


@pytest.mark.parametrize("steps", [21, 60, 140])
def test_schedules_are_those_of_pytorch(load_part, steps: int):
    script = load_part("schedules")
    losses = torch.rand(steps, generator=generator()).tolist()
    names = ("constant", "staircase", "exponential", "linear", "cosine", "cosine with restarts", "one cycle", "plateau")
    assert names == script.NAMES
    for name in names:
        assert script.difference(name, steps, losses) < 1e-12, name
    results = script.main(script.Config(steps=steps))
    assert [len(factors) for factors in results.factors.values()] == [steps] * 7


def test_schedules_start_and_end_where_they_should(load_part):
    schedules = load_part("digit_study.rate_schedules")
    for name in ("linear", "cosine", "exponential"):
        factor = schedules.make_schedule(name, 100)
        falling = [factor(step) for step in range(100)]
        assert falling[0] == 1
        assert falling == sorted(falling, reverse=True)
        assert falling[-1] < 0.02
    assert schedules.cosine(50, 100) == pytest.approx(0.5)
    assert [schedules.restarts(step, first=10) for step in (10, 30)] == [1, 1]
    assert schedules.one_cycle(29, 100) == pytest.approx(1), "the peak is after the rise"


def test_schedules_are_compared_on_the_first_half_alone(load_part, monkeypatch: pytest.MonkeyPatch):
    script, data = load_part("which_schedule"), load_part("digit_study.images")
    images, labels = data.load_digits()
    images[898:], labels[898:] = math.nan, -1  # whoever reads the test half fails
    monkeypatch.setattr(data, "load_digits", lambda: (images, labels))
    config = script.Config(steps=7, folds=2, rates=(0.1,), device="cpu")
    results = script.main(config)
    assert len(results.schedules) == 8
    assert results.schedules["constant"].gain == 0
    for scores in results.schedules.values():
        assert scores.loss == min(scores.losses.values())
        assert math.isfinite(scores.loss)
    assert script.main(config) == results, "same seed, same results"


# Data, networks and parts of the loop


def test_validation_comes_out_of_the_first_half_in_blocks(load_part):
    data = load_part("digit_study.images")
    known, test = data.load_images("digits", torch.device("cpu"))
    images, labels = data.load_digits()
    assert (len(known.labels), len(test.labels)) == (898, 899)
    assert torch.equal(known.labels, labels[:898])
    assert torch.equal(test.pixels, images[898:])
    numbered = data.Images(torch.arange(898.0).view(-1, 1, 1, 1), torch.arange(898))
    seen = []
    for fold in range(5):
        training, validation = data.hold_out(numbered, fold, 5)
        assert sorted(training.labels.tolist() + validation.labels.tolist()) == list(range(898))
        assert validation.labels.diff().eq(1).all(), "neighbours stay together"
        assert torch.equal(validation.pixels.flatten().long(), validation.labels)
        seen += validation.labels.tolist()
    assert seen == list(range(898)), "each image validates once"


@pytest.mark.parametrize("name", ["rotation", "scaling", "shear", "shift"])
def test_random_affine_is_torchvisions_affine(load_part, name: str):
    amount = {"rotation": 30.0, "scaling": 0.3, "shear": 0.4, "shift": 3.0}[name]
    pixels = torch.rand(4, 1, 12, 12, generator=generator(5))
    ours = load_part("digit_study.augmentation").random_affine(pixels, generator(), **STILL | {name: amount})
    angle, zoom, slant, right, down = (2 * torch.rand(5, 4, generator=generator()) - 1) * amount
    for index in range(4):
        theirs = affine(
            pixels[index],
            angle=-angle[index].item() if name == "rotation" else 0.0,
            translate=[-right[index].item(), -down[index].item()] if name == "shift" else [0, 0],
            # Ours says where to read, theirs where to write: the inverse of a shear is the opposite one.
            scale=1 + zoom[index].item() if name == "scaling" else 1.0,
            shear=[math.degrees(math.atan(slant[index].item())), 0.0] if name == "shear" else [0.0, 0.0],
            interpolation=InterpolationMode.BILINEAR,
        )
        torch.testing.assert_close(ours[index], theirs, rtol=0, atol=1e-4)


def test_no_augmentation_leaves_images_as_they_are(load_part):
    augmentation, images = load_part("digit_study.augmentation"), load_part("digit_study.images").Images
    pixels = torch.rand(3, 1, 8, 8, generator=generator())
    torch.testing.assert_close(augmentation.random_affine(pixels, generator(), **STILL), pixels, rtol=0, atol=1e-6)
    recipe = load_part("digit_study.recipe").Recipe(batch_size=32, **STILL)
    stream = augmentation.augmented_batches(images(pixels, torch.arange(3)), recipe, generator())
    for _ in range(3):
        batch = next(stream)
        assert sorted(batch.labels.tolist()) == [0, 1, 2], "an epoch has every image once"
        assert torch.equal(batch.pixels, pixels[batch.labels])


def test_batches_are_changed_as_the_recipe_says(load_part):
    augmentation, images = load_part("digit_study.augmentation"), load_part("digit_study.images").Images
    pixels = torch.rand(3, 1, 8, 8, generator=generator())
    amounts = {"rotation": 10.0, "scaling": 0.1, "shear": 0.3, "shift": 1.0}
    recipe = load_part("digit_study.recipe").Recipe(**amounts)
    batch = next(augmentation.augmented_batches(images(pixels, torch.arange(3)), recipe, generator(7)))
    draw = generator(7)
    order = torch.randperm(3, generator=draw)
    assert torch.equal(batch.labels, order)
    assert torch.equal(batch.pixels, augmentation.random_affine(pixels[order], draw, **amounts))


def test_smoothed_targets_are_a_mixture_with_the_uniform_distribution(load_part):
    logits, labels = torch.randn(5, 10, generator=generator()), torch.arange(5)
    network = nn.Module()
    network.forward = lambda _: logits
    batch = load_part("digit_study.images").Images(torch.zeros(5, 1, 8, 8), labels)
    loss, count = load_part("digit_study.evaluation").smoothed_loss(network, batch, 0.2)
    targets = 0.8 * functional.one_hot(labels, 10) + 0.2 / 10
    assert loss.item() == pytest.approx(-(targets * logits.log_softmax(1)).sum().item(), rel=1e-5)
    assert count == 5


def test_a_network_that_is_sure_and_wrong_has_a_finite_loss(load_part):
    evaluation, images = load_part("digit_study.evaluation"), load_part("digit_study.images").Images
    network = nn.Module()
    network.forward = lambda _: torch.tensor([[105.0, 0.0]])
    batch = images(torch.zeros(1, 1, 8, 8), torch.tensor([1]))
    assert evaluation.smoothed_loss(network, batch, 0.0)[0] == evaluation.evaluate(network, batch, 0.0).loss == 105


def test_networks_have_the_sizes_of_their_papers(load_part):
    def count(network: nn.Module) -> int:
        return sum(weight.numel() for weight in network.parameters())

    networks = load_part("digit_study.networks")
    network = networks.lenet(28)
    # LeCun et al. 1998 pad the images to 32 pixels and not the second convolution: 5 x 5 places instead of 7 x 7.
    assert count(network) == 61_706 + 120 * 16 * (7 * 7 - 5 * 5)
    assert network(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    maps = torch.zeros(2, 1, 8, 8)
    shapes = [tuple((maps := part(maps)).shape[1:]) for part in networks.resnet((8, 8, 16, 32))]
    assert shapes == [(8, 8, 8), (8, 8, 8), (16, 4, 4), (32, 2, 2), (10,)]
    plain = networks.resnet((8, 8, 16, 32), norm=False)
    assert not [part for part in plain.modules() if isinstance(part, nn.BatchNorm2d)]
    assert plain.block1.first[0].bias is not None


def test_a_recipe_says_which_network_is_built(load_part):
    networks, recipe = load_part("digit_study.networks"), load_part("digit_study.recipe").Recipe
    network = networks.build_network(recipe(widths=(4, 6), pool=True, norm=False, dropout=0.3), 8)
    assert network.stem(torch.zeros(1, 1, 8, 8)).shape == (1, 4, 4, 4)
    assert network.block1.second[0].bias.shape == (6,)
    assert network.head[2].p == 0.3
    assert networks.build_network(recipe(model="lenet", dropout=0.4), 8).head[5].p == 0.4


def test_a_residual_block_whose_branch_is_silent_is_the_identity(load_part):
    block = load_part("digit_study.networks").ResidualBlock(4, 4, 1, norm=True)
    nn.init.zeros_(block.second[1].weight)
    images = torch.rand(2, 4, 5, 5, generator=generator())
    assert torch.equal(block(images), images)


def test_evaluation_leaves_out_dropout_and_scores_all_images(load_part, known):
    evaluation = load_part("digit_study.evaluation")
    images = type(known)(known.pixels.repeat(2, 1, 1, 1)[:1100], known.labels.repeat(2)[:1100])  # two parts
    network = load_part("digit_study.networks").resnet((4, 4), dropout=0.9)
    score = evaluation.evaluate(network, images, 0.1)
    logits = network.eval()(images.pixels)
    loss, count = evaluation.smoothed_loss(network, images, 0.1)
    assert score.loss == pytest.approx(loss.item() / count, rel=1e-5), "the loss of training"
    assert score.accuracy == pytest.approx((logits.argmax(1) == images.labels).float().mean().item())
    assert torch.allclose(score.probabilities.sum(1), torch.ones(1100))


def test_mistakes_are_listed_the_most_certain_first(load_part):
    evaluation = load_part("digit_study.evaluation")
    probabilities = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.7, 0.3]])
    images = load_part("digit_study.images").Images(torch.zeros(4, 1, 8, 8), torch.tensor([0, 0, 0, 1]))
    mistakes = evaluation.find_mistakes(evaluation.Score(0.0, 0.25, probabilities), images)
    assert [(each.index, each.label, each.predicted) for each in mistakes] == [(2, 0, 1), (3, 1, 0), (1, 0, 1)]
    assert [each.probability for each in mistakes] == pytest.approx([0.8, 0.7, 0.6])


def test_channels_lie_last_only_where_they_fill_vectors(load_part):
    networks = load_part("digit_study.networks")
    assert networks.memory_format(networks.resnet((8, 24))) == torch.channels_last
    assert networks.memory_format(networks.resnet((8, 12))) == torch.contiguous_format
    assert networks.memory_format(networks.lenet(8)) == torch.contiguous_format


# The whole loop


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """One tiny run that several tests look at."""
    return SimpleNamespace(folder=tmp_path_factory.mktemp("run"), results=None)


def run_once(train: ModuleType, trained: SimpleNamespace):
    if trained.results is None:
        trained.results = train.main(train.Config(**TINY, out=trained.folder))
        train.plot(trained.results)
    return trained.results


def test_training_is_reproducible_and_each_seed_has_its_fold(
    train: ModuleType, load_part, trained, silent, tmp_path: Path
):
    results = run_once(train, trained)
    again = train.main(train.Config(**TINY, out=tmp_path, tensorboard=False))
    assert again == results, "same seed, same results; TensorBoard only watches"
    assert not (tmp_path / "tensorboard").exists()
    assert [result.seed for result in results.runs] == [0, 1]
    data = load_part("digit_study.images")
    known, test = data.load_images("digits", torch.device("cpu"))
    alone, _ = train.train(train.Config(**TINY), 1, *data.hold_out(known, 1, 5), silent)
    assert replace(alone, test_accuracy=results.runs[1].test_accuracy) == results.runs[1]
    assert results.runs[0].steps == [5, 10, 12]
    for result in results.runs:
        best = result.steps.index(result.best_step)
        assert result.validation_losses[best] == min(result.validation_losses)
        assert result.best_validation_accuracy == result.validation_accuracies[best]
    assert results.test_accuracy == pytest.approx(sum(result.test_accuracy for result in results.runs) / 2)
    assert len(results.mistakes) == round(899 * (1 - results.runs[0].test_accuracy))
    assert all(test.labels[each.index] == each.label != each.predicted for each in results.mistakes)


def test_event_files_hold_scalars_images_histograms_and_the_graph(train: ModuleType, load_part, trained):
    results = run_once(train, trained)
    events = EventAccumulator(str(trained.folder / "tensorboard" / "seed1")).Reload()
    tags = events.Tags()
    result = results.runs[1]
    for name, curve in (
        ("loss/train", result.train_losses),
        ("loss/validation", result.validation_losses),
        ("accuracy/validation", result.validation_accuracies),
    ):
        assert [event.step for event in events.Scalars(name)] == result.steps
        assert [event.value for event in events.Scalars(name)] == pytest.approx(curve, rel=1e-5)
    rates = [event.value for event in events.Scalars("learning_rate")]
    assert rates[-1] < rates[0] <= 3e-3
    assert tags["images"] == ["augmented"]
    assert events.Images("augmented")[0].width > 8 * 8
    network = load_part("digit_study.networks").resnet(TINY["widths"])
    assert set(tags["histograms"]) == {
        f"{kind}/{name}" for kind in ("weight", "gradient") for name, _ in network.named_parameters()
    }
    assert events.Histograms("gradient/head.3.weight")[0].histogram_value.num == 8 * 10
    histograms = {name: events.Histograms(name)[-1].histogram_value for name in tags["histograms"]}
    squares = sum(each.sum_squares for name, each in histograms.items() if name.startswith("gradient/"))
    assert 0 < squares < 1.001, "gradients are clipped to a norm of 1"
    assert histograms["weight/stem.0.1.weight"].sum == pytest.approx(6, rel=0.2), "gains of batch norm start at 1"
    assert tags["graph"]
    assert "block1" in events.Graph().SerializeToString().decode("latin-1")


def test_a_second_run_hides_the_events_of_the_first(train: ModuleType, tmp_path: Path):
    folder = tmp_path / "tensorboard" / "seed0"
    with SummaryWriter(str(folder)) as writer:
        writer.add_scalar("loss/train", 1.0, 99)
    time.sleep(1.1)  # event files are told apart by the second that they were made in
    train.main(train.Config(**TINY | {"seeds": 1, "steps": 2, "eval_every": 1}, test=False, out=tmp_path))
    assert [event.step for event in EventAccumulator(str(folder)).Reload().Scalars("loss/train")] == [1, 2]


def test_every_parameter_moves(train: ModuleType, load_part, known, silent):
    config = train.Config(**TINY | {"steps": 2, "warmup": 1, "schedule": "constant"})
    for model in ("resnet", "lenet"):
        torch.manual_seed(3)
        before = load_part("digit_study.networks").build_network(replace(config, model=model), 8).state_dict()
        folds = load_part("digit_study.images").hold_out(known, 0, 5)
        _, after = train.train(replace(config, model=model), 3, *folds, silent)
        still = [name for name, weight in after.state_dict().items() if torch.equal(weight, before[name])]
        assert not still


def test_a_network_beats_the_linear_model_on_the_same_fold(train: ModuleType, load_part, known, silent):
    baselines = load_part("baselines")
    images, labels = baselines.load_flat_digits()
    linear = baselines.judge(
        baselines.CLASSIFIERS["logistic regression"],
        images.double().numpy(),
        labels.numpy(),
        baselines.Config(shuffles=1),
    )
    config = train.Config(**STILL, widths=(12, 12, 24), steps=150, eval_every=50, warmup=15, device="cpu")
    result, _ = train.train(config, 0, *load_part("digit_study.images").hold_out(known, 0, 5), silent)
    assert result.best_validation_accuracy > linear.by_block[0] + 0.01


def test_patience_ends_training_and_keeps_earlier_weights(train: ModuleType, load_part, known, silent):
    config = train.Config(
        **TINY | {"steps": 40, "eval_every": 1, "learning_rate": 3.0, "schedule": "constant"}, patience=2
    )
    training, validation = load_part("digit_study.images").hold_out(known, 0, 5)
    result, network = train.train(config, 0, training, validation, silent)
    assert result.steps[-1] == result.best_step + 2 < 40
    kept = load_part("digit_study.evaluation").evaluate(network, validation, config.label_smoothing)
    assert kept.loss == pytest.approx(min(result.validation_losses), rel=1e-5)


def test_the_test_half_is_left_alone_when_told_so(train: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    scored = []
    real = train.evaluate

    def evaluate(network: nn.Module, images, smoothing: float):
        scored.append(len(images.labels))
        return real(network, images, smoothing)

    monkeypatch.setattr(train, "evaluate", evaluate)
    config = train.Config(**TINY | {"steps": 2, "eval_every": 2}, tensorboard=False, out=tmp_path)
    results = train.main(replace(config, test=False))
    assert results.test_accuracy is results.committee_accuracy is None
    assert 899 not in scored
    assert list(tmp_path.iterdir()) == []
    scored.clear()
    train.main(config)
    assert scored.count(899) == 2, "once for each seed"


def test_mnist_is_read_from_the_real_files(
    train: ModuleType, load_part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 36), ("t10k", 20)):
        pixels = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        header = np.array([2051, count, 28, 28], dtype=">i4").tobytes()
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        labels = np.arange(count, dtype=np.uint8) % 10
        header = np.array([2049, count], dtype=">i4").tobytes()
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    monkeypatch.setattr(mnist, "fetch", lambda _: raw)
    words = ["--preset", "mnist", "--widths", "4", "8", "8", "--steps", "2", "--warmup", "1", "--eval-every", "1"]
    config = parse_config(train.Config, [*words, "--device", "cpu", "--out", str(tmp_path)], presets=train.PRESETS)
    assert config.data == "mnist"
    results = train.main(config)
    assert (results.train_images, results.validation_images, results.test_images) == (33, 3, 20)
    network, *_ = load_part("digit_study.trained_network").load_trained(tmp_path / "network.pt")
    assert network(torch.zeros(1, 1, 28, 28)).shape == (1, 10), "what is saved is what was trained"


# What reads a trained network, or trains many


def test_looking_inside_sees_what_was_trained(train: ModuleType, trained, load_part):
    results = run_once(train, trained)
    script = load_part("look_inside")
    config = script.Config(run=str(trained.folder), device="cpu")
    inside = script.main(config)
    assert list(inside.stages) == ["pixels", "stem", "block1", "block2"]
    assert inside.stages["block2"].features == 8 * 4 * 4
    assert np.shape(inside.filters) == (6, 3, 3)
    assert np.shape(inside.maps["block1"]) == (6, 8, 8)
    network, validation, *_ = script.load(config.run)
    assert not network.training, "batch norm takes the statistics of training"
    assert inside.image == validation.pixels[2, 0].tolist()
    assert inside.mistakes == results.mistakes
    test = load_part("digit_study.images").load_images("digits", torch.device("cpu"))[1]
    assert inside.mistake_pixels[0] == test.pixels[results.mistakes[0].index, 0].tolist()
    score = load_part("digit_study.evaluation").evaluate(network, validation, 0.1)
    assert score.accuracy == pytest.approx(results.runs[0].best_validation_accuracy)
    assert script.main(config) == inside, "same seed, same results"
    script.plot(inside)


def test_looking_inside_says_what_is_missing(load_part, trained, train: ModuleType, tmp_path: Path):
    run_once(train, trained)
    script = load_part("look_inside")
    command = r"uv run sprints/04_advanced_training_cnn/train\.py"
    for name, wanted in (("train", command), ("train_mnist", f"{command} --preset mnist"), ("else", command)):
        with pytest.raises(ValueError, match=rf"there is no .*/{name}/network\.pt: {wanted} makes it"):
            script.main(script.Config(run=str(tmp_path / name)))
    with pytest.raises(ValueError, match="--image must be below 180"):
        script.main(script.Config(run=str(trained.folder), image=500))


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_network_that_is_not_as_it_was_written_is_refused_and_runs_no_code(
    train: ModuleType, trained, load_part, tmp_path: Path
):
    run_once(train, trained)
    file, script = tmp_path / "network.pt", load_part("look_inside")
    whole = (trained.folder / "network.pt").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for damaged in (b"", whole[:-1000], flipped, b"text"):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"network\.pt is truncated, damaged or of another program"):
            script.load(str(tmp_path))
    planted = tmp_path / "planted"
    for content in (Payload(planted), {"recipe": {}, "weights": Payload(planted)}):
        save_sealed(content, file)
        with pytest.raises(ValueError, match="holds more than tensors and plain values"):
            script.load(str(tmp_path))
        torch.save(content, file)
        with pytest.raises(ValueError, match="of another program"):
            script.load(str(tmp_path))
    assert not planted.exists()
    save_sealed({"recipe": {"depth": 3}, "pixels": torch.zeros(1, 1, 8, 8), "weights": {}}, file)
    with pytest.raises(ValueError, match=r"holds no network as train\.py makes it now"):
        script.load(str(tmp_path))


def test_the_ablation_searches_for_every_case_and_measures_on_other_blocks(
    train: ModuleType, load_part, silent, known, monkeypatch: pytest.MonkeyPatch
):
    script, data = load_part("ablation"), load_part("digit_study.images")
    trials = load_part("digit_study.trials")
    asked, real = [], trials.build_network

    def build_small_network(recipe, size: int) -> nn.Module:
        asked.append(recipe)
        return real(replace(recipe, widths=(4, 4)), size)

    images, labels = data.load_digits()
    images[898:], labels[898:] = math.nan, -1  # whoever reads the test half fails
    monkeypatch.setattr(data, "load_digits", lambda: (images, labels))
    monkeypatch.setattr(trials, "build_network", build_small_network)
    cases = ("whole recipe", "no batch norm", "nothing of these")
    config = script.Config(steps=12, rates=(0.01, 1e-6), search=1, seeds=2, processes=1, cases=cases)
    results = script.main(config)
    assert {(recipe.steps, recipe.warmup) for recipe in asked} == {(12, 1)}
    rates = [1e-6, 0.01] * 3 + [case.learning_rate for case in results.cases.values() for _ in range(2)]
    assert [recipe.learning_rate for recipe in asked] == rates, "each case tries the same rates and measures its best"
    assert [recipe.norm for recipe in asked] == [True] * 2 + [False] * 4 + [True] * 2 + [False] * 4
    for case in results.cases.values():
        assert case.searched[str(case.learning_rate)] == max(case.searched.values())
        assert case.at_the_edge, "there are only two rates"
    first, second, third = results.cases.values()
    assert first.change == (0, 0)
    assert second.change[0] == pytest.approx(second.accuracy[0] - first.accuracy[0])
    assert results.pair is not None
    assert results.pair[0] == pytest.approx(second.accuracy[0] - third.accuracy[0])
    # The same run by train.py: the last weights, on the last of three blocks, whose number is the seed
    whole = train.Config(
        widths=(4, 4), norm=False, steps=12, warmup=1, eval_every=12, device="cpu", learning_rate=second.learning_rate
    )
    result, _ = train.train(whole, 2, *data.hold_out(known, 2, 3), silent)
    assert second.accuracies[1] == result.validation_accuracies[-1]
    script.plot(results)


def test_a_trial_renews_running_averages_over_one_epoch_if_asked(load_part, monkeypatch: pytest.MonkeyPatch):
    trials, recipe = load_part("digit_study.trials"), load_part("digit_study.recipe").Recipe
    seen: list[int] = []
    monkeypatch.setattr(trials, "renew_running_averages", lambda _network, batches: seen.append(len(list(batches))))
    small = recipe(widths=(4, 4), steps=2, warmup=1, batch_size=64)
    trials.validation_accuracy(trials.Trial(small, 0, 5, 0))
    assert not seen
    trials.validation_accuracy(trials.Trial(small, 0, 5, 0, fresh_averages=True))
    assert seen == [12], "898 images, a fifth of them held out, in batches of 64"


def test_the_blocks_of_the_search_measure_nothing(load_part):
    split = load_part("ablation").split_blocks
    assert split(2, 5) == ([0, 3], [1, 2, 4, 5, 6])
    for search, measured in ((1, 1), (1, 4), (4, 1), (2, 9)):
        searching, measuring = split(search, measured)
        assert (len(searching), len(measuring)) == (search, measured)
        assert sorted(searching + measuring) == list(range(search + measured))


def test_a_training_that_diverges_is_scored_by_its_last_finite_weights(load_part, monkeypatch: pytest.MonkeyPatch):
    trials, recipe = load_part("digit_study.trials"), load_part("digit_study.recipe").Recipe(widths=(4, 4))

    def diverge(*_arguments, **_options):
        yield 1, 2.3
        raise trials.NonFiniteTraining(2, "loss", math.inf)

    monkeypatch.setattr(trials, "train_steps", diverge)
    accuracy = trials.validation_accuracy(trials.Trial(recipe, block=0, blocks=5, seed=0))
    assert 0 <= accuracy <= 0.3, "ten classes, and no step was taken"


def test_every_case_of_the_ablation_changes_the_recipe(load_part):
    script, recipe = load_part("ablation"), load_part("digit_study.recipe").Recipe
    whole = asdict(recipe())
    for name, options in script.CASES.items():
        case = asdict(replace(recipe(), **options))
        assert {key for key, value in case.items() if value != whole[key]} == set(options), name
        assert {key: type(value) for key, value in case.items()} == {key: type(value) for key, value in whole.items()}


def test_shuffled_validation_promises_more_than_blocks(load_part):
    script = load_part("baselines")
    results = script.main(script.Config(shuffles=2))
    for name, accuracies in results.accuracies.items():
        if name != "most frequent digit":
            assert accuracies.shuffled > accuracies.test > accuracies.blocks, name
    assert results.accuracies["SVC"].test == pytest.approx(0.969, abs=0.001)
    assert results.accuracies["logistic regression"].test == pytest.approx(0.934, abs=0.005)
    assert script.main(script.Config(shuffles=2)) == results, "same seed, same results"
