"""Answers to one question begin alike: in a tree of tokens, what they share is read once.

The prompt is the trunk; where answers differ, it branches. The answers 5*4=20, 5*4=21 and 6*4=24 to a prompt of six
tokens have 33 tokens to read in rows of their own, 16 in a tree (the last token of an answer is predicted, not read):

    <user> 2 + 3 = <cook>  5  *  4  =  2
                           6  *  4  =  2

A token that sees only its ancestors, and has its depth as position, is read as in a row of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from kitchen.answer_rows import answer_rows
from kitchen.tiny_llama import TinyLlama
from shared.text.batches import pad_rows
from shared.training.losses import token_losses


@dataclass(frozen=True)
class AnswerTrees:
    """A tree for each prompt, in preorder: the descendants of a token stand right behind it.

    Args:
        tokens: of the trees, padded on the right.
        positions: their depths.
        descendants: how many each token has.
        scored: True at the tokens that predict a token of an answer.
        answers: group after group, padded on the right.
        written: True where they are no padding.
        predicted_by: which of the scored tokens predicts each token of the answers.
    """

    tokens: Int[Tensor, "trees nodes"]
    positions: Int[Tensor, "trees nodes"]
    descendants: Int[Tensor, "trees nodes"]
    scored: Bool[Tensor, "trees nodes"]
    answers: Int[Tensor, "samples tokens"]
    written: Bool[Tensor, "samples tokens"]
    predicted_by: Int[Tensor, "samples tokens"]

    def to(self, device: torch.device) -> "AnswerTrees":
        """Return the trees on a device."""
        return AnswerTrees(**{name: part.to(device) for name, part in vars(self).items()})

    def sees(self) -> Bool[Tensor, "trees nodes nodes"]:
        """Return the mask of attention: True where a token looks at itself or at an ancestor."""
        place = torch.arange(self.tokens.shape[1], device=self.tokens.device)
        distance = place[:, None] - place
        return (distance >= 0) & (distance <= self.descendants[:, None, :])


def grow_trees(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> AnswerTrees:
    """Return the trees of prompts and their answers, which stand group after group, the same number for each prompt.

    Raises:
        ValueError: answers that cannot be divided among the prompts, or an empty prompt or answer.
    """
    if len(answers) % len(prompts) or not all(map(len, [*prompts, *answers])):
        raise ValueError(
            "prompts need as many answers each, and no prompt or answer may be empty; got "
            f"{len(prompts)} prompts and {len(answers)} answers, the shortest of {min(map(len, [*prompts, *answers]))}"
        )
    size, before = len(answers) // len(prompts), 0
    crowns, positions, descendants, predicted_by = [], [], [], [[] for _ in answers]
    for tree, prompt in enumerate(prompts):
        # The crown begins at the last token of the prompt: from there on tokens of answers are predicted.
        crown, depths, ends, child = [prompt[-1]], [len(prompt) - 1], [0], {}
        # In alphabetical order, what begins alike stands together: that makes it preorder.
        for sample in sorted(range(tree * size, (tree + 1) * size), key=lambda sample: list(answers[sample])):
            path = [0]
            for token in answers[sample][:-1]:
                if (path[-1], token) not in child:
                    child[path[-1], token] = len(crown)
                    crown.append(token)
                    depths.append(len(prompt) - 1 + len(path))
                    ends.append(0)
                path.append(child[path[-1], token])
            for node in path:
                ends[node] = len(crown)
            predicted_by[sample] = [before + node for node in path]
        trunk = range(len(prompt) - 1)
        crowns.append(crown)
        positions.append([*trunk, *depths])
        below = [end - node - 1 for node, end in enumerate(ends)]
        descendants.append([*(len(trunk) + len(crown) - node - 1 for node in trunk), *below])
        before += len(crown)
    tokens, scored = answer_rows([prompt[:-1] for prompt in prompts], crowns)
    found, written = answer_rows([[] for _ in answers], answers)
    positions, descendants, predicted_by = (pad_rows(rows).tokens for rows in (positions, descendants, predicted_by))
    return AnswerTrees(tokens, positions, descendants, scored, found, written, predicted_by)


def tree_log_probs(model: TinyLlama, trees: AnswerTrees) -> tuple[Float[Tensor, "samples tokens"], float]:
    """Return log p of every token of the answers, 0 at padding, and the mean entropy."""
    sees, x = trees.sees()[:, None], model.token_embedding(trees.tokens)
    for block in model.blocks:
        x = block(x, trees.positions, sees, None)
    logits = functional.linear(model.norm(x[trees.scored]), model.token_embedding.weight)
    every = logits.float().log_softmax(dim=-1)  # (scored, vocab)
    with torch.no_grad():
        entropies = -(every.exp() * every).sum(dim=-1)[trees.predicted_by]
        entropy = entropies[trees.written].mean().item()
    return every[trees.predicted_by, trees.answers] * trees.written, entropy


def row_log_probs(
    model: TinyLlama, tokens: Int[Tensor, "samples tokens"], written: Bool[Tensor, "samples tokens"]
) -> tuple[Float[Tensor, "samples targets"], float]:
    """Return the same with a row for each answer, as `answer_rows` makes them: the plain way, for comparison.

    Every token but the first of a row has its place, those that are not written with a 0.
    """
    logits = model(tokens[:, :-1])
    every = logits.float().log_softmax(dim=-1)
    entropies = -(every.exp() * every).sum(dim=-1)[written[:, 1:]]
    return -token_losses(logits, tokens, written), entropies.mean().item()
