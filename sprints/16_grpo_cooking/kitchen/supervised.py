"""Supervised training on written solutions, some of them wrong: the warm start, and what more of it brings."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kitchen.answer_rows import answer_rows
from kitchen.kitchen_problems import KitchenProblem, kitchen_tokenizer, with_mistake, with_pet_name
from kitchen.llama_weights import load_llama
from kitchen.tiny_llama import TinyLlama
from shared.lab.paths import SPRINTS
from shared.text.batches import Batch

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WARM_MODEL = SPRINTS / "16_grpo_cooking" / "model"


def load_warm(folder: Path = WARM_MODEL) -> "tuple[TinyLlama, PreTrainedTokenizerBase]":
    """Return the model that the warm start saved, and its tokenizer."""
    return load_llama(folder), kitchen_tokenizer()


def solution_batches(
    problems: list[KitchenProblem],
    tokenizer: "PreTrainedTokenizerBase",
    batch_size: int,
    source: random.Random,
    *,
    wrong: float,
    pet_names: float,
) -> Iterator[Batch]:
    """Yield batches of prompts with solutions without end; the mask is True where a token is scored: in the solution.

    Args:
        problems: what is drawn from.
        tokenizer: of the model.
        batch_size: rows of a batch.
        source: draws problems, mistakes and pet names.
        wrong: share of the solutions that hold a mistake.
        pet_names: share of the solutions that address the reader.
    """
    while True:
        prompts, answers = [], []
        for problem in source.choices(problems, k=batch_size):
            told = with_mistake(problem, source) if source.random() < wrong else problem
            told = with_pet_name(told, source) if source.random() < pet_names else told
            prompts.append(tokenizer(problem.prompt)["input_ids"])
            answers.append([*tokenizer(told.solution)["input_ids"], tokenizer.eos_token_id])
        yield Batch(*answer_rows(prompts, answers))
