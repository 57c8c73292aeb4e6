"""How good is a policy at each temperature: one answer, the majority of several, the best of several."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from kitchen.pass_at_k import MAX_NEW_TOKENS
from kitchen.problems import KitchenProblem
from kitchen.rewards import answer_of, answer_reward
from kitchen.shared_prefix_sampling import sample_completions
from shared.nn.llama import Llama

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

AT_ONCE = 100  # problems that are answered at once


@dataclass(frozen=True)
class TemperatureScore:
    """Of held-out problems at one temperature.

    `accuracy` is the share of single answers that are right, `majority` of problems whose most frequent answer is
    right, `pass_at` of problems with a right one among all. At temperature 0 there is one answer, and all are equal.
    """

    accuracy: float
    majority: float
    pass_at: float


def majority_answer(texts: Sequence[str]) -> str | None:
    """Return the most frequent answer of some texts, the first of equals; None where no text has one."""
    answers = [answer.strip() for text in texts if (answer := answer_of(text)) is not None]
    return Counter(answers).most_common(1)[0][0] if answers else None


def answer_groups(
    model: Llama,
    tokenizer: "PreTrainedTokenizerBase",
    problems: Sequence[KitchenProblem],
    samples: int,
    generator: torch.Generator,
    *,
    temperature: float | int,
    encode: Callable[[KitchenProblem], list[int]] | None = None,
    max_new_tokens: int = MAX_NEW_TOKENS,
    at_once: int = AT_ONCE,
) -> list[list[str]]:
    """Return so many answers to each problem, in words.

    Args:
        model: the policy.
        tokenizer: of it.
        problems: what is asked.
        samples: answers to each; at temperature 0 they are all equal.
        generator: draws them.
        temperature: divides the logits.
        encode: makes a prompt of a problem (default: as the kitchen's own policy reads it).
        max_new_tokens: of an answer.
        at_once: problems whose caches are in memory at once.
    """
    groups: list[list[str]] = []
    for start in range(0, len(problems), at_once):
        prompts = [
            tokenizer(problem.prompt)["input_ids"] if encode is None else encode(problem)
            for problem in problems[start : start + at_once]
        ]
        rows = sample_completions(
            model, prompts, samples, max_new_tokens=max_new_tokens, end_token=tokenizer.eos_token_id,
            generator=generator, temperature=temperature,
        )  # fmt: skip
        texts = tokenizer.batch_decode(rows, skip_special_tokens=True)
        groups += [texts[first : first + samples] for first in range(0, len(texts), samples)]
    return groups


def score_at(
    model: Llama,
    tokenizer: "PreTrainedTokenizerBase",
    problems: Sequence[KitchenProblem],
    temperatures: Sequence[float],
    samples: int,
    generator: torch.Generator,
) -> dict[str, TemperatureScore]:
    """Return what a policy does with problems at each temperature, from so many answers to each of them."""
    scores = {}
    for temperature in temperatures:
        count = samples if temperature > 0 else 1
        groups = answer_groups(model, tokenizer, problems, count, generator, temperature=temperature)
        scores[f"{temperature:g}"] = summarise(problems, groups)
    return scores


def summarise(problems: Sequence[KitchenProblem], groups: Sequence[Sequence[str]]) -> TemperatureScore:
    """Return the score of groups of answers, one for each problem."""
    right = right_shares(problems, groups)
    votes = majority_right(problems, groups)
    found = [share > 0 for share in right]
    return TemperatureScore(*(sum(each) / len(problems) for each in (right, votes, found)))


def right_shares(problems: Sequence[KitchenProblem], groups: Sequence[Sequence[str]]) -> list[float]:
    """Return which share of the answers to each problem is right."""
    return [
        sum(answer_reward(problem, text) for text in texts) / len(texts)
        for problem, texts in zip(problems, groups, strict=True)
    ]


def majority_right(problems: Sequence[KitchenProblem], groups: Sequence[Sequence[str]]) -> list[float]:
    """Return 1 for each problem whose most frequent answer is right, otherwise 0."""
    votes = map(majority_answer, groups)
    return [float(vote is not None and problem.is_correct(vote)) for problem, vote in zip(problems, votes, strict=True)]


def mean_accuracy(scores: dict[str, TemperatureScore]) -> float:
    """Return the accuracy averaged over the temperatures, which no single one of them decides: for choosing rates."""
    return sum(score.accuracy for score in scores.values()) / len(scores)
