"""How good is a policy on held-out problems? Sampled and greedy accuracy, and pass@k."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from kitchen.problems import KitchenProblem
from kitchen.rewards import answer_reward, format_reward, repetition, tone_reward
from shared.generation.decoding import generate
from shared.nn.llama import Llama

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MAX_NEW_TOKENS = 36
POWERS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Evaluation:
    """Of held-out problems: pass@k by k (pass@1 is sampled accuracy), the same by level, greedy accuracy, and style."""

    pass_at: dict[str, float]
    by_level: dict[str, float]
    greedy: float
    format: float
    tone: float
    repetition: float
    tokens: float


@dataclass(frozen=True)
class BeforeAndAfter:
    """What two policies write on the same question."""

    question: str
    right: str
    before: str
    after: str


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """Return the probability that one of k samples is right, estimated from more of them without bias.

    1 - C(n - c, k) / C(n, k) (Chen et al. 2021, section 2.1): the share of the k-subsets that hold a right one.

    Raises:
        ValueError: k above the number of samples.
    """
    if not 1 <= k <= samples or not 0 <= correct <= samples:
        raise ValueError(f"pass@k needs 1 <= k <= samples and correct <= samples; got {k=}, {samples=}, {correct=}")
    return 1 - math.comb(samples - correct, k) / math.comb(samples, k)


def write_completions(
    model: Llama,
    tokenizer: "PreTrainedTokenizerBase",
    problems: Sequence[KitchenProblem],
    generator: torch.Generator | None = None,
    *,
    temperature: float | int = 1.0,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> tuple[list[list[int]], list[str]]:
    """Return a completion of each problem: its tokens, with the end token where the model wrote one, and its text."""
    prompts = [tokenizer(problem.prompt)["input_ids"] for problem in problems]
    end = tokenizer.eos_token_id
    rows = generate(
        model, prompts, max_new_tokens=max_new_tokens, end_token=end, temperature=temperature, generator=generator
    )
    rows = [[*row, end] if len(row) < max_new_tokens else row for row in rows]
    return rows, tokenizer.batch_decode(rows, skip_special_tokens=True)


def evaluate(
    model: Llama,
    tokenizer: "PreTrainedTokenizerBase",
    problems: Sequence[KitchenProblem],
    samples: int,
    generator: torch.Generator,
) -> Evaluation:
    """Return what a policy does with problems, from so many samples of each."""
    repeated = [problem for problem in problems for _ in range(samples)]
    rows, texts = write_completions(model, tokenizer, repeated, generator)
    right = torch.tensor([answer_reward(*pair) for pair in zip(repeated, texts, strict=True)]).view(-1, samples)
    _, greedy = write_completions(model, tokenizer, problems, temperature=0)
    counts = right.sum(dim=1).int().tolist()

    def mean(values: Sequence[float | int]) -> float:
        return sum(values) / len(values)

    return Evaluation(
        pass_at={str(k): mean([pass_at_k(samples, c, k) for c in counts]) for k in POWERS if k <= samples},
        by_level={
            level: mean([c / samples for c, problem in zip(counts, problems, strict=True) if problem.level == level])
            for level in sorted({problem.level for problem in problems})
        },
        greedy=mean([answer_reward(*pair) for pair in zip(problems, greedy, strict=True)]),
        format=mean([format_reward(*pair) for pair in zip(repeated, texts, strict=True)]),
        tone=mean([tone_reward(*pair) for pair in zip(repeated, texts, strict=True)]),
        repetition=mean([repetition(text) for text in texts]),
        tokens=mean([len(row) for row in rows]),
    )


def before_and_after(
    before: Llama,
    after: Llama,
    tokenizer: "PreTrainedTokenizerBase",
    problems: Sequence[KitchenProblem],
    seed: int,
) -> list[BeforeAndAfter]:
    """Return what two policies write on a few questions, sampled from the same seed."""
    texts = [
        write_completions(policy, tokenizer, problems, torch.Generator().manual_seed(seed))[1]
        for policy in (before, after)
    ]
    rows = zip(problems, *texts, strict=True)
    return [BeforeAndAfter(problem.question, problem.answer, was, now) for problem, was, now in rows]
