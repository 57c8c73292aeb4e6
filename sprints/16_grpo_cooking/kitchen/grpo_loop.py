"""The loop of GRPO: draw problems, let the policy answer each several times, score, and step."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from kitchen.grpo import Objective, group_advantages, grpo_loss
from kitchen.packed_trees import PackedTrees, pack_trees, tree_log_probs
from kitchen.pass_at_k import MAX_NEW_TOKENS
from kitchen.problems import LEVELS, KitchenProblem, draw_problems
from kitchen.rewards import VERIFIED, Reward, score
from kitchen.shared_prefix_sampling import sample_completions
from shared.lab.runtime import autocast
from shared.nn.llama import Llama
from shared.training.loop import NonFiniteTraining

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class GRPOSettings:
    """What a run of GRPO does, whatever the policy.

    `drawn` times as many groups are drawn as are learnt from: those without a signal are left out first (the dynamic
    sampling of DAPO, with a fixed budget).

    Raises:
        ValueError: groups of fewer than two samples, no group, no update, or less drawn than learnt from.
    """

    groups: int = 24
    group_size: int = 8
    updates: int = 1
    learning_rate: float = 3e-4
    objective: Objective = field(default_factory=Objective)
    rewards: dict[str, Reward] = field(default_factory=lambda: VERIFIED)
    levels: tuple[str, ...] = LEVELS
    max_new_tokens: int = MAX_NEW_TOKENS
    precision: str = "float32"
    drawn: int = 1

    def __post_init__(self) -> None:
        if self.group_size < 2:
            raise ValueError(
                f"group_size must be at least 2: a sample is compared with its group; got {self.group_size}"
            )
        if self.groups < 1 or self.updates < 1 or self.drawn < 1:
            raise ValueError(
                f"groups, updates and drawn must be at least 1; got {self.groups}, {self.updates} and {self.drawn}"
            )


@dataclass(frozen=True)
class Signals:
    """What there is to see of a step: see notes/07_reading_the_signals.md."""

    reward: float
    reward_error: float
    parts: dict[str, float]
    divergence: float
    entropy: float
    clipped: float
    without_signal: float
    tokens: float


class Trainer:
    """A policy, the reference that it started as, and what its training needs; `step` is one step of GRPO.

    Args:
        policy: trained in place, as far as its weights are not frozen.
        tokenizer: of the policy.
        settings: what a step does.
        generator: draws problems and completions.

    `steps` says how many steps are done, `saved` holds what a checkpoint needs of the policy.
    """

    saved: nn.Module

    def __init__(
        self,
        policy: Llama,
        tokenizer: "PreTrainedTokenizerBase",
        settings: GRPOSettings,
        generator: torch.Generator,
    ) -> None:
        self.policy, self.tokenizer, self.settings, self.generator = policy, tokenizer, settings, generator
        self.steps, self.saved = 0, policy
        trained = [weight for weight in policy.parameters() if weight.requires_grad]
        self.optimizer = AdamW(trained, lr=settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.0)
        self.reference = self.freeze_reference()

    def freeze_reference(self) -> Llama:
        """Return the policy as it is now, which the KL divergence is measured from."""
        return copy.deepcopy(self.policy).eval().requires_grad_(False)

    def ask(self, count: int) -> list[KitchenProblem]:
        """Return so many problems of training."""
        return draw_problems("train", count, self.generator, self.settings.levels)

    def encode(self, problem: KitchenProblem) -> list[int]:
        """Return the prompt of a problem."""
        return self.tokenizer(problem.prompt)["input_ids"]

    def reference_log_probs(self, trees: PackedTrees) -> Tensor:
        """Return what the reference gives the tokens of the completions, (samples, tokens)."""
        return tree_log_probs(self.reference, trees)[0]

    def step(self) -> Signals:
        """Draw, score and learn once.

        Raises:
            NonFiniteTraining: loss or gradient is not finite; the weights are those from before this update.
        """
        settings = self.settings
        problems = self.ask(settings.groups * settings.drawn)
        prompts = [self.encode(problem) for problem in problems]
        completions = sample_completions(
            self.policy,
            prompts,
            settings.group_size,
            max_new_tokens=settings.max_new_tokens,
            end_token=self.tokenizer.eos_token_id,
            generator=self.generator,
        )
        repeated = [problem for problem in problems for _ in range(settings.group_size)]
        texts = self.tokenizer.batch_decode(completions, skip_special_tokens=True)
        rewards, parts = score(settings.rewards, repeated, texts)
        grouped = torch.tensor(rewards).view(len(problems), settings.group_size)
        advantages, without_signal = group_advantages(grouped, settings.objective.scale)
        chosen = self.choose(advantages)
        divergence, clipped, entropy = self._learn(
            [prompts[group] for group in chosen],
            [each for group in chosen for each in completions[settings.group_size * group :][: settings.group_size]],
            advantages[chosen].flatten(),
        )
        self.steps += 1
        return Signals(
            reward=grouped.mean().item(),
            # Samples of a group resemble each other: the groups are what is independent.
            reward_error=grouped.mean(dim=1).std().item() / math.sqrt(len(problems)) if len(problems) > 1 else 0.0,
            parts={name: sum(values) / len(values) for name, values in parts.items()},
            divergence=divergence,
            entropy=entropy,
            clipped=clipped,
            without_signal=without_signal,
            tokens=sum(map(len, completions)) / len(completions),
        )

    def choose(self, advantages: Tensor) -> list[int]:
        """Return which of the groups that were drawn are learnt from, (groups, size): those with a signal first."""
        if self.settings.drawn == 1:
            return list(range(len(advantages)))
        silent = (advantages.abs().amax(dim=1) < 1e-6).int()
        return silent.argsort(stable=True)[: self.settings.groups].tolist()

    def _learn(
        self, prompts: list[list[int]], completions: list[list[int]], advantages: Tensor
    ) -> tuple[float, float, float]:
        """Make the updates; return divergence and clip fraction of the last, and the entropy before the first."""
        device = self.policy.token_embedding.weight.device
        trees, advantages = pack_trees(prompts, completions).to(device), advantages.to(device)
        with torch.no_grad(), autocast(device, self.settings.precision):
            reference = self.reference_log_probs(trees)
        old, first_entropy, divergence, clipped = None, 0.0, 0.0, 0.0
        for _ in range(self.settings.updates):
            with autocast(device, self.settings.precision):
                log_probs, entropy = tree_log_probs(self.policy, trees)
            if old is None:  # nothing has changed since the samples were drawn
                old, first_entropy = log_probs.detach(), entropy
            loss, divergence, clipped = grpo_loss(
                log_probs, old, reference, advantages, trees.completion_mask, self.settings.objective
            )
            self.optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(self.policy.parameters(), 1.0)
            for what, value in (("loss", loss.item()), ("norm of the gradient", norm.item())):
                if not math.isfinite(value):
                    raise NonFiniteTraining(self.steps + 1, what, value)
            self.optimizer.step()
        return divergence, clipped, first_entropy

    def state(self) -> dict[str, Any]:
        """Return the state of the generator, which is the position of the data too."""
        return {"generator": self.generator.get_state()}


def train(trainer: Trainer, steps: int, start: int = 0) -> Iterator[tuple[int, Signals]]:
    """Yield the number of steps done and the signals of each step."""
    trainer.steps = start
    for step in range(start, steps):
        yield step + 1, trainer.step()
