"""One training of a method, and the search that each one gets: as many trials, as many steps, the same documents."""

import copy
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors.torch import save_file
from torch import nn

from adaptation.methods import METHODS, find
from adaptation.prompt_files import save_prompt
from adaptation.prompts import PromptConfig
from adaptation.tasks import Task, loss_on
from shared.nn.pretrained import Logits
from shared.text.batches import Batch
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel

FULL = "full"  # all weights: what the methods are compared with
SEARCH_SEED = 1000  # of a search: none of the reported runs has it
Setting = tuple[int, float]  # size and learning rate


@dataclass(frozen=True)
class Grid:
    """What is tried of a method: every size with every rate, six in all; without sizes there are six rates."""

    sizes: tuple[int, ...]
    rates: tuple[float, ...]

    def settings(self, factor: float = 1.0) -> list[Setting]:
        """Return sizes and rates, the rates times a factor."""
        return [(size, float(f"{factor * rate:.2g}")) for size in self.sizes for rate in self.rates]

    def at_edge(self, setting: Setting, factor: float = 1.0) -> bool:
        """Return whether a setting has the least or the largest rate, beyond which there may be a better one."""
        return setting[1] in [float(f"{factor * end:.2g}") for end in (self.rates[0], self.rates[-1])]


NO_SIZE = 1  # of a method without one: it is ignored
LORA = Grid((1, 3), (1e-2, 2e-2, 4e-2))
GRIDS: dict[str, Grid] = {
    FULL: Grid((NO_SIZE,), (3e-4, 7e-4, 1.5e-3, 3e-3, 6e-3, 1e-2)),
    "houlsby": Grid((4, 12), (3e-3, 7e-3, 1.5e-2)),
    "pfeiffer": Grid((8, 24), (3e-3, 7e-3, 1.5e-2)),
    "ia3": Grid((NO_SIZE,), (5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1)),
    "bitfit": Grid((NO_SIZE,), (3e-3, 7e-3, 1.5e-2, 3e-2, 7e-2, 1.5e-1)),
    "vera": Grid((32, 256), (2e-2, 5e-2, 1e-1)),
    "lora": LORA,
    "lora+": Grid((1, 3), (1e-3, 2e-3, 5e-3)),
    "dora": LORA,
    "qlora": LORA,
    "prompt": Grid((4, 24), (5e-2, 1e-1, 3e-1)),
    "p_tuning": Grid((4, 24), (1e-3, 3e-3, 1e-2)),
    "prefix": Grid((4, 24), (5e-2, 1e-1, 3e-1)),
}


@dataclass(frozen=True)
class Budget:
    """What every training has."""

    steps: int
    batch_size: int
    factor: float = 1.0  # of all rates of the search


def start(base: nn.Module, name: str, size: int, generator: torch.Generator | None = None) -> nn.Module:
    """Return a copy of a model with a method in it; of full fine-tuning, the copy."""
    model = copy.deepcopy(base)
    if name == FULL:
        return model.requires_grad_(True)
    return METHODS[name].inject(model, find(name).config(model, size), generator)


def optimizer_for(adapted: nn.Module, name: str, rate: float) -> torch.optim.Optimizer:
    """Return AdamW without weight decay, with the groups of the method."""
    groups = [{"params": list(adapted.parameters()), "lr": rate}] if name == FULL else find(name).groups(adapted, rate)
    return torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.0)


def adapt(base: nn.Module, name: str, setting: Setting, task: Task, budget: Budget, seed: int) -> nn.Module:
    """Return a copy of the model that a method has adapted to a task.

    Raises:
        ArithmeticError: the loss or a gradient is no number any more.
    """
    adapted = start(base, name, setting[0], torch.Generator().manual_seed(seed))
    training = train_steps(
        Logits(adapted),
        task.batches(seed, budget.steps, budget.batch_size),
        loss_function=language_model_loss,
        optimizers=[optimizer_for(adapted, name, setting[1])],
        steps=budget.steps,
        schedule=partial(warmup_linear, steps=budget.steps, warmup=max(1, budget.steps // 20)),
    )
    for _ in training:
        pass
    return adapted.eval()


def search(base: nn.Module, name: str, task: Task, budget: Budget) -> dict[Setting, float]:
    """Return the validation loss after a training with each setting of a method's grid; infinite where it broke off."""
    losses = {}
    for setting in GRIDS[name].settings(budget.factor):
        try:
            losses[setting] = loss_on(task.validation, adapt(base, name, setting, task, budget, SEARCH_SEED))
        except ArithmeticError:
            losses[setting] = math.inf
    return losses


def file_bytes(adapted: nn.Module, config: Any, base_name: str) -> int:
    """Return the bytes of a file with what has to be kept: what is trained, or of a prompt what it has become."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if isinstance(config, PromptConfig):
            save_prompt(cast("PreTrainedModel", adapted), folder, base_name, config)
        else:
            kept = {path: weight.detach() for path, weight in adapted.named_parameters() if weight.requires_grad}
            save_file(kept, folder / "trained.safetensors")
        return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def step_times(
    steps: dict[str, Callable[[], Any]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Return the seconds of a step of each method, in turns: whatever else the machine does falls on all of them."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            began = clock()
            step()
            times[name].append(clock() - began)
    return times


def one_step(base: nn.Module, name: str, size: int, batch: Batch) -> Callable[[], None]:
    """Return a function that does one step of training, with a model of its own."""
    adapted = start(base, name, size)
    optimizer = optimizer_for(adapted, name, 1e-6)

    def step() -> None:
        optimizer.zero_grad()
        loss, count = language_model_loss(Logits(adapted), batch)
        (loss / count).backward()
        optimizer.step()

    step()  # the first one is not like the others
    return step


def ratios(times: dict[str, list[float]], to: str) -> dict[str, float]:
    """Return the median of the ratios of each method's times to another's of the same round."""
    return {
        name: statistics.median(one / other for one, other in zip(values, times[to], strict=True))
        for name, values in times.items()
    }


def best_of(losses: dict[Setting, float]) -> Setting:
    """Return the setting with the least loss.

    Raises:
        ValueError: no training came to an end.
    """
    best = min(losses, key=losses.__getitem__)
    if math.isinf(losses[best]):
        rates: Sequence[str] = [f"{rate:g}" for _, rate in losses]
        raise ValueError(f"every training broke off, with rates {', '.join(rates)}: take smaller ones")
    return best
