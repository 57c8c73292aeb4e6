"""Train a convolutional network from images to a test accuracy: the whole loop, with five seeds.

    uv run sprints/04_advanced_training_cnn/train.py
    uv run sprints/04_advanced_training_cnn/train.py --preset lenet
    uv run sprints/04_advanced_training_cnn/train.py --preset mnist
    uv run tensorboard --logdir sprints/04_advanced_training_cnn/runs

Without options it takes scikit-learn's digits: the first half trains and validates, the second half tests at the end.
--preset mnist reads the real MNIST; --data mnist alone tries it with the small network of the digits.
Theory: notes/03_architectures.md and notes/05_the_training_loop.md
"""

import io
import math
import os
import statistics
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.tensorboard import SummaryWriter
from torchvision.datasets import MNIST
from torchvision.utils import make_grid
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.datasets import fetch
from shared.lab.digits import halves, load_digits
from shared.lab.figures import new_figure
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import constant, warmup_cosine, warmup_linear

PRESETS = {
    # Without batch norm it takes longer; its steps cost a third.
    "lenet": {"model": "lenet", "steps": 3000, "eval_every": 100},
    # 25 epochs of the 55,000 images that are left when one block of twelve validates
    "mnist": {
        "data": "mnist", "widths": (32, 64, 128), "pool": True, "folds": 12, "seeds": 1, "batch_size": 128,
        "steps": 10_750, "eval_every": 430, "patience": 25, "warmup": 430, "shift": 2.0, "precision": "auto",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["digits", "mnist"] = "digits"  # images to learn
    model: Literal["resnet", "lenet"] = "resnet"  # network
    widths: tuple[int, ...] = (24, 24, 48)  # channels of the ResNet's stem and of its blocks
    pool: bool = False  # halve the image after the ResNet's stem
    norm: bool = True  # batch norm in the ResNet
    dropout: float = 0.0  # probability of dropping a feature before the last layer
    seeds: int = 5  # runs, each with the next seed
    folds: int = 5  # blocks of the training data; each seed validates on the next one
    test: bool = True  # score the test set at the end (off while options are being chosen)
    steps: int = 900  # optimizer steps
    batch_size: int = 64  # images of a batch
    learning_rate: float = 3e-3  # peak learning rate of AdamW
    weight_decay: float = 0.05  # decay of matrices and filters
    label_smoothing: float = 0.1  # probability that the target gives to all classes alike
    schedule: Literal["constant", "cosine", "linear"] = "cosine"  # how the learning rate falls
    warmup: int = 100  # steps until the learning rate is at its peak
    eval_every: int = 30  # steps between evaluations
    patience: int = 12  # evaluations without a lower validation loss until training stops
    rotation: float = 12.0  # augmentation: largest angle in degrees
    scaling: float = 0.12  # augmentation: largest change of size
    shear: float = 0.2  # augmentation: largest slant
    shift: float = 0.8  # augmentation: largest move in pixels
    precision: Literal["auto", "float32", "bfloat16"] = "float32"  # of convolutions
    tensorboard: bool = True  # write scalars, images, histograms and the graph to runs/


class Images(NamedTuple):
    """Images between 0 and 1, and what they show."""

    pixels: Tensor  # (images, 1, height, width)
    labels: Tensor  # (images,)


class Score(NamedTuple):
    """Mean loss in nats against smoothed targets, accuracy, and the probabilities of the classes: (images, classes)."""

    loss: float
    accuracy: float
    probabilities: Tensor


@dataclass
class Run:
    """One seed: its curves, the step whose weights were kept, and their scores."""

    seed: int
    steps: list[int] = field(default_factory=list)
    train_losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    validation_accuracies: list[float] = field(default_factory=list)
    best_step: int = 0
    best_validation_accuracy: float = 0.0
    test_accuracy: float | None = None


@dataclass(frozen=True)
class Mistake:
    """An image of the test set that the first seed's network got wrong."""

    index: int
    label: int
    predicted: int
    probability: float


@dataclass(frozen=True)
class Results:
    parameters: int
    train_images: int
    validation_images: int
    test_images: int
    runs: list[Run]
    validation_accuracy: float
    last_validation_accuracy: float
    test_accuracy: float | None
    test_deviation: float | None
    committee_accuracy: float | None
    mistakes: list[Mistake]


def load_images(name: str, device: torch.device) -> tuple[Images, Images]:
    """Return the images to train and validate on, and the test images."""
    if name == "mnist":
        folder = fetch("mnist").parents[1]
        known, test = (MNIST(folder, train=train) for train in (True, False))
        pairs = [(part.data[:, None] / 255, part.targets) for part in (known, test)]
    else:
        pairs = halves(load_digits())
    known, test = (Images(pixels.to(device), labels.to(device)) for pixels, labels in pairs)
    return known, test


def hold_out(known: Images, fold: int, folds: int) -> tuple[Images, Images]:
    """Return training and validation images: of `folds` equal contiguous blocks, number `fold` validates.

    Raises:
        ValueError: fewer than two folds, or more than images.
    """
    if not 2 <= folds <= len(known.labels):
        raise ValueError(f"--folds must be between 2 and the {len(known.labels)} images; got {folds}")
    block = torch.arange(len(known.labels)) * folds // len(known.labels)
    parts = (torch.nonzero(block != fold)[:, 0], torch.nonzero(block == fold)[:, 0])
    training, validation = (Images(known.pixels[rows], known.labels[rows]) for rows in parts)
    return training, validation


def random_affine(
    pixels: Tensor, generator: torch.Generator, *, rotation: float, scaling: float, shear: float, shift: float
) -> Tensor:
    """Return each image turned, resized, slanted and moved by amounts of its own, drawn up to the given ones.

    A matrix per image says where each pixel of the result is read from; what lies outside is background, 0.
    """
    angle, zoom, slant, right, down = 2 * torch.rand(5, len(pixels), generator=generator) - 1
    cosine, sine = (angle * math.radians(rotation)).cos(), (angle * math.radians(rotation)).sin()
    size, slant = 1 + zoom * scaling, slant * shear
    # affine_grid measures from -1 to 1, so a pixel is 2 / width of it.
    right, down = (move * shift * 2 / pixels.shape[-1] for move in (right, down))
    entries = (cosine / size, (slant * cosine - sine) / size, right, sine / size, (slant * sine + cosine) / size, down)
    matrices = torch.stack(entries, dim=1).unflatten(1, (2, 3)).to(pixels.device)
    places = functional.affine_grid(matrices, list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, places, align_corners=False)


def batches(images: Images, config: Config, generator: torch.Generator) -> Iterator[Images]:
    """Yield batches for ever, in a new order in each epoch, each image changed a little each time."""
    amounts = {name: getattr(config, name) for name in ("rotation", "scaling", "shear", "shift")}
    while True:
        for rows in torch.randperm(len(images.labels), generator=generator).split(config.batch_size):
            pixels = images.pixels[rows]
            if any(amounts.values()):
                pixels = random_affine(pixels, generator, **amounts)
            yield Images(pixels, images.labels[rows])


def convolution(inputs: int, outputs: int, kernel: int, stride: int, norm: bool) -> nn.Sequential:
    """Return a convolution that keeps the size (or halves it, stride 2) and its batch norm, which has the bias."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=not norm)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs)) if norm else nn.Sequential(layer)


class Residual(nn.Module):
    """Two convolutions that are added to what came in: relu(shortcut(x) + f(x)) (He et al. 2016, figure 2)."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: bool) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride, norm)
        self.second = convolution(outputs, outputs, 3, 1, norm)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else convolution(inputs, outputs, 1, stride, norm)

    def forward(self, images: Tensor) -> Tensor:
        return (self.shortcut(images) + self.second(self.first(images).relu())).relu()


def resnet(config: Config) -> nn.Sequential:
    """Return a small ResNet: a stem, a block for each further width (all but the first halve the image), a mean."""
    stem, *blocks = config.widths
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        stem=nn.Sequential(convolution(1, stem, 3, 1, config.norm), nn.ReLU(), *[nn.MaxPool2d(2)] * config.pool)
    )
    for number, (inputs, outputs) in enumerate(zip(config.widths, blocks, strict=False), start=1):
        parts[f"block{number}"] = Residual(inputs, outputs, 1 if number == 1 else 2, config.norm)
    parts["head"] = nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(config.dropout), nn.Linear(config.widths[-1], 10)
    )
    return nn.Sequential(parts)


