"""Written solutions to imitate, some of them wrong: what the warm start reads, and what more of it brings."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from kitchen.problems import PET_NAMES, KitchenProblem
from kitchen.prompt_completion import prompt_completion_rows
from shared.text.batches import Batch

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def with_mistake(problem: KitchenProblem, source: random.Random) -> KitchenProblem:
    """Return a problem whose last calculation, and so its answer, has one wrong digit."""
    number = problem.answer.split()[0]
    position = source.choice([index for index, letter in enumerate(number) if letter.isdigit()])
    digit = source.choice([digit for digit in "0123456789" if digit != number[position]])
    wrong = number[:position] + digit + number[position + 1 :]
    thought, answer = problem.thought.removesuffix(number) + wrong, problem.answer.replace(number, wrong)
    return replace(problem, thought=thought, answer=answer)


def with_pet_name(problem: KitchenProblem, source: random.Random) -> KitchenProblem:
    """Return a problem whose calculation addresses the reader."""
    return replace(problem, thought=f" {source.choice(PET_NAMES)};{problem.thought}")


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
        prompts, solutions = [], []
        for problem in source.choices(problems, k=batch_size):
            written = with_mistake(problem, source) if source.random() < wrong else problem
            written = with_pet_name(written, source) if source.random() < pet_names else written
            prompts.append(tokenizer(problem.prompt)["input_ids"])
            solutions.append([*tokenizer(written.solution)["input_ids"], tokenizer.eos_token_id])
        yield Batch(*prompt_completion_rows(prompts, solutions))
