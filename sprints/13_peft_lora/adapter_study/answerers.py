"""Models that answer questions about recipes: before they learnt to, with a new adapter, and ready as a reference.

Theory: notes/09_instruction_tuning.md and notes/10_dpo.md
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from tqdm import tqdm

from adapter_study.answering import training_chats, tune_on_chats
from adapter_study.base_model import load_base, renew_unseen
from adapter_study.model_defaults import find_names, is_small, rate_of
from shared.lab.runtime import seed_everything
from shared.nn.adapters import inject, merge, remove
from shared.nn.lora import LoRAConfig

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_answerer(
    name: str, device: torch.device, generator: torch.Generator
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Return a model and its tokenizer; the words of a question are new to a small one (note 5) and get own vectors."""
    model, tokenizer = load_base(name, 0.0, device)
    if is_small(model):
        renew_unseen(model, generator)
    return model, tokenizer


def add_adapter(
    model: "PreTrainedModel", targets: Sequence[str] | None, rank: int, generator: torch.Generator
) -> "PreTrainedModel":
    """Freeze a model and add LoRA, whose alpha is twice its rank; targets as in `find_names`."""
    inject(model, LoRAConfig(find_names(model, targets), rank, 2 * rank), generator=generator)
    return model


def learn_to_answer(
    name: str, device: torch.device, seed: int, *, targets: Sequence[str] | None, rank: int, steps: int, batch_size: int
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Return a model that was tuned on as many chats as it saw, its adapter merged and nothing left to switch."""
    generator = seed_everything(seed)
    model, tokenizer = load_answerer(name, device, generator)
    chats = training_chats(tokenizer, model, 0, steps * batch_size, questions=2)
    trained = tune_on_chats(
        add_adapter(model, targets, rank, generator),
        chats,
        "answers",
        steps=steps,
        batch_size=batch_size,
        learning_rate=rate_of(model, "lora"),
        generator=generator,
    )
    for _ in tqdm(trained, total=steps, unit="step", desc="answers"):
        pass
    merge(model)
    remove(model)
    return model.requires_grad_(False), tokenizer
