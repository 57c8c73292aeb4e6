"""Sprint 4's claims, at a small size."""

import math
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.nn import functional
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import affine

from shared.lab.config import parse_config
from shared.lab.results import save_results

TINY = {
    "widths": (6, 6, 8), "seeds": 2, "steps": 12, "warmup": 3, "eval_every": 5, "batch_size": 32, "device": "cpu",
}  # fmt: skip
STILL = {"rotation": 0.0, "scaling": 0.0, "shear": 0.0, "shift": 0.0}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def convolution(load_sprint) -> ModuleType:
    return load_sprint("04_advanced_training_cnn/convolution.py")


@pytest.fixture
def schedules(load_sprint) -> ModuleType:
    return load_sprint("04_advanced_training_cnn/schedules.py")


@pytest.fixture
def train(load_sprint) -> ModuleType:
    return load_sprint("04_advanced_training_cnn/train.py")


# Convolution and pooling


def test_loops_product_and_library_agree_in_values_and_gradients(convolution: ModuleType):
    results = convolution.main(convolution.Config(size=7, images=1, repeats=1))
    for name, found in results.geometries.items():
        assert found.loops < 1e-13, name
        assert found.product < 1e-13, name
        assert max(found.gradients.values()) < 1e-12, name
    assert results.equivariance < 1e-13, "moving the image moves the map"
    assert results.loops_to_library > 5
    again = convolution.main(convolution.Config(size=7, images=1, repeats=1))
    assert again.geometries == results.geometries, "same seed, same results"


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_every_geometry_equals_the_library_on_images_that_are_not_square(
    convolution: ModuleType, stride: int, padding: int, dilation: int
):
    geometry = convolution.Geometry(stride, padding, dilation)
    shapes = ((2, 3, 6, 9), (4, 3, 3, 3), (4,))
    inputs = [torch.randn(shape, generator=generator(), dtype=torch.float64, requires_grad=True) for shape in shapes]
    expected = convolution.library(*inputs, geometry)
    direction = torch.randn(expected.shape, generator=generator(1), dtype=torch.float64)
    theirs = torch.autograd.grad(expected, inputs, direction)
    for way in (convolution.convolve, convolution.convolve_by_loops):
        ours = way(*inputs, geometry)
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-13)
        for left, right in zip(torch.autograd.grad(ours, inputs, direction), theirs, strict=True):
            torch.testing.assert_close(left, right, rtol=0, atol=1e-12)


