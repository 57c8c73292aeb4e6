"""Two ways to spend a budget on a policy: more written solutions to imitate, or answers of its own that are checked."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from tqdm import tqdm

from kitchen.grpo_loop import GRPOSettings, Signals, Trainer, train
from kitchen.problems import KitchenProblem
from kitchen.written_solutions import solution_batches
from shared.nn.llama import Llama
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Peak learning rates of AdamW and of Muon with which the warm start was made; searches multiply both.
IMITATION_RATES = (3e-3, 0.02)
IMITATION_BATCH = 64


def imitate(
    model: Llama,
    tokenizer: "PreTrainedTokenizerBase",
    problems: Sequence[KitchenProblem],
    solutions: int,
    *,
    rate: float,
    seed: int,
    wrong: float = 0.0,
    pet_names: float = 0.0,
    name: str = "imitation",
) -> None:
    """Train a model in place on so many written solutions; the learning rates rise shortly and fall to 0.

    Args:
        model: is changed.
        tokenizer: of the model.
        problems: whose solutions are drawn, again and again if there are fewer.
        solutions: how many are read in all.
        rate: times the learning rates of the warm start.
        seed: draws solutions, mistakes and pet names.
        wrong, pet_names: shares of the solutions, see `solution_batches`.
        name: for the progress bar.
    """
    if (steps := solutions // IMITATION_BATCH) == 0:
        return
    adam, muon = (rate * each for each in IMITATION_RATES)
    source = random.Random(seed)
    batches = solution_batches(list(problems), tokenizer, IMITATION_BATCH, source, wrong=wrong, pet_names=pet_names)
    losses = train_steps(
        model.train(), batches, loss_function=language_model_loss, steps=steps, precision="auto",
        optimizers=make_optimizers(model, learning_rate=adam, muon_learning_rate=muon),
        schedule=partial(warmup_linear, steps=steps, warmup=steps // 20 + 1),
    )  # fmt: skip
    for _ in tqdm(losses, total=steps, desc=name, leave=False):
        pass
    model.eval()


def reinforce(
    policy: Llama,
    tokenizer: "PreTrainedTokenizerBase",
    settings: GRPOSettings,
    steps: int,
    generator: torch.Generator,
    *,
    levels_at: Callable[[int], tuple[str, ...]] | None = None,
    name: str = "GRPO",
) -> list[Signals]:
    """Train a policy in place by so many steps of GRPO, and return their signals; the learning rate falls to 0.

    Args:
        policy: is changed.
        tokenizer: of the policy.
        settings: what a step does; its learning rate is the first one.
        steps: how many.
        generator: draws problems and answers.
        levels_at: levels of the problems by step: a curriculum (default: those of the settings).
        name: for the progress bar.
    """
    trainer, signals = Trainer(policy, tokenizer, settings, generator), []
    for step, each in tqdm(train(trainer, steps), total=steps, desc=name, leave=False):
        signals.append(each)
        for group in trainer.optimizer.param_groups:
            group["lr"] = settings.learning_rate * (1 - step / steps)
        if levels_at is not None:
            trainer.settings = replace(settings, levels=levels_at(step))
    policy.eval()
    return signals
