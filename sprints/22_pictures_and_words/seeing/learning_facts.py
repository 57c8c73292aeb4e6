"""What a picture shows, as classes to be predicted: digits, and the facts of a scene; and how a network learns it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from seeing.drawing import pictures
from seeing.scenes import COLOURS, KINDS, SIDE, Scene
from shared.lab.digits import halves, load_digits
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine
from shared.training.shuffling import shuffled_rows

ABSENT = -1  # what a fact of a thing that is not there is in a `Shown`
HELD_OUT = 198  # digits of the first half that validate


@dataclass(frozen=True)
class Shown:
    """Pictures, and for each question its answer: a class from 0, or `ABSENT`, which nobody is asked for."""

    pictures: Float[Tensor, "pictures channels height width"]
    answers: Int64[Tensor, "pictures questions"]

    def __getitem__(self, rows: Tensor | slice) -> "Shown":
        """Return some of them."""
        return Shown(self.pictures[rows], self.answers[rows])

    def __len__(self) -> int:
        return len(self.answers)


@dataclass(frozen=True)
class Task:
    """A task in three splits.

    Args:
        classes: of each question.
        kinds: which questions make up an accuracy of their own, by its name.
        train, validation, test: the splits.
        augment: changes pictures (and answers) a little, by a generator.
    """

    classes: tuple[int, ...]
    kinds: dict[str, slice]
    train: Shown
    validation: Shown
    test: Shown
    augment: Callable[[Shown, torch.Generator], Shown]


def digits() -> Task:
    """Return scikit-learn's digits: the second half, which other hands wrote, tests; the end of the first validates."""
    (images, labels), test = halves(load_digits())
    first, last = Shown(images, labels[:, None]), Shown(test[0], test[1][:, None])
    return Task((10,), {"digit": slice(0, 1)}, first[:-HELD_OUT], first[-HELD_OUT:], last, turn_and_shift)


def facts(scenes: Sequence[Scene]) -> Shown:
    """Return pictures of scenes, and of each kind of thing its colour, then of each kind its place."""
    answers = torch.full((len(scenes), 2 * len(KINDS)), ABSENT)
    for row, scene in zip(answers, scenes, strict=True):
        for item in scene.items:
            kind = KINDS.index(item.kind)
            row[kind], row[len(KINDS) + kind] = COLOURS.index(item.colour), item.row * SIDE + item.column
    return Shown(pictures(scenes), answers)


def tables(train: Sequence[Scene], validation: Sequence[Scene], test: Sequence[Scene]) -> Task:
    """Return scenes: which colour has the plate, the bowl, ..., and at which of the nine places does it lie?"""
    count = len(KINDS)
    kinds = {"colour": slice(0, count), "place": slice(count, 2 * count)}
    classes = (len(COLOURS),) * count + (SIDE**2,) * count
    return Task(classes, kinds, facts(train), facts(validation), facts(test), mirror)


def turn_and_shift(shown: Shown, generator: torch.Generator) -> Shown:
    """Return digits turned by up to 15 degrees, resized by up to 15 % and moved by up to a pixel (sprint 4, note 3)."""
    turn, zoom, right, down = 2 * torch.rand(4, len(shown), generator=generator) - 1
    cosine, sine = (0.26 * turn).cos() * (1 + 0.15 * zoom), (0.26 * turn).sin() * (1 + 0.15 * zoom)
    move = 2 / shown.pictures.shape[-1]  # affine_grid measures from -1 to 1
    maps = torch.stack([cosine, -sine, move * right, sine, cosine, move * down], dim=1).unflatten(1, (2, 3))
    grid = functional.affine_grid(maps, list(shown.pictures.shape), align_corners=False)
    return Shown(functional.grid_sample(shown.pictures, grid, align_corners=False), shown.answers)


def mirror(shown: Shown, generator: torch.Generator) -> Shown:
    """Return half of the tables mirrored, left to right, and the places with them."""
    flipped = torch.rand(len(shown), generator=generator) < 0.5
    seen = torch.where(flipped[:, None, None, None], shown.pictures.flip(-1), shown.pictures)
    answers = shown.answers.clone()
    places = answers[:, len(KINDS) :]
    mirrored = places + SIDE - 1 - 2 * (places % SIDE)
    answers[:, len(KINDS) :] = mirrored.where(flipped[:, None] & (places != ABSENT), places)
    return Shown(seen, answers)


def question_losses(logits: Float[Tensor, "batch outputs"], shown: Shown, task: Task) -> tuple[Tensor, int]:
    """Return the sum of the cross-entropies of all questions that have an answer, and their number."""
    parts = zip(logits.split(task.classes, dim=1), shown.answers.unbind(dim=1), strict=True)
    losses = [functional.cross_entropy(part, answer, ignore_index=ABSENT, reduction="sum") for part, answer in parts]
    return torch.stack(losses).sum(), int((shown.answers != ABSENT).sum())


@dataclass(frozen=True)
class Budget:
    """How long a network learns: optimizer steps, and pictures of each (fewer at the end of an epoch)."""

    steps: int
    batch_size: int = 64


def learn(
    network: nn.Module, shown: Shown, task: Task, budget: Budget, *, rate: float, augment: bool, seed: int
) -> None:
    """Train a network with AdamW and a cosine schedule."""
    generator = torch.Generator().manual_seed(seed)

    def loss(model: nn.Module, rows: Tensor) -> tuple[Tensor, int]:
        batch = task.augment(shown[rows], generator) if augment else shown[rows]
        return question_losses(model(batch.pictures), batch, task)

    training = train_steps(
        network,
        shuffled_rows(len(shown), budget.batch_size, generator),
        loss_function=loss,
        optimizers=make_optimizers(network, learning_rate=rate, weight_decay=0.05, betas=(0.9, 0.99)),
        steps=budget.steps,
        schedule=partial(warmup_cosine, steps=budget.steps, warmup=max(1, budget.steps // 10), floor=0.0),
    )
    for _ in training:
        pass


def shares_right(answers: Int64[Tensor, "pictures questions"], shown: Shown, task: Task) -> dict[str, float]:
    """Return the share of right answers by kind of question; what is absent is not asked for."""
    right, asked = answers == shown.answers, shown.answers != ABSENT
    return {kind: ((right & asked)[:, part].sum() / asked[:, part].sum()).item() for kind, part in task.kinds.items()}


@torch.no_grad()
def accuracies(network: nn.Module, shown: Shown, task: Task) -> dict[str, float]:
    """Return the share of right answers of a network by kind of question."""
    logits = torch.cat([network.eval()(part) for part in shown.pictures.split(500)])
    answers = torch.stack([part.argmax(dim=1) for part in logits.split(task.classes, dim=1)], dim=1)
    return shares_right(answers, shown, task)


def nearest_picture(known: Shown, shown: Shown, task: Task) -> dict[str, float]:
    """Return the share of right answers of whoever gives the answers of the known picture with the nearest pixels."""
    distances = torch.cdist(shown.pictures.flatten(1), known.pictures.flatten(1))
    return shares_right(known.answers[distances.argmin(dim=1)], shown, task)
