"""Completions of one prompt begin alike: packed into a tree of tokens, what they share is read once.

The prompt is the trunk; where completions differ, it branches. The completions 5*4=20, 5*4=21 and 6*4=24 of a prompt of
six tokens have 33 tokens to read in rows of their own, 16 in a tree (the last token of one is predicted, not read):

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

from kitchen.prompt_completion import prompt_completion_rows
from shared.nn.llama import Llama
from shared.text.batches import pad_rows


@dataclass(frozen=True)
class PackedTrees:
    """A tree for each prompt, in preorder: the descendants of a token stand right behind it.

    Args:
        tokens: of the trees, padded on the right.
        positions: their depths.
        descendants: how many each token has.
        scored: True at the tokens that predict a token of a completion.
        completions: group after group, padded on the right.
        completion_mask: True where they are no padding.
        predicted_by: which of the scored tokens predicts each token of the completions.
    """

    tokens: Int[Tensor, "trees nodes"]
    positions: Int[Tensor, "trees nodes"]
    descendants: Int[Tensor, "trees nodes"]
    scored: Bool[Tensor, "trees nodes"]
    completions: Int[Tensor, "samples tokens"]
    completion_mask: Bool[Tensor, "samples tokens"]
    predicted_by: Int[Tensor, "samples tokens"]

    def to(self, device: torch.device) -> "PackedTrees":
        """Return the trees on a device."""
        return PackedTrees(**{name: part.to(device) for name, part in vars(self).items()})

    def attention_mask(self) -> Bool[Tensor, "trees nodes nodes"]:
        """Return who may look at whom: True where a token looks at itself or at an ancestor."""
        index = torch.arange(self.tokens.shape[1], device=self.tokens.device)
        distance = index[:, None] - index
        return (distance >= 0) & (distance <= self.descendants[:, None, :])


def pack_trees(prompts: Sequence[Sequence[int]], completions: Sequence[Sequence[int]]) -> PackedTrees:
    """Return the trees of prompts and their completions, which stand group after group, as many for each prompt.

    Raises:
        ValueError: completions that cannot be divided among the prompts, or an empty prompt or completion.
    """
    if len(completions) % len(prompts) or not all(map(len, [*prompts, *completions])):
        raise ValueError(
            "prompts need as many completions each, and no prompt or completion may be empty; got "
            f"{len(prompts)} prompts and {len(completions)} completions, "
            f"the shortest of {min(map(len, [*prompts, *completions]))}"
        )
    group_size, scored_before = len(completions) // len(prompts), 0
    crowns, positions, descendants, predicted_by = [], [], [], [[] for _ in completions]
    for tree, prompt in enumerate(prompts):
        # The crown begins at the last token of the prompt: from there on tokens of completions are predicted.
        crown, depths, ends, child = [prompt[-1]], [len(prompt) - 1], [0], {}
        # In alphabetical order, what begins alike stands together: that makes it preorder.
        group = range(tree * group_size, (tree + 1) * group_size)
        for sample in sorted(group, key=lambda sample: list(completions[sample])):
            path = [0]
            for token in completions[sample][:-1]:
                if (path[-1], token) not in child:
                    child[path[-1], token] = len(crown)
                    crown.append(token)
                    depths.append(len(prompt) - 1 + len(path))
                    ends.append(0)
                path.append(child[path[-1], token])
            for node in path:
                ends[node] = len(crown)
            predicted_by[sample] = [scored_before + node for node in path]
        trunk = range(len(prompt) - 1)
        crowns.append(crown)
        positions.append([*trunk, *depths])
        below = [end - node - 1 for node, end in enumerate(ends)]
        descendants.append([*(len(trunk) + len(crown) - node - 1 for node in trunk), *below])
        scored_before += len(crown)
    tokens, scored = prompt_completion_rows([prompt[:-1] for prompt in prompts], crowns)
    padded, completion_mask = prompt_completion_rows([[] for _ in completions], completions)
    positions, descendants, predicted_by = (pad_rows(rows).tokens for rows in (positions, descendants, predicted_by))
    return PackedTrees(tokens, positions, descendants, scored, padded, completion_mask, predicted_by)


def tree_log_probs(model: Llama, trees: PackedTrees) -> tuple[Float[Tensor, "samples tokens"], float]:
    """Return log p of every token of the completions, 0 at padding, and the mean entropy."""
    mask, x = trees.attention_mask()[:, None], model.token_embedding(trees.tokens)
    for block in model.blocks:
        x = block(x, trees.positions, mask, None)
    logits = functional.linear(model.norm(x[trees.scored]), model.output_weight)
    log_probs = logits.float().log_softmax(dim=-1)  # (scored, vocab)
    with torch.no_grad():
        entropies = -(log_probs.exp() * log_probs).sum(dim=-1)[trees.predicted_by]
        entropy = entropies[trees.completion_mask].mean().item()
    return log_probs[trees.predicted_by, trees.completions].where(trees.completion_mask, 0.0), entropy
