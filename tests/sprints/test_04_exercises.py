"""The answers that the exercises of sprint 4 give on paper, and the numbers that its notes work out by hand."""

import math
from pathlib import Path

import pytest
import torch
from lesson_texts import lesson_texts, shown
from torch import Tensor, nn
from torch.nn import functional

SPRINT = Path(__file__).parents[2] / "sprints/04_advanced_training_cnn"
PAGE, note = lesson_texts("04_advanced_training_cnn")


@pytest.fixture
def load(load_sprint):
    return lambda name: load_sprint(f"04_advanced_training_cnn/{name}.py")


def entropy(target: Tensor) -> float:
    return -(target * target.log()).sum().item()


# on paper


def test_a_map_by_hand(load):
    script = load("conv_by_hand")
    picture = [[1, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0], [1, 1, 0, 2]]
    weights = [[1, 0], [0, -1]]
    by_stride = {stride: script.convolve(picture, weights, stride) for stride in (1, 2)}
    for stride, table in by_stride.items():
        expected = functional.conv2d(
            torch.tensor(picture)[None, None].float(), torch.tensor(weights)[None, None].float(), stride=stride
        )
        assert table == expected[0, 0].int().tolist()
        for row in table:
            assert f"({', '.join(str(number) for number in row)})".replace("-", "−") in PAGE
    assert len(script.convolve(script.pad(picture, 1), weights)) == 5


