"""Many questions about many larders, and how many of them a model answers."""

from collections.abc import Sequence

import torch
from torch import Tensor

from downstream.graph_prompts import Arm, GraphPromptGPT, Prompts, answers_of, as_prompts
from downstream.larder_questions import COUNTS, HOPS, Larder, Question, draw_larder, draw_names
from downstream.larder_texts import WAYS, Edges

Shares = dict[str, float]  # right answers by hops, and of all
Asked = list[tuple[Larder, Question, Edges]]


def draw_quiz(larders: int, each: int, way: str, generator: torch.Generator) -> Asked:
    """Return so many questions about each of so many new larders for each number of hops, and their texts, not cut."""
    asked = []
    for _ in range(larders):
        larder = draw_larder(generator)
        for hops in HOPS:
            for thing in torch.randperm(COUNTS["thing"], generator=generator)[:each].tolist():
                question = Question(thing, hops)
                asked.append((larder, question, WAYS[way](larder, question, generator)))
    return asked


def prompts_of(asked: Asked, arm: Arm) -> Prompts:
    """Return questions with what one arm shows of their larders."""
    return as_prompts([(larder, question) for larder, question, _ in asked], [text for *_, text in asked], arm.tokens)


@torch.no_grad()
def score(model: GraphPromptGPT, prompts: Prompts, generator: torch.Generator, other: Tensor | None = None) -> Shares:
    """Return the share of right answers by hops; `other` says whose graph stands before each question."""
    names = draw_names(len(prompts.things), generator)
    logits = model(prompts, names, None if other is None else prompts.rows(other))
    right = logits.argmax(dim=1) == answers_of(prompts, names)
    return by_hops(right.double().tolist(), prompts.hops.tolist())


def by_hops(values: Sequence[float], hops: Sequence[int]) -> Shares:
    """Return the mean of values by hops, and of all."""
    rows = {str(count): [value for value, each in zip(values, hops, strict=True) if each == count] for count in HOPS}
    return {name: sum(row) / len(row) for name, row in {**rows, "all": values}.items()}