def lenet(size: int, dropout: float) -> nn.Sequential:
    """Return a network on LeNet-5's plan (LeCun et al. 1998): twice convolve and pool, then three dense layers.

    With ReLU and max pooling where the original has tanh and means.
    """
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        stem=nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        block1=nn.Sequential(nn.Conv2d(6, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
    )
    dense = [nn.Linear(16 * (size // 4) ** 2, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()]
    parts["head"] = nn.Sequential(nn.Flatten(), *dense, nn.Dropout(dropout), nn.Linear(84, 10))
    return nn.Sequential(parts)


class EarlyStopping:
    """Keeps the weights of the lowest validation loss, and says when there was none lower for too long."""

    def __init__(self, model: nn.Module, patience: int) -> None:
        self.model, self.patience = model, patience
        self.lowest, self.step, self.waited = math.inf, 0, 0
        self.weights: dict[str, Tensor] = {}

    def update(self, step: int, loss: float) -> bool:
        """Take the validation loss of a step; return whether to stop."""
        self.waited += 1
        if loss < self.lowest:
            self.lowest, self.step, self.waited = loss, step, 0
            # A clone, because training goes on in the same memory. The statistics of batch norm are in it.
            self.weights = {name: weight.clone() for name, weight in self.model.state_dict().items()}
        return self.waited >= self.patience

    def restore(self) -> None:
        """Give the model the best weights back."""
        self.model.load_state_dict(self.weights)


@torch.no_grad()
def evaluate(model: nn.Module, images: Images, smoothing: float) -> Score:
    """Score a model in evaluation mode: no dropout, and batch norm by the statistics of training.

    The loss is that of training. By another one, the lowest would not be where training leads.
    """
    model.eval()
    logits = torch.cat([model(pixels) for pixels in images.pixels.split(1000)])
    loss = functional.cross_entropy(logits, images.labels, label_smoothing=smoothing).item()
    return Score(loss, (logits.argmax(1) == images.labels).float().mean().item(), logits.softmax(1))


def log_start(writer: SummaryWriter, model: nn.Module, batch: Images) -> None:
    """Write a batch as training sees it, and the graph of the network."""
    writer.add_image("augmented", make_grid(batch.pixels.cpu(), nrow=8, pad_value=1), 0)
    with warnings.catch_warnings():
        # The graph is drawn by torch.jit.trace, which announces its end.
        warnings.simplefilter("ignore", FutureWarning)
        writer.add_graph(model.eval(), batch.pixels[:1])


def log_evaluation(writer: SummaryWriter, model: nn.Module, run: Run, learning_rate: float) -> None:
    """Write the newest point of each curve, and how weights and gradients are distributed."""
    step = run.steps[-1]
    writer.add_scalar("loss/train", run.train_losses[-1], step)
    writer.add_scalar("loss/validation", run.validation_losses[-1], step)
    writer.add_scalar("accuracy/validation", run.validation_accuracies[-1], step)
    writer.add_scalar("learning_rate", learning_rate, step)
    for name, weight in model.named_parameters():
        writer.add_histogram(f"weight/{name}", weight.detach(), step)
        writer.add_histogram(f"gradient/{name}", weight.grad, step)


def smoothed_loss(model: nn.Module, batch: Images, smoothing: float) -> tuple[Tensor, int]:
    """Return the summed loss of a batch against targets that give `smoothing` to all classes alike, and its images."""
    logits = model(batch.pixels)
    loss = functional.cross_entropy(logits.float(), batch.labels, reduction="sum", label_smoothing=smoothing)
    return loss, len(batch.labels)


def make_schedule(config: Config) -> Callable[[int], float]:
    """Return the factor of the learning rate by step."""
    return {
        "constant": constant,
        "cosine": partial(warmup_cosine, steps=config.steps, warmup=config.warmup, floor=0.0),
        "linear": partial(warmup_linear, steps=config.steps, warmup=config.warmup),
    }[config.schedule]


def memory_format(model: nn.Module) -> torch.memory_format:
    """Return in which order a network's images lie in memory: channels last, which is faster, where it is safe.

    On processors with AVX2 and no AVX-512, the gradient of a convolution in PyTorch 2.15 writes beyond its buffer if
    its channels lie last and are no multiple of 8. Images of one channel look the same in either order.
    """
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    safe = all(layer.out_channels % 8 == 0 for layer in convolutions)
    return torch.channels_last if safe else torch.contiguous_format


def build(config: Config, size: int) -> nn.Sequential:
    """Return a new network for images of size x size."""
    return lenet(size, config.dropout) if config.model == "lenet" else resnet(config)


def train(
    config: Config, seed: int, training: Images, validation: Images, writer: SummaryWriter | None = None
) -> tuple[Run, nn.Module]:
    """Train a new network with one seed; return its curves, and the network with the best weights."""
    generator, run = seed_everything(seed), Run(seed)
    model = build(config, training.pixels.shape[-1]).to(training.pixels.device)
    model = model.to(memory_format=memory_format(model))
    if writer:
        log_start(writer, model, next(batches(training, config, torch.Generator().manual_seed(seed))))
    optimizers = make_optimizers(model, learning_rate=config.learning_rate, weight_decay=config.weight_decay)
    trained = train_steps(
        model,
        batches(training, config, generator),
        loss_function=partial(smoothed_loss, smoothing=config.label_smoothing),
        optimizers=optimizers,
        steps=config.steps,
        schedule=make_schedule(config),
        precision=config.precision,
    )
    stopping, losses = EarlyStopping(model, config.patience), []
    for step, loss in (bar := tqdm(trained, total=config.steps, unit="step", desc=f"seed {seed}")):
        losses.append(loss)
        if step % config.eval_every and step < config.steps:
            continue
        score, train_loss = evaluate(model, validation, config.label_smoothing), sum(losses) / len(losses)
        losses.clear()
        run.steps.append(step)
        run.train_losses.append(train_loss)
        run.validation_losses.append(score.loss)
        run.validation_accuracies.append(score.accuracy)
        bar.set_postfix(loss=f"{train_loss:.3f}", validation=f"{score.accuracy:.2%}")
        if writer:
            log_evaluation(writer, model, run, optimizers[0].param_groups[0]["lr"])
        if stopping.update(step, score.loss):
            break
    stopping.restore()
    run.best_step = stopping.step
    run.best_validation_accuracy = run.validation_accuracies[run.steps.index(stopping.step)]
    return run, model


def save_for_looking(config: Config, model: nn.Module, validation: Images, wrong: Images) -> None:
    """Write the network as a program that runs without this file, and images to look at, for look_inside.py."""
    folder = output_folder(config) / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    pixels, program = validation.pixels[:1000].cpu(), io.BytesIO()
    # A batch of two to trace, because a size of one would be taken for a constant.
    plain = model.cpu().to(memory_format=torch.contiguous_format).eval()
    exported = torch.export.export(plain, (pixels[:2],), dynamic_shapes=({0: torch.export.Dim("images")},))
    torch.export.save(exported, program)
    images = {"pixels": pixels, "labels": validation.labels[:1000].cpu(), "wrong": wrong.pixels.cpu()}
    tensors = io.BytesIO()
    torch.save(images, tensors)
    for suffix, content in ((".pt2", program), (".pt", tensors)):
        temporary = folder / f"{run_name(config)}.tmp"
        temporary.write_bytes(content.getvalue())
        os.replace(temporary, folder / f"{run_name(config)}{suffix}")


def find_mistakes(score: Score, test: Images) -> tuple[list[Mistake], Images]:
    """Return the images that were classified wrongly, the most certain first."""
    certainty, predicted = score.probabilities.max(1)
    wrong = (predicted != test.labels).nonzero()[:, 0]
    wrong = wrong[certainty[wrong].argsort(descending=True, stable=True)]
    columns = (wrong, test.labels[wrong], predicted[wrong], certainty[wrong])
    mistakes = [Mistake(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return mistakes, Images(test.pixels[wrong], test.labels[wrong])


def output_folder(config: Config) -> Path:
    """Return where networks and logs go."""
    return run_folder(config, __file__)


def run_name(config: Config) -> str:
    """Return "train", and after it the preset, or the model and the data that are not the default."""
    others = [config.model] * (config.model != "resnet") + [config.data] * (config.data != "digits")
    return "_".join(["train", *([config.preset] if config.preset else others)])


def main(config: Config) -> Results:
    if config.seeds < 1:
        raise ValueError(f"--seeds must be at least 1; got {config.seeds}")
    keep_freed_memory()
    known, test = load_images(config.data, pick_device(config.device))
    runs, probabilities, mistakes = [], [], []
    for seed in range(config.seed, config.seed + config.seeds):
        training, validation = hold_out(known, seed % config.folds, config.folds)
        folder = output_folder(config) / "runs" / f"{run_name(config)}_seed{seed}"
        # purge_step hides what an earlier run has written to the same folder.
        with SummaryWriter(str(folder), purge_step=0) if config.tensorboard else nullcontext() as writer:
            run, model = train(config, seed, training, validation, writer)
        runs.append(run)
        if config.test:
            score = evaluate(model, test, config.label_smoothing)
            run.test_accuracy = score.accuracy
            probabilities.append(score.probabilities)
            if seed == config.seed:
                mistakes, wrong = find_mistakes(score, test)
                save_for_looking(config, model, validation, wrong)
    tested = [run.test_accuracy for run in runs if run.test_accuracy is not None]
    # The committee takes the mean of its members' probabilities.
    together = torch.stack(probabilities).mean(0).argmax(1) == test.labels if tested else None
    results = Results(
        parameters=sum(weight.numel() for weight in model.parameters()),
        train_images=len(training.labels),
        validation_images=len(validation.labels),
        test_images=len(test.labels),
        runs=runs,
        validation_accuracy=statistics.mean(run.best_validation_accuracy for run in runs),
        last_validation_accuracy=statistics.mean(run.validation_accuracies[-1] for run in runs),
        test_accuracy=statistics.mean(tested) if tested else None,
        test_deviation=statistics.stdev(tested) if len(tested) > 1 else None,
        committee_accuracy=None if together is None else together.float().mean().item(),
        mistakes=mistakes,
    )
    report(results)
    return results


def report(results: Results) -> None:
    """Print what was found."""
    print(f"{results.parameters:,} parameters, {results.train_images:,} images to train on")
    for run in results.runs:
        tested = "" if run.test_accuracy is None else f", test {run.test_accuracy:.2%}"
        print(f"seed {run.seed}: best after {run.best_step} steps of {run.steps[-1]}, ", end="")
        print(f"validation {run.best_validation_accuracy:.2%}{tested}")
    print(f"validation accuracy {results.validation_accuracy:.2%}, of the last weights", end=" ")
    print(f"{results.last_validation_accuracy:.2%}")
    if results.test_accuracy is not None:
        spread = "" if results.test_deviation is None else f" +- {results.test_deviation:.2%}, as a committee"
        committee = "" if results.test_deviation is None else f" {results.committee_accuracy:.2%}"
        print(f"test accuracy {results.test_accuracy:.2%}{spread}{committee}")


def plot(results: Results) -> Figure:
    """Draw losses and validation errors of all seeds over the steps, with the step whose weights were kept."""
    figure, (left, right) = new_figure(9.0, 3.6, columns=2)
    for number, run in enumerate(results.runs):
        label = "training" if number == 0 else None
        left.plot(run.steps, run.train_losses, color="grey", linewidth=1, label=label)
        left.plot(run.steps, run.validation_losses, color=f"C{number}", label=f"validation, seed {run.seed}")
        errors = [1 - accuracy for accuracy in run.validation_accuracies]
        right.plot(run.steps, errors, color=f"C{number}", label=f"seed {run.seed}")
        best = run.steps.index(run.best_step)
        left.plot(run.best_step, run.validation_losses[best], "o", color=f"C{number}")
        right.plot(run.best_step, errors[best], "o", color=f"C{number}")
    left.set(xlabel="step", ylabel="nats, smoothed targets", ylim=(0, None))
    right.set(xlabel="step", ylabel="validation error", ylim=(0, 0.3))
    right.set_title("a dot marks the weights that were kept", fontsize=10)
    left.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