def test_the_backward_pass_agrees_with_finite_differences(convolution: ModuleType):
    shapes = ((2, 2, 5, 4), (3, 2, 2, 2), (3,))
    inputs = [torch.randn(shape, generator=generator(), dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(lambda *each: convolution.convolve(*each, convolution.Geometry(2, 1, 2)), inputs)


def test_putting_back_is_the_transpose_of_cutting_windows(convolution: ModuleType):
    geometry = convolution.Geometry(2, 1, 2)
    images = torch.randn(2, 3, 8, 7, generator=generator(), dtype=torch.float64)
    columns = convolution.windows(images, 3, geometry)
    other = torch.randn(columns.shape, generator=generator(1), dtype=torch.float64)
    back = convolution.put_back(other, (8, 7), 3, geometry)
    assert (columns * other).sum().item() == pytest.approx((images * back).sum().item(), rel=1e-12)


def test_a_window_that_does_not_fit_is_refused(convolution: ModuleType, load_sprint):
    with pytest.raises(ValueError, match="reaches over 7 pixels of 6; add padding"):
        convolution.output_size(4, 3, convolution.Geometry(padding=1, dilation=3))
    pooling = load_sprint("04_advanced_training_cnn/pooling.py")
    with pytest.raises(ValueError, match=r"must fit into the image of \(2, 2\) pixels; got 3"):
        pooling.max_pool(torch.zeros(1, 1, 2, 2), 3, 1)


def test_max_pooling_equals_the_library(load_sprint):
    pooling = load_sprint("04_advanced_training_cnn/pooling.py")
    for kernel, stride in ((2, 2), (3, 2), (3, 1), (2, 3)):
        images = torch.randn(2, 3, 7, 9, generator=generator(), dtype=torch.float64, requires_grad=True)
        ours, theirs = pooling.max_pool(images, kernel, stride), functional.max_pool2d(images, kernel, stride)
        assert torch.equal(ours, theirs)
        direction = torch.randn(ours.shape, generator=generator(1), dtype=torch.float64)
        ours_back, theirs_back = (torch.autograd.grad(pooled, images, direction)[0] for pooled in (ours, theirs))
        torch.testing.assert_close(ours_back, theirs_back, rtol=0, atol=1e-14)


def test_only_the_maximum_over_all_places_ignores_a_move(load_sprint):
    pooling = load_sprint("04_advanced_training_cnn/pooling.py")
    results = pooling.main(pooling.Config(images=20, farthest=2))
    assert results.value_difference == results.gradient_difference == 0
    assert results.pixels_with_gradient == 0.25
    for changes in results.changes.values():
        assert max(changes.pop("filters, max over all")) < 1e-6
        for name, by_shift in changes.items():
            assert by_shift[0] == 0, name
            assert by_shift[1] > 0.2, name
    wide, narrow = results.changes["24 x 24 pixels"], results.changes["8 x 8 pixels"]
    assert all(wide[name][1] < narrow[name][1] / 2 for name in wide), "a pixel is less of a wider stroke"


# Receptive field


def test_receptive_fields_by_formula_are_those_measured(load_sprint):
    script = load_sprint("04_advanced_training_cnn/receptive_field.py")
    draw = generator()
    for _ in range(12):
        depth = int(torch.randint(1, 5, (), generator=draw))
        rows = [torch.randint(1, 4, (3,), generator=draw).tolist() for _ in range(depth)]
        layers = [script.Layer(kernel + 1, stride, dilation) for kernel, stride, dilation in rows]
        assert script.measure(layers) == script.receptive_field(layers)[0], layers
    assert script.receptive_field([script.Layer(3), script.Layer(2, 2), script.Layer(3, dilation=2)]) == (12, 2)


def test_the_effective_field_grows_with_the_root_of_the_depth(load_sprint):
    script = load_sprint("04_advanced_training_cnn/receptive_field.py")
    config = script.Config(depths=(2, 8), draws=30, channels=8)
    results = script.main(config)
    assert all(field["formula"] == field["measured"] for field in results.fields.values())
    assert results.fields["three 3 x 3"]["formula"] == results.fields["one 7 x 7"]["formula"] == 7
    assert results.effective["linear"] == pytest.approx(results.predicted, rel=0.08)
    assert results.predicted[1] == pytest.approx(2 * results.predicted[0])
    assert results.effective["linear"][1] < 0.6 * results.theoretical[1]
    assert script.main(config) == results, "same seed, same results"


def test_a_field_that_reaches_the_border_is_refused(load_sprint, monkeypatch: pytest.MonkeyPatch):
    script = load_sprint("04_advanced_training_cnn/receptive_field.py")
    monkeypatch.setattr(script, "receptive_field", lambda _: (3, 1))  # a formula that is too small
    with pytest.raises(ValueError, match="must lie inside the image"):
        script.measure([script.Layer(3), script.Layer(3)])


# Schedules


@pytest.mark.parametrize("steps", [21, 60, 140])
def test_schedules_are_those_of_pytorch(schedules: ModuleType, steps: int):
    losses = torch.rand(steps, generator=generator()).tolist()
    names = ("constant", "staircase", "exponential", "linear", "cosine", "cosine with restarts", "one cycle", "plateau")
    for name in names:
        assert schedules.difference(name, steps, losses) < 1e-12, name


def test_schedules_start_and_end_where_they_should(schedules: ModuleType):
    for name in ("linear", "cosine", "exponential"):
        factor = schedules.ours(name, 100)
        falling = [factor(step) for step in range(100)]
        assert falling[0] == 1
        assert falling == sorted(falling, reverse=True)
        assert falling[-1] < 0.02
    assert schedules.cosine(50, 100) == pytest.approx(0.5)
    assert [schedules.restarts(step, first=10) for step in (10, 30)] == [1, 1]
    assert schedules.one_cycle(29, 100) == pytest.approx(1), "the peak is after the rise"


def test_schedules_are_compared_on_the_first_half_alone(schedules: ModuleType, monkeypatch: pytest.MonkeyPatch):
    images, labels = schedules.load_digits()
    images[898:], labels[898:] = math.nan, -1  # whoever reads the test half fails
    monkeypatch.setattr(schedules, "load_digits", lambda: (images, labels))
    config = schedules.Config(steps=7, folds=2, rates=(0.1,), device="cpu")
    results = schedules.main(config)
    assert len(results.schedules) == 8
    assert results.schedules["constant"].gain == 0
    for found in results.schedules.values():
        assert found.loss == min(found.losses.values())
        assert math.isfinite(found.loss)
    assert schedules.main(config) == results, "same seed, same results"
    with pytest.raises(ValueError, match="--folds must be at least 2"):
        schedules.main(replace(config, folds=1))


# Data, networks and parts of the loop


def test_validation_comes_out_of_the_first_half_in_blocks(train: ModuleType):
    known, test = train.load_images("digits", torch.device("cpu"))
    images, labels = train.load_digits()
    assert (len(known.labels), len(test.labels)) == (898, 899)
    assert torch.equal(known.labels, labels[:898])
    assert torch.equal(test.pixels, images[898:])
    numbered = train.Images(torch.arange(898.0).view(-1, 1, 1, 1), torch.arange(898))
    seen = []
    for fold in range(5):
        training, validation = train.hold_out(numbered, fold, 5)
        assert sorted(training.labels.tolist() + validation.labels.tolist()) == list(range(898))
        assert validation.labels.diff().eq(1).all(), "neighbours stay together"
        assert torch.equal(validation.pixels.flatten().long(), validation.labels)
        seen += validation.labels.tolist()
    assert seen == list(range(898)), "each image validates once"
    with pytest.raises(ValueError, match="--folds must be between 2 and the 898 images; got 1"):
        train.hold_out(known, 0, 1)


@pytest.mark.parametrize("name", ["rotation", "scaling", "shear", "shift"])
def test_random_affine_is_torchvisions_affine(train: ModuleType, name: str):
    amount = {"rotation": 30.0, "scaling": 0.3, "shear": 0.4, "shift": 3.0}[name]
    pixels = torch.rand(4, 1, 12, 12, generator=generator(5))
    ours = train.random_affine(pixels, generator(), **STILL | {name: amount})
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


def test_no_augmentation_leaves_images_as_they_are(train: ModuleType):
    pixels = torch.rand(3, 1, 8, 8, generator=generator())
    torch.testing.assert_close(train.random_affine(pixels, generator(), **STILL), pixels, rtol=0, atol=1e-6)
    images = train.Images(pixels, torch.arange(3))
    config = train.Config(**TINY | STILL)
    stream = train.batches(images, config, generator())
    for _ in range(3):
        batch = next(stream)
        assert sorted(batch.labels.tolist()) == [0, 1, 2], "an epoch has every image once"
        assert torch.equal(batch.pixels, pixels[batch.labels])


def test_smoothed_targets_are_a_mixture_with_the_uniform_distribution(train: ModuleType):
    logits, labels = torch.randn(5, 10, generator=generator()), torch.arange(5)
    loss, count = train.smoothed_loss(lambda _: logits, train.Images(torch.zeros(5, 1, 8, 8), labels), 0.2)
    targets = 0.8 * functional.one_hot(labels, 10) + 0.2 / 10
    assert loss.item() == pytest.approx(-(targets * logits.log_softmax(1)).sum().item(), rel=1e-5)
    assert count == 5


def test_networks_have_the_sizes_of_their_papers(train: ModuleType):
    def count(network: nn.Module) -> int:
        return sum(weight.numel() for weight in network.parameters())

    network = train.lenet(28, 0.0)
    # LeCun et al. 1998 pad the images to 32 pixels and not the second convolution: 5 x 5 places instead of 7 x 7.
    assert count(network) == 61_706 + 120 * 16 * (7 * 7 - 5 * 5)
    assert network(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    config = train.Config(widths=(8, 8, 16, 32))
    network = train.resnet(config)
    maps = torch.zeros(2, 1, 8, 8)
    shapes = [tuple((maps := part(maps)).shape[1:]) for part in network]
    assert shapes == [(8, 8, 8), (8, 8, 8), (16, 4, 4), (32, 2, 2), (10,)]
    plain = train.resnet(replace(config, norm=False))
    assert not [part for part in plain.modules() if isinstance(part, nn.BatchNorm2d)]
    assert plain.block1.first[0].bias is not None


def test_a_residual_block_whose_branch_is_silent_is_the_identity(train: ModuleType):
    block = train.Residual(4, 4, 1, norm=True)
    nn.init.zeros_(block.second[1].weight)
    images = torch.rand(2, 4, 5, 5, generator=generator())
    assert torch.equal(block(images), images)


def test_early_stopping_waits_and_gives_the_best_weights_back(train: ModuleType):
    model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    stopping = train.EarlyStopping(model, patience=3)
    stopped, kept = [], {}
    for step, loss in enumerate((2.0, 1.0, 1.5, 0.5, 0.7, 0.6, 0.9), start=1):
        for value in model.state_dict().values():
            value.fill_(step)  # training goes on in the same memory
        stopped.append(stopping.update(step, loss))
        if step == 4:
            kept = {name: value.clone() for name, value in model.state_dict().items()}
    assert stopped == [False] * 6 + [True]
    assert (stopping.step, stopping.lowest) == (4, 0.5)
    stopping.restore()
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())
    assert kept["1.running_mean"].item() == 4, "with the statistics of batch norm"


def test_evaluation_leaves_out_dropout_and_scores_all_images(train: ModuleType):
    known, _ = train.load_images("digits", torch.device("cpu"))
    images = train.Images(known.pixels.repeat(2, 1, 1, 1)[:1100], known.labels.repeat(2)[:1100])  # two parts
    model = train.resnet(train.Config(widths=(4, 4), dropout=0.9))
    score = train.evaluate(model, images, 0.1)
    logits = model.eval()(images.pixels)
    loss, count = train.smoothed_loss(model, images, 0.1)
    assert score.loss == pytest.approx(loss.item() / count, rel=1e-5), "the loss of training"
    assert score.accuracy == pytest.approx((logits.argmax(1) == images.labels).float().mean().item())
    assert torch.allclose(score.probabilities.sum(1), torch.ones(1100))


# The whole loop


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """One tiny run that several tests look at."""
    return SimpleNamespace(folder=tmp_path_factory.mktemp("run"), results=None)


def run_once(train: ModuleType, trained: SimpleNamespace):
    if trained.results is None:
        config = train.Config(**TINY, out=trained.folder)
        trained.results = train.main(config)
        save_results(trained.results, config, script=train.__file__, plot=train.plot)
    return trained.results


def test_training_is_reproducible_and_each_seed_has_its_fold(train: ModuleType, trained, tmp_path: Path):
    results = run_once(train, trained)
    again = train.main(train.Config(**TINY, out=tmp_path, tensorboard=False))
    assert again == results, "same seed, same results; TensorBoard only watches"
    assert [run.seed for run in results.runs] == [0, 1]
    known, _ = train.load_images("digits", torch.device("cpu"))
    alone, _ = train.train(train.Config(**TINY), 1, *train.hold_out(known, 1, 5))
    assert replace(alone, test_accuracy=results.runs[1].test_accuracy) == results.runs[1]
    assert results.runs[0].steps == [5, 10, 12]
    for run in results.runs:
        best = run.steps.index(run.best_step)
        assert run.validation_losses[best] == min(run.validation_losses)
        assert run.best_validation_accuracy == run.validation_accuracies[best]
    assert results.test_accuracy == pytest.approx(sum(run.test_accuracy for run in results.runs) / 2)
    assert len(results.mistakes) == round(899 * (1 - results.runs[0].test_accuracy))
    test = train.load_images("digits", torch.device("cpu"))[1]
    assert all(test.labels[each.index] == each.label != each.predicted for each in results.mistakes)


def test_event_files_hold_scalars_images_histograms_and_the_graph(train: ModuleType, trained):
    results = run_once(train, trained)
    events = EventAccumulator(str(trained.folder / "runs" / "train_seed1")).Reload()
    tags = events.Tags()
    run = results.runs[1]
    for name, curve in (
        ("loss/train", run.train_losses),
        ("loss/validation", run.validation_losses),
        ("accuracy/validation", run.validation_accuracies),
    ):
        assert [event.step for event in events.Scalars(name)] == run.steps
        assert [event.value for event in events.Scalars(name)] == pytest.approx(curve, rel=1e-5)
    rates = [event.value for event in events.Scalars("learning_rate")]
    assert rates[-1] < rates[0] <= 3e-3
    assert tags["images"] == ["augmented"]
    assert events.Images("augmented")[0].width > 8 * 8
    weights = {f"{kind}/{name}" for kind in ("weight", "gradient") for name, _ in train.resnet(
        train.Config(**TINY)
    ).named_parameters()}  # fmt: skip
    assert set(tags["histograms"]) == weights
    assert events.Histograms("gradient/head.3.weight")[0].histogram_value.num == 8 * 10
    histograms = {name: events.Histograms(name)[-1].histogram_value for name in tags["histograms"]}
    squares = sum(each.sum_squares for name, each in histograms.items() if name.startswith("gradient/"))
    assert 0 < squares < 1.001, "gradients are clipped to a norm of 1"
    assert histograms["weight/stem.0.1.weight"].sum == pytest.approx(6, rel=0.2), "gains of batch norm start at 1"
    assert tags["graph"]
    assert "block1" in events.Graph().SerializeToString().decode("latin-1")


def test_a_second_run_hides_the_events_of_the_first(train: ModuleType, tmp_path: Path):
    folder = tmp_path / "runs" / "train_seed0"
    with train.SummaryWriter(str(folder)) as writer:
        writer.add_scalar("loss/train", 1.0, 99)
    time.sleep(1.1)  # event files are told apart by the second that they were made in
    train.main(train.Config(**TINY | {"seeds": 1, "steps": 2, "eval_every": 1}, test=False, out=tmp_path))
    assert [event.step for event in EventAccumulator(str(folder)).Reload().Scalars("loss/train")] == [1, 2]


def test_every_parameter_moves(train: ModuleType):
    config = train.Config(**TINY | {"steps": 2, "warmup": 1, "schedule": "constant"})
    known, _ = train.load_images("digits", torch.device("cpu"))
    for model in ("resnet", "lenet"):
        torch.manual_seed(3)
        before = train.build(replace(config, model=model), 8).state_dict()
        _, after = train.train(replace(config, model=model), 3, *train.hold_out(known, 0, 5))
        still = [name for name, weight in after.state_dict().items() if torch.equal(weight, before[name])]
        assert not still


def test_a_network_beats_the_linear_model_on_the_same_fold(train: ModuleType, load_sprint):
    baselines = load_sprint("04_advanced_training_cnn/baselines.py")
    images, labels = baselines.load_flat_digits()
    linear = baselines.judge(
        baselines.CLASSIFIERS["logistic regression"],
        images.double().numpy(),
        labels.numpy(),
        baselines.Config(shuffles=1),
    )
    known, _ = train.load_images("digits", torch.device("cpu"))
    config = train.Config(**STILL, widths=(12, 12, 24), steps=150, eval_every=50, warmup=15, device="cpu")
    run, _ = train.train(config, 0, *train.hold_out(known, 0, 5))
    assert run.best_validation_accuracy > linear.by_block[0] + 0.01


def test_patience_ends_training_and_keeps_earlier_weights(train: ModuleType):
    known, _ = train.load_images("digits", torch.device("cpu"))
    config = train.Config(
        **TINY | {"steps": 40, "eval_every": 1, "learning_rate": 3.0, "schedule": "constant"}, patience=2
    )
    training, validation = train.hold_out(known, 0, 5)
    run, model = train.train(config, 0, training, validation)
    assert run.steps[-1] == run.best_step + 2 < 40
    assert train.evaluate(model, validation, config.label_smoothing).loss == pytest.approx(
        min(run.validation_losses), rel=1e-5
    )


def test_the_test_half_is_left_alone_when_told_so(train: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    scored = []
    real = train.evaluate

    def evaluate(model: nn.Module, images, smoothing: float):
        scored.append(len(images.labels))
        return real(model, images, smoothing)

    monkeypatch.setattr(train, "evaluate", evaluate)
    config = train.Config(**TINY | {"steps": 2, "eval_every": 2}, tensorboard=False, out=tmp_path)
    results = train.main(replace(config, test=False))
    assert results.test_accuracy is results.committee_accuracy is None
    assert 899 not in scored
    scored.clear()
    train.main(config)
    assert scored.count(899) == 2, "once for each seed"


def test_mnist_is_read_from_the_real_files(train: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 36), ("t10k", 20)):
        pixels = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        header = np.array([2051, count, 28, 28], dtype=">i4").tobytes()
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        labels = np.arange(count, dtype=np.uint8) % 10
        header = np.array([2049, count], dtype=">i4").tobytes()
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    monkeypatch.setattr(train, "fetch", lambda _: raw)
    words = ["--preset", "mnist", "--widths", "4", "8", "8", "--steps", "2", "--warmup", "1", "--eval-every", "1"]
    config = parse_config(train.Config, [*words, "--device", "cpu", "--out", str(tmp_path)], presets=train.PRESETS)
    assert config.data == "mnist"
    results = train.main(config)
    assert (results.train_images, results.validation_images, results.test_images) == (33, 3, 20)
    assert train.run_name(config) == "train_mnist"
    assert (tmp_path / "checkpoints" / "train_mnist.pt2").exists()


# What reads a trained network, or trains many


def test_looking_inside_sees_what_was_trained(train: ModuleType, trained, load_sprint):
    results = run_once(train, trained)
    script = load_sprint("04_advanced_training_cnn/look_inside.py")
    config = script.Config(out=trained.folder, device="cpu")
    found = script.main(config)
    assert list(found.stages) == ["pixels", "stem", "block1", "block2"]
    assert found.stages["block2"].features == 8 * 4 * 4
    assert np.shape(found.filters) == (6, 3, 3)
    assert np.shape(found.maps["block1"]) == (6, 8, 8)
    assert found.image == script.load(config)[1]["pixels"][2, 0].tolist()
    assert found.mistakes == [asdict(mistake) for mistake in results.mistakes]
    test = train.load_images("digits", torch.device("cpu"))[1]
    assert found.mistake_pixels[0] == test.pixels[results.mistakes[0].index, 0].tolist()
    network, images, _ = script.load(config)
    score = train.evaluate(network, train.Images(images["pixels"], images["labels"]), 0.1)
    assert score.accuracy == pytest.approx(results.runs[0].best_validation_accuracy)
    assert script.main(config) == found, "same seed, same results"
    script.plot(found)


def test_looking_inside_says_what_is_missing(load_sprint, trained, train: ModuleType, tmp_path: Path):
    run_once(train, trained)
    script = load_sprint("04_advanced_training_cnn/look_inside.py")
    with pytest.raises(ValueError, match=r"no train\.pt2: run train\.py first"):
        script.main(script.Config(out=tmp_path))
    with pytest.raises(ValueError, match="--image must be below 180"):
        script.main(script.Config(out=trained.folder, image=500))


def test_the_ablation_runs_its_cases_and_compares_fold_by_fold(
    train: ModuleType, load_sprint, monkeypatch: pytest.MonkeyPatch
):
    script = load_sprint("04_advanced_training_cnn/ablation.py")
    asked = []

    def in_this_process(command: list[str], **_) -> SimpleNamespace:
        config = parse_config(train.Config, command[2:], presets=train.PRESETS)
        asked.append(config)
        save_results(train.main(replace(config, widths=(4, 4))), config, script=train.__file__)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(script.subprocess, "run", in_this_process)
    config = script.Config(steps=3, seeds=2, processes=1, cases=("whole recipe", "no augmentation", "no batch norm"))
    results = script.main(config)
    assert [case.test for case in asked] == [False] * 3, "the test half is left alone"
    assert [case.norm for case in asked] == [True, True, False]
    assert [case.shift for case in asked] == [0.8, 0.0, 0.8]
    first, second, _ = results.cases.values()
    assert first.change == first.change_error == 0
    assert second.change == pytest.approx(second.accuracy - first.accuracy)
    script.plot(results)
    with pytest.raises(ValueError, match=r"--cases must be out of whole recipe, .*; got 'no luck'"):
        script.main(replace(config, cases=("no luck",)))


def test_every_case_of_the_ablation_is_a_command_of_train(train: ModuleType, load_sprint):
    script = load_sprint("04_advanced_training_cnn/ablation.py")
    whole = asdict(train.Config())
    for name, options in script.CASES.items():
        words = [f"--{key}" if value is None else f"--{key}={value}" for key, value in options.items()]
        config = asdict(parse_config(train.Config, words, presets=train.PRESETS))
        changed = {key for key, value in config.items() if value != whole[key]}
        assert len(changed) == len(options), f"{name} changes what it names"


def test_training_that_fails_is_reported(load_sprint, monkeypatch: pytest.MonkeyPatch):
    script = load_sprint("04_advanced_training_cnn/ablation.py")
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="no memory")
    monkeypatch.setattr(script.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match=r"training failed for 'whole recipe' with .*: no memory"):
        script.run("whole recipe", script.Config())


def test_shuffled_validation_promises_more_than_blocks(load_sprint):
    script = load_sprint("04_advanced_training_cnn/baselines.py")
    results = script.main(script.Config(shuffles=2))
    for name, found in results.accuracies.items():
        if name != "most frequent digit":
            assert found.shuffled > found.test > found.blocks, name
    assert results.accuracies["SVC"].test == pytest.approx(0.969, abs=0.001)
    assert results.accuracies["logistic regression"].test == pytest.approx(0.934, abs=0.005)
    assert script.main(script.Config(shuffles=2)) == results, "same seed, same results"


def test_channels_lie_last_only_where_they_fill_vectors(train: ModuleType):
    assert train.memory_format(train.resnet(train.Config(widths=(8, 24)))) == torch.channels_last
    assert train.memory_format(train.resnet(train.Config(widths=(8, 12)))) == torch.contiguous_format
    assert train.memory_format(train.lenet(8, 0.0)) == torch.contiguous_format