def test_count():
    layers = nn.Sequential(
        nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip
    shapes, images = [], torch.zeros(2, 3, 32, 32)
    for layer in layers:
        images = layer(images)
        shapes.append(str(tuple(images.shape[1:])))
    assert f"{shapes[0]}, {shapes[2]}, {shapes[3]}, {shapes[7]}, {shapes[8]}" in PAGE
    assert f"{sum(parameter.numel() for parameter in layers.parameters()):,}" in PAGE


def test_the_field_of_the_count(load):
    stacks = load("digit_study/stacks")
    layers = [stacks.Layer(5), stacks.Layer(2, 2), stacks.Layer(3)]
    assert stacks.receptive_field(layers) == (10, 2)
    assert "2 · 2 = 10 pixels" in PAGE


def test_batch_norm_on_paper(load):
    channel = load("norm_by_hand").train_on([0, 2, 4, 10], 0.1)
    shown(PAGE, *channel.normalised[:2], channel.normalised[3], channel.running_variance, math.sqrt(channel.variance))
    assert channel.running_mean == pytest.approx(0.4)
    shown(PAGE, (10 - channel.running_mean) / math.sqrt(channel.running_variance))


def test_smoothed_targets_on_paper():
    target = torch.tensor([0.92, *[0.02] * 4], dtype=torch.float64)
    shown(PAGE, entropy(target), math.log(5))
    logits = torch.zeros(1, 5)
    for smoothing in (0.0, 0.1):
        loss = functional.cross_entropy(logits, torch.tensor([0]), label_smoothing=smoothing)
        assert loss.item() == pytest.approx(math.log(5), abs=1e-6)


def test_a_committee_on_paper():
    def count(first: list[float], second: list[float]) -> tuple[list[int], list[float]]:
        members = torch.tensor([first, second], dtype=torch.float64)
        members = torch.cat([members, members.mean(0, keepdim=True)])
        return (members > 0.5).sum(1).tolist(), (-members.log()).mean(1).tolist()

    right, losses = count([0.9, 0.4, 0.6], [0.3, 0.7, 0.55])
    assert right == [2, 2, 3]
    shown(PAGE, losses[0], losses[1], sum(losses[:2]) / 2, losses[2])
    right, losses = count([0.9, 0.25, 0.6], [0.05, 0.7, 0.55])
    assert right == [2, 2, 1]
    shown(PAGE, losses[2], sum(losses[:2]) / 2)


# notes 1 and 2


def test_note_1_a_convolution_by_hand(load):
    script = load("conv_by_hand")
    results = script.main(script.Config())
    picture, weights = (torch.tensor(table)[None, None].float() for table in (script.PICTURE, script.FILTER))
    for stride in (1, 2):
        for padding in (0, 1):
            ours = script.main(script.Config(row=0, column=0, stride=stride, padding=padding)).map
            assert ours == functional.conv2d(picture, weights, stride=stride, padding=padding)[0, 0].int().tolist()
    for number, row in enumerate(results.map):
        assert f"| row {number} | {' | '.join(str(value) for value in row)} |".replace("-", "−") in note(1)
    assert sum(map(sum, results.products)) == results.map[1][2] == -4
    assert script.main(script.Config(row=0, column=0, stride=2)).map == [[6, -6], [4, -2]]
    assert "6, −6 and 4, −2" in note(1)
    script.plot(results)
    size = load("digit_study/geometry").output_size
    geometry = load("digit_study/geometry").Geometry
    assert size(28, 5, geometry(2, 2)) == 14
    assert sum(parameter.numel() for parameter in nn.Conv2d(16, 32, 3).parameters()) == 4640
    assert sum(parameter.numel() for parameter in nn.Linear(64, 64).parameters()) == 4160


def test_note_1_two_convolutions_without_relu_are_one_larger():
    generator = torch.Generator().manual_seed(0)
    picture = torch.randn(1, 1, 9, 9, generator=generator, dtype=torch.float64)
    first, second = torch.randn(2, 1, 1, 3, 3, generator=generator, dtype=torch.float64)
    # The larger filter is the one laid over the other in all places (flipped, as the mathematical convolution is).
    larger = functional.conv2d(functional.pad(first, [2] * 4), second.flip(2, 3))
    two = functional.conv2d(functional.conv2d(picture, first), second)
    torch.testing.assert_close(two, functional.conv2d(picture, larger))


def test_a_place_outside_of_the_map_is_refused(refusal):
    script = "04_advanced_training_cnn/conv_by_hand.py"
    assert "--row and --column must be below 3" in refusal(script, "--row 3")
    assert "--row and --column must be below 2" in refusal(script, "--stride 2")


def test_note_2_pooling_by_hand(load):
    script = load("pool_by_hand")
    results = script.main(script.Config())
    for pooled in (results.still, results.moved):
        table = torch.tensor(pooled.map)[None].float()
        assert pooled.largest == functional.max_pool2d(table, 2)[0].tolist()
        assert pooled.mean == functional.avg_pool2d(table, 2)[0].tolist()
        assert pooled.every_other == table[0, ::2, ::2].tolist()
    changed = [before != after for rows in zip(results.still.largest, results.moved.largest, strict=True)
               for before, after in zip(*rows, strict=True)]  # fmt: skip
    assert all(changed), "the note says that the largest numbers of all four windows are others"
    script.plot(results)


@pytest.mark.parametrize("strides", [(1, 2, 1), (2, 2, 1), (1, 1, 1), (2,)])
def test_note_2_the_cone_is_the_receptive_field(load, strides: tuple[int, ...]):
    script = load("field_by_hand")
    results = script.main(script.Config(strides=strides))
    assert len(results.seen[0]) == results.fields[-1]
    # By a gradient: exactly the dark pixels move the feature.
    pixels = torch.zeros(1, 1, results.sizes[0], requires_grad=True)
    features = pixels
    for stride in strides:
        features = functional.conv1d(features, torch.ones(1, 1, 3), stride=stride)
    assert features.shape[2] == results.sizes[-1]
    (gradient,) = torch.autograd.grad(features[0, 0, results.seen[-1][0]], pixels)
    assert gradient[0, 0].nonzero()[:, 0].tolist() == results.seen[0]
    script.plot(results)


def test_note_2_questions(load):
    stacks = load("digit_study/stacks")
    pool = stacks.Layer(2, 2)
    assert stacks.receptive_field([stacks.Layer(3), pool, stacks.Layer(3), pool])[0] == 10
    assert stacks.receptive_field([stacks.Layer(3, dilation=rate) for rate in (1, 2, 4, 8)])[0] == 31


def test_note_2_the_expected_squared_gradient_is_the_predicted_one():
    """The mean over random weights of the squared gradient is the convolution of uniform distributions."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(20_000, 3, 3, generator=generator, dtype=torch.float64)  # draws of three layers of length 3
    gradients = weights[:, 0]
    for layer in (1, 2):
        size = gradients.shape[1] + 2
        longer = torch.zeros(len(gradients), size, dtype=torch.float64)
        for tap in range(3):
            longer[:, tap : tap + size - 2] += gradients * weights[:, layer, tap : tap + 1]
        gradients = longer
    mass = gradients.square().mean(0)
    mass /= mass.sum()
    expected = torch.tensor([1, 3, 6, 7, 6, 3, 1], dtype=torch.float64) / 27
    torch.testing.assert_close(mass, expected, rtol=0.12, atol=0)
    places = torch.arange(-3.0, 4, dtype=torch.float64)
    assert (mass * places**2).sum().item() == pytest.approx(3 * 2 / 3, rel=0.1)


# notes 3 and 4


def test_note_3_batch_norm_by_hand(load):
    script = load("norm_by_hand")
    results = script.main(script.Config())
    layer = nn.BatchNorm2d(2)
    batch = torch.tensor(list(script.BATCH.values())).T[:, :, None, None].float()
    expected = layer(batch)[:, :, 0, 0].T
    assert layer.running_mean is not None
    assert layer.running_var is not None
    for channel, row, mean, variance in zip(
        results.channels.values(), expected, layer.running_mean, layer.running_var, strict=True
    ):
        assert channel.normalised == pytest.approx(row.tolist(), abs=1e-5)
        assert channel.running_mean == pytest.approx(mean.item())
        assert channel.running_variance == pytest.approx(variance.item())
    first = results.channels["channel 1"]
    shown(note(3), first.running_variance, 8 / 3)
    assert f"{0.9**50:.1%}".replace("%", " %") in note(3)
    assert f"{0.4**20:.8f}" in note(3)
    buffers = [buffer.numel() for buffer in nn.BatchNorm2d(24).buffers()]
    assert (sum(parameter.numel() for parameter in nn.BatchNorm2d(24).parameters()), buffers) == (48, [24, 24, 1])
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        layer(torch.zeros(1, 2, 1, 1))
    script.plot(results)


def test_note_3_what_reaches_the_end(load):
    script = load("through_depth")
    results = script.main(script.Config(layers=8, channels=6, images=16, draws=2))
    kinds = results.kinds
    assert kinds["plain"].features[-1] < 0.01 * kinds["plain"].features[0]
    assert kinds["plain"].gradients[0] < 0.01 * kinds["batch norm"].gradients[0]
    for name in ("plain, He's weights", "shortcuts", "batch norm", "both"):
        assert kinds[name].features[-1] > 0.1 * kinds[name].features[0], name
    assert script.main(script.Config(layers=8, channels=6, images=16, draws=2)) == results, "same seed, same results"
    script.plot(results)


def test_note_4_the_parameters_of_lenet_and_of_our_resnet(load):
    networks = load("digit_study/networks")
    network = networks.lenet(8)
    counts = [sum(each.numel() for each in layer.parameters()) for layer in network.modules()
              if isinstance(layer, nn.Conv2d | nn.Linear)]  # fmt: skip
    shown(note(4), *counts, sum(counts), form=",d")
    assert f"{sum(counts[2:]) / sum(counts):.0%}".replace("%", " %") in note(4)
    images = torch.zeros(2, 1, 8, 8)
    for name, part in networks.resnet((24, 24, 48)).named_children():
        images = part(images)
        assert str(tuple(images.shape[1:])) in note(4), name
    resnet = networks.resnet((24, 24, 48))
    assert sum(each.numel() for each in resnet.block2.shortcut.parameters()) == 1248
    assert sum(each.numel() for each in resnet.head.parameters()) == 490
    assert sum(each.numel() for each in networks.lenet(28).head[1].parameters()) == 94_200
    assert f"1.1²⁰ = {1.1**20:.1f}" in note(4)


# notes 5 to 7


def test_note_5_noise_and_the_rate():
    for rate in (0.5, 0.1, 0.01):
        variance = rate / (2 - rate)
        assert (1 - rate) ** 2 * variance + rate**2 == pytest.approx(variance)
        shown(note(5), variance)
    shown(note(5), 0.9**20, 0.99**20, form=".2f")
    assert f"{0.5**20:.6f}" in note(5)
    # Simulated: many weights at once, each with noise of its own
    weights, generator = torch.zeros(20_000), torch.Generator().manual_seed(0)
    for _ in range(60):
        weights = 0.9 * weights - 0.1 * torch.randn(20_000, generator=generator)
    assert weights.var().item() == pytest.approx(0.1 / 1.9, rel=0.05)
    # With the rate 1 / t the weight is minus the mean of the noises.
    noises, weight = torch.randn(50, generator=generator, dtype=torch.float64), 3.0
    for step, noise in enumerate(noises.tolist(), start=1):
        weight = weight - (weight + noise) / step
    assert weight == pytest.approx(-noises.mean().item())


def test_note_5_cosines_by_hand(load):
    from shared.training.schedules import warmup_cosine

    cosine = load("digit_study/rate_schedules").cosine
    factors = [cosine(step, 100) for step in (0, 25, 50, 75, 100)]
    assert factors == pytest.approx([1, 0.854, 0.5, 0.146, 0], abs=5e-4)
    shown(note(5), factors[1], factors[3])
    warm = [warmup_cosine(step, steps=100, warmup=10, floor=0) for step in (0, 9, 10, 55, 100)]
    assert warm == pytest.approx([0.1, 1, 1, 0.5, 0]), "the second question"


def test_note_6_smoothed_targets():
    target = torch.tensor([0.91, *[0.01] * 9], dtype=torch.float64)
    lowest = entropy(target)
    assert f"{lowest:.3f}" == "0.500"
    for right, plain, smoothed in ((0.91, "0.094", "0.500"), (0.99, "0.010", "0.621")):
        logits = torch.tensor([[right, *[(1 - right) / 9] * 9]], dtype=torch.float64).log()
        label = torch.tensor([0])
        assert f"{functional.cross_entropy(logits, label):.3f}" == plain
        assert f"{functional.cross_entropy(logits, label, label_smoothing=0.1):.3f}" == smoothed
        assert plain in note(6)
        assert smoothed in note(6)
    assert f"{math.log(91):.2f}" in note(6)
    shown(note(6), entropy(torch.tensor([0.85, 0.05, 0.05, 0.05])))
    angle = math.radians(10)
    shown(note(6), 3 * math.cos(angle), 3 * math.sin(angle), form=".2f")
    assert f"{1 - 0.95**8:.0%}".replace("%", " %") in note(6)


def test_note_6_an_interval_by_hand():
    from shared.checks.intervals import mean_interval

    mean, half = mean_interval([1, 2, 0, 1, 1])
    assert half is not None
    assert (f"{mean:g}", f"{half:.2f}") == ("1", "0.88")
    assert "2.776 · 0.316 = 0.88: from 0.12 to 1.88" in note(6)


def test_note_6_versions_of_a_digit(load):
    script = load("augmented_digit")
    results = script.main(script.Config(versions=2))
    assert results.label == 6
    assert all(len(versions) == 2 for versions in results.versions.values())
    assert all(version != results.digit for versions in results.versions.values() for version in versions)
    script.plot(results)


def test_note_7_where_it_stops(load):
    script = load("where_it_stops")
    stops = script.main(script.Config()).stops
    assert {patience: (stop.kept, stop.stopped) for patience, stop in stops.items()} == {
        "1": (3, 4), "3": (5, 8), "4": (9, 10),
    }  # fmt: skip
    assert script.follow((0.8, 0.7, 0.7, 0.7, 0.6), 2) == script.Stop(2, 4, 0.7)
    script.plot(script.main(script.Config()))
    script.plot(script.main(script.Config(patiences=(2,))))


def test_note_7_a_committee_can_be_less_accurate_than_its_members():
    members = torch.tensor([0.51, 0.51, 0.10], dtype=torch.float64)
    assert (members > 0.5).double().mean().item() == pytest.approx(2 / 3)
    together = members.mean()
    assert together < 0.5
    shown(note(7), together.item(), -together.log().item(), -members.log().mean().item())


def test_jensen_holds_for_any_committee():
    members = torch.rand(5, 1000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert (-members.mean(0).log() <= -members.log().mean(0) + 1e-12).all()


# notes 8 to 10


def test_note_8_the_log_is_read_back(load, tmp_path: Path):
    script = load("tensorboard_page")
    results = script.main(script.Config(picture=False, out=tmp_path))
    assert results.runs == [f"seed{seed}" for seed in range(5)]
    assert results.tags == sorted(script.TAGS)
    events = script.read_back(tmp_path / "tensorboard" / "seed0").Scalars("loss/train")
    recorded = script.load_results(script.RESULTS)["results"]["runs"][0]
    assert [event.step for event in events] == recorded["steps"]
    assert [event.value for event in events] == pytest.approx(recorded["train_losses"])


def test_note_9_a_product_makes_the_four_points_separable():
    for x, y, group in ((0, 0, "A"), (1, 1, "A"), (0, 1, "B"), (1, 0, "B")):
        assert x + y - 2 * x * y == (0 if group == "A" else 1)


def test_note_10_one_matrix_product_by_hand(load):
    script, geometry = load("convolution_as_product"), load("digit_study/geometry").Geometry()
    by_hand = load("conv_by_hand")
    picture = torch.tensor(by_hand.PICTURE, dtype=torch.float64)[None, None]
    columns = script.windows(picture, 3, geometry)[0]
    assert columns.shape == (9, 9)
    assert columns[:, 0].tolist() == [0, 0, 2] * 3
    row = torch.tensor(by_hand.FILTER, dtype=torch.float64).flatten()
    assert (row @ columns).tolist() == [6, 0, -6, 6, 2, -4, 4, 2, -2]
    # In one dimension, as a picture of one row would have it: b is in both windows.
    gradients = torch.zeros(3)
    for place, values in enumerate(([1.0, 2], [3, 4])):
        gradients[place : place + 2] += torch.tensor(values)
    assert gradients.tolist() == [1, 5, 4]
    assert f"{64 * 24 * 9 * 64 * 4 / 1e6:.1f} MB" in note(10)
    assert f"{64 * 24 * 64 * 4 / 1e6:.2f} MB" in note(10)


# what the pages conclude from tables


def test_note_5_concludes_what_the_table_shows():
    from shared.checks.intervals import mean_interval
    from shared.lab.results import load_results

    schedules = load_results(SPRINT / "results/which_schedule.json")["results"]["schedules"]
    constant = schedules.pop("constant")["losses_by_fold"]

    def gain(losses: list[float], others: list[float]) -> tuple[float, float]:
        mean, half = mean_interval([other - mine for mine, other in zip(losses, others, strict=True)])
        assert half is not None
        return mean, half

    for name, scores in schedules.items():
        mean, half = gain(scores["losses_by_fold"], constant)
        assert mean > half, f"{name} is shown to be better than a constant rate"
        assert f"± {half:.3f}" in note(5)
    cosine = schedules["cosine"]["losses_by_fold"]
    for name, is_shown in (("staircase", True), ("plateau", True), ("linear", False)):
        mean, half = gain(cosine, schedules[name]["losses_by_fold"])
        assert (mean > half) == is_shown, name
        assert f"{mean:.3f} ± {half:.3f}" in note(5)


def test_note_5_renewed_averages_are_those_of_the_weights_as_they_are(load):
    evaluation, images = load("digit_study/evaluation"), load("digit_study/images").Images
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(108, 10))
    first, second = torch.randn(16, 1, 8, 8), torch.randn(16, 1, 8, 8) + 2
    network(torch.randn(16, 1, 8, 8) * 5)  # what came before must not count
    evaluation.renew_running_averages(network.eval(), [images(pixels, torch.zeros(16)) for pixels in (first, second)])
    assert not network.training, "as it was"
    norm = network[1]
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        maps = [network[0](pixels) for pixels in (first, second)]
    torch.testing.assert_close(norm.running_mean, sum(part.mean((0, 2, 3)) for part in maps) / 2)
    torch.testing.assert_close(norm.running_var, sum(part.var((0, 2, 3)) for part in maps) / 2)
    assert norm.momentum == 0.1, "later training goes on as before"


def test_note_5_fresh_averages_change_the_score_alone(load):
    script = load("which_schedule")
    losses = [script.train("constant", 0.3, script.Config(steps=20, fresh_averages=fresh), 0)[0] for fresh in (0, 1)]
    assert losses[0] != losses[1]
    assert losses[1] < losses[0], "after 20 steps the running averages are still those of the first"


def test_note_4_a_support_vector_machine_that_learns_what_lenet_learns(load):
    from shared.checks.intervals import mean_interval
    from shared.lab.results import load_results

    baselines, hold_out = load("baselines"), load("digit_study/images").hold_out
    known, test = load("digit_study/images").load_images("digits", torch.device("cpu"))
    scores = []
    for fold in range(5):
        training, _ = hold_out(known, fold, 5)
        machine = baselines.CLASSIFIERS["SVC"].fit(training.pixels.flatten(1).numpy(), training.labels.numpy())
        scores.append(float(machine.score(test.pixels.flatten(1).numpy(), test.labels.numpy())))
    runs = load_results(SPRINT / "results/train_lenet.json")["results"]["runs"]
    mean, half = mean_interval([score - run["test_accuracy"] for score, run in zip(scores, runs, strict=True)])
    assert half is not None
    assert f"has {100 * sum(scores) / 5:.1f} % on average, {100 * mean:.1f} ± {100 * half:.1f} points more" in note(4)
    assert mean < half, "the note says that LeNet is not shown to be worse"
