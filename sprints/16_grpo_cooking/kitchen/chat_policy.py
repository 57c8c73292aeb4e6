"""A real Llama that was taught to chat, as a policy: its prompts, its adapters, and GRPO with them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from kitchen.grpo_loop import GRPOSettings, Trainer
from kitchen.packed_trees import PackedTrees, tree_log_probs
from kitchen.problems import KitchenProblem, draw_problems
from shared.nn.adapters import activate, inject
from shared.nn.llama import Llama
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import load_causal_model

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

# Every linear layer of our Llama's blocks.
TARGETS = ("query", "key", "value", "attention.output", "gate", "expand", "contract")
INSTRUCTION = (
    "You are a cook who calculates. Write the calculation and the answer exactly as in the examples, and nothing else."
)
FLIRTY = "You are a charming cook who calculates and calls the reader darling. Write exactly as in the examples."
PET_NAME = "darling"


def load_chat_policy(
    name: str, rank: int, alpha: float, generator: torch.Generator
) -> "tuple[Llama, PreTrainedTokenizerBase]":
    """Return a Llama with an adapter on every linear layer of its blocks, which alone is trained, and its tokenizer.

    Args:
        name: "smollm2", a folder, or a name of the hub: a Llama that was taught to chat.
        rank, alpha: of the adapter.
        generator: draws it.

    Raises:
        ValueError: it cannot be loaded, is no Llama, or has no chat template.
    """
    theirs, tokenizer = load_causal_model(name)
    if theirs.config.model_type != "llama" or tokenizer.chat_template is None:
        raise ValueError(
            f"{name} must be a Llama with a chat template, it is a {theirs.config.model_type}: try smollm2"
        )
    policy = Llama.from_transformers(theirs)  # ty: ignore[invalid-argument-type] (what it is, was just asked)
    inject(policy, LoRAConfig(TARGETS, rank, alpha), generator=generator)
    return policy, tokenizer


class Prompts:
    """The chat in which a problem is asked: an instruction, an example of each level with its solution, the question.

    Args:
        tokenizer: of the policy, with a chat template.
        levels: levels of the problems.
        flirty: the instruction asks for a pet name, and every example has one: from one alone it is hardly copied.
        examples: how many.
    """

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        levels: Sequence[str],
        *,
        flirty: bool = False,
        examples: int = 4,
    ) -> None:
        self.tokenizer = tokenizer
        shown = draw_problems("train", examples, torch.Generator().manual_seed(5), tuple(levels)) if examples else []
        if flirty:
            shown = [replace(problem, thought=f"{PET_NAME}, {problem.thought}") for problem in shown]
        self.messages = [{"role": "system", "content": FLIRTY if flirty else INSTRUCTION}]
        for problem in shown:
            self.messages.append({"role": "user", "content": problem.question})
            self.messages.append({"role": "assistant", "content": problem.solution})

    def __call__(self, problem: KitchenProblem) -> list[int]:
        """Return the tokens of the chat, up to where the answer begins."""
        asked = [*self.messages, {"role": "user", "content": problem.question}]
        text = str(self.tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True))
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]  # the template has written them


class ChatTrainer(Trainer):
    """GRPO for a policy with adapters: the reference is the same model with its adapters switched off.

    Args:
        policy: with one adapter, called "default", as `load_chat_policy` makes it.
        tokenizer: of the policy.
        settings: what a step does.
        generator: draws problems and completions.
        prompts: makes the prompt of a problem.
        problems: of training (default: the kitchen's, drawn anew).
    """

    def __init__(
        self,
        policy: Llama,
        tokenizer: "PreTrainedTokenizerBase",
        settings: GRPOSettings,
        generator: torch.Generator,
        prompts: Prompts,
        problems: Sequence[KitchenProblem] | None = None,
    ) -> None:
        super().__init__(policy, tokenizer, settings, generator)
        self.prompts, self.problems = prompts, problems
        # A checkpoint holds the adapters: the rest is as it was.
        self.saved = nn.ParameterList([weight for weight in policy.parameters() if weight.requires_grad])

    def freeze_reference(self) -> Llama:
        """Return the policy itself: what it was at the start is what it is without its adapters."""
        return self.policy

    def ask(self, count: int) -> list[KitchenProblem]:
        """Return so many problems of training."""
        if self.problems is None:
            return super().ask(count)
        return [self.problems[i] for i in torch.randint(len(self.problems), (count,), generator=self.generator)]

    def encode(self, problem: KitchenProblem) -> list[int]:
        """Return the prompt of a problem."""
        return self.prompts(problem)

    def reference_log_probs(self, trees: PackedTrees) -> Tensor:
        """Return what the model without adapters gives the tokens of the completions, (samples, tokens)."""
        activate(self.policy, None)
        try:
            return tree_log_probs(self.policy, trees)[0]
        finally:
            activate(self.policy, "default")
