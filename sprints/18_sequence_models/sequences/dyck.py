"""Nested brackets as a probabilistic grammar whose entropy is known exactly.

A bracket opens with probability p and closes otherwise; at depth 0 it must open, at the greatest depth close. An
opening bracket is of each kind alike, a closing one of the kind that was opened last. The stack follows from the
prefix, and so does the probability of every next token.
"""

import math

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor


class Brackets(BaseModel):
    """The grammar; token k opens kind k, token kinds + k closes it.

    Args:
        kinds: kinds of brackets.
        deepest: brackets that may be open at once.
        opening: probability that a bracket opens, where it may do both.
    """

    model_config = ConfigDict(frozen=True)
    kinds: int = Field(default=4, ge=1)
    deepest: int = Field(default=8, ge=1)
    opening: float = Field(default=0.5, gt=0, lt=1)

    def opens(self, depth: int) -> float:
        """Return the probability that a bracket opens at this depth."""
        return 1.0 if depth == 0 else 0.0 if depth == self.deepest else self.opening

    def entropy_at(self, depth: int) -> float:
        """Return the entropy of the next token in nats: H(p) + p ln kinds."""
        p = self.opens(depth)
        return sum(-q * math.log(q) for q in (p, 1 - p) if q > 0) + p * math.log(self.kinds)

    def depths(self, tokens: int) -> list[list[float]]:
        """Return the probability of each depth before each of so many tokens, from depth 0 on."""
        chances, rows = [1.0, *[0.0] * self.deepest], []
        for _ in range(tokens):
            rows.append(chances)
            following = [0.0] * (self.deepest + 1)
            for depth, chance in enumerate(chances):
                if depth < self.deepest:
                    following[depth + 1] += chance * self.opens(depth)
                if depth > 0:
                    following[depth - 1] += chance * (1 - self.opens(depth))
            chances = following
        return rows

    def entropy(self, tokens: int) -> float:
        """Return the mean entropy of the first so many tokens, in nats per token: no model's loss is lower."""
        rows = self.depths(tokens)
        return sum(chance * self.entropy_at(depth) for row in rows for depth, chance in enumerate(row)) / tokens

    def rate(self) -> float:
        """Return the entropy per token of a text without end, from the share of tokens at each depth.

        As often as a text goes from depth d to d + 1 it comes back, so share(d) opens(d) = share(d + 1) closes(d + 1).
        """
        shares = [1.0]
        for depth in range(self.deepest):
            shares.append(shares[-1] * self.opens(depth) / (1 - self.opens(depth + 1)))
        return sum(share * self.entropy_at(depth) for depth, share in enumerate(shares)) / sum(shares)

    def draw(
        self, rows: int, tokens: int, generator: torch.Generator
    ) -> tuple[Int[Tensor, "rows tokens"], Int[Tensor, "rows tokens"], Int[Tensor, "rows tokens"]]:
        """Return rows of brackets, the depth before each, and how far back the partner of a closing one is (else 0)."""
        text = torch.zeros(3, rows, tokens, dtype=torch.long)
        stack = torch.zeros(2, rows, self.deepest, dtype=torch.long)  # kind and place of each open bracket
        depth, every = torch.zeros(rows, dtype=torch.long), torch.arange(rows)
        chance = torch.rand(tokens, rows, generator=generator)
        kinds = torch.randint(self.kinds, (tokens, rows), generator=generator)
        for place in range(tokens):
            opens = ((chance[place] < self.opening) | (depth == 0)) & (depth < self.deepest)
            top = stack[:, every, (depth - 1).clamp(min=0)]
            token = torch.where(opens, kinds[place], self.kinds + top[0])
            text[:, :, place] = torch.stack([token, depth, torch.where(opens, 0, place - top[1])])
            new = torch.stack([kinds[place], torch.full_like(depth, place)])
            at = depth.clamp(max=self.deepest - 1)
            stack[:, every, at] = torch.where(opens, new, stack[:, every, at])
            depth = depth + 2 * opens.long() - 1
        return text[0], text[1], text[2]

    def optimal_logits(self, tokens: Int[Tensor, "rows tokens"]) -> Float[Tensor, "rows tokens vocab"]:
        """Return the logarithms of the true probabilities of the token after each, by keeping the stack."""
        rows = []
        for row in tokens.tolist():
            stack: list[int] = []
            rows.append([])
            for token in row:
                if token < self.kinds:
                    stack.append(token)
                else:
                    stack.pop()
                p = self.opens(len(stack))
                chances = [p / self.kinds] * self.kinds + [0.0] * self.kinds
                if stack:
                    chances[self.kinds + stack[-1]] = 1 - p
                rows[-1].append(chances)
        return torch.tensor(rows, dtype=torch.float64).log()
