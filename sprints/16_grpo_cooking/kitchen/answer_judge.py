"""A learned reward: a Llama that reads a question and an answer and says how probably the answer is right."""

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from kitchen.problems import KitchenProblem
from shared.nn.llama import Llama
from shared.text.batches import pad_rows
from shared.text.quantity_problems import Problem

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase


class AnswerJudge(nn.Module):
    """The body of a policy with one output, read at the last token.

    Args:
        policy: its weights are where the judge starts.
        tokenizer: of the policy.
    """

    def __init__(self, policy: Llama, tokenizer: "PreTrainedTokenizerBase") -> None:
        super().__init__()
        self.body = copy.deepcopy(policy)
        self.head = nn.Linear(policy.config.d_model, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.tokenizer = tokenizer

    def forward(self, tokens: Int[Tensor, "batch tokens"], lengths: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """Return the log-odds that each answer is right."""
        hidden = self.body.hidden(tokens)[torch.arange(len(tokens), device=tokens.device), lengths - 1]
        return self.head(hidden)[:, 0]

    def read(self, problems: Sequence[KitchenProblem], texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return questions and answers as tokens (batch, tokens), and how many each has."""
        pairs = zip(problems, texts, strict=True)
        rows = [self.tokenizer(problem.prompt + text)["input_ids"] for problem, text in pairs]
        lengths, device = torch.tensor([len(row) for row in rows]), self.head.weight.device
        return pad_rows(rows).tokens.to(device), lengths.to(device)

    @torch.no_grad()
    def probabilities(self, problems: Sequence[KitchenProblem], texts: Sequence[str]) -> list[float]:
        """Return how probably each answer is right."""
        return self(*self.read(problems, texts)).sigmoid().tolist()

    def reward(self, problem: Problem, text: str) -> float:
        """Return the same of one answer, as a reward function."""
        return self.probabilities([problem], [text])[0]  # ty: ignore[invalid-argument-type]
