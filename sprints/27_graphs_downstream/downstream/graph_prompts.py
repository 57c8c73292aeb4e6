"""Questions about a larder behind a graph in the prompt: vectors of a graph network, text, or both.

What stands before the question costs one place a vector and two a line of text. The arms share one budget of places.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from downstream.larder_questions import PADDING, SIZE, WORDS, Larder, Question, draw_names
from downstream.larder_texts import EDGE_TOKENS, Edges
from downstream.node_training import BothWays
from shared.graph.graphs import Graph
from shared.nn.first_weights import Spreads, begin_alike, spread_of_queries
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.prefix_gpt import PrefixGPT

QUESTION_TOKENS = 2  # the kind that is asked for, and the thing
NO_EDGE = -1


class Arm(NamedTuple):
    """How many places of a prompt are vectors, and how many are tokens of text."""

    vectors: int
    tokens: int


def arms(budget: int) -> dict[str, Arm]:
    """Return the arms of a comparison with so many places.

    Raises:
        ValueError: half of the budget is no whole number of edges.
    """
    if budget < 1 or budget % (2 * EDGE_TOKENS):
        raise ValueError(
            f"half of the budget must be a whole number of edges: a multiple of {2 * EDGE_TOKENS}; got {budget}"
        )
    half = budget // 2
    return {"nothing": Arm(0, 0), "prefix": Arm(budget, 0), "text": Arm(0, budget), "both": Arm(half, half)}


class Prompts(NamedTuple):
    """Questions about larders as tensors, a row each; where a row has fewer edges than another one, -1 stands."""

    graph: Tensor  # (rows, edges, 2): what the graph network reads
    text: Tensor  # (rows, lines, 2): what stands as text
    things: Tensor  # (rows)
    hops: Tensor  # (rows)
    answers: Tensor  # (rows)

    def rows(self, chosen: Tensor) -> "Prompts":
        """Return some rows."""
        return Prompts(*(column[chosen] for column in self))


def as_prompts(asked: Sequence[tuple[Larder, Question]], texts: Sequence[Edges], tokens: int) -> Prompts:
    """Return questions about larders, and of each text the edges that so many tokens hold."""
    lines = tokens // EDGE_TOKENS
    return Prompts(
        _padded([larder.edges for larder, _ in asked]),
        _padded([text[:lines] for text in texts], lines),
        torch.tensor([question.thing for _, question in asked]),
        torch.tensor([question.hops for _, question in asked]),
        torch.tensor([larder.answer(question) for larder, question in asked]),
    )


def _padded(rows: Sequence[Edges], most: int | None = None) -> Tensor:
    most = max(len(row) for row in rows) if most is None else most
    filled = [[*row, *[(NO_EDGE, NO_EDGE)] * (most - len(row))] for row in rows]
    return torch.tensor(filled, dtype=torch.long).reshape(len(rows), most, 2)


class LarderEncoder(nn.Module):
    """GraphSAGE over the larders of a batch, up and down apart; the asked things become vectors for the prompt.

    Args:
        vectors: of a prompt.
        d_model: numbers of a vector.
        width: numbers of a node.
        depth: layers, at least as many as hops.
    """

    def __init__(self, vectors: int, d_model: int, width: int = 48, depth: int = 4) -> None:
        super().__init__()
        self.names = nn.Embedding(len(WORDS), width)
        self.layers = nn.ModuleList(BothWays(width, width) for _ in range(depth))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))
        self.project = nn.Linear(depth * width, vectors * d_model)
        self.d_model = d_model

    def forward(self, edges: Tensor, names: Tensor, things: Tensor) -> Tensor:
        """Return the vectors before each question, (rows, vectors, d_model); edges and names of each row's larder."""
        first = SIZE * torch.arange(len(edges), device=edges.device)
        there = edges[..., 0] != NO_EDGE
        graph = Graph((edges + first[:, None, None])[there].T, names.numel())
        hidden, kept = self.names(names.flatten()), []
        for layer, norm in zip(self.layers, self.norms, strict=True):
            hidden = norm(hidden + functional.relu(layer(hidden, graph)))
            kept.append(hidden[first + things])  # the shelf is one step away, the keeper three
        return self.project(torch.cat(kept, dim=1)).unflatten(1, (-1, self.d_model))


class GraphPromptGPT(nn.Module):
    """A GPT that answers a question behind vectors of a graph network, text, both, or nothing."""

    def __init__(self, arm: Arm, *, d_model: int = 48, layers: int = 4, heads: int = 4) -> None:
        super().__init__()
        places = arm.vectors + arm.tokens + QUESTION_TOKENS
        config = GPTConfig(len(WORDS), places, layers, heads, d_model, dropout=0.0)
        self.gpt = GPT(config)
        # Each vector is a line of its own, so is the question.
        text = arm.vectors + torch.arange(arm.tokens + QUESTION_TOKENS) // EDGE_TOKENS
        lines = torch.cat([torch.arange(arm.vectors), text])
        # A name looks at its equal and at the other name of its line, in every block: a hop is one more comparison.
        spreads = Spreads(lines=0.1, places=0.05, queries=spread_of_queries(7.0, config))
        begin_alike(self.gpt, lines, torch.arange(places), spreads)
        self.encoder = LarderEncoder(arm.vectors, d_model) if arm.vectors else None

    def forward(self, prompts: Prompts, names: Tensor, before: Prompts | None = None) -> Tensor:
        """Return the logits of the answer's token, (rows, words).

        Args:
            prompts: what is asked.
            names: the token of each node, (rows, SIZE).
            before: whose graphs stand before the questions (default: those that are asked about).
        """
        graphs = prompts if before is None else before
        question = torch.stack([prompts.hops, names.gather(1, prompts.things[:, None]).squeeze(1)], dim=1)
        tokens = torch.cat([as_tokens(graphs.text, names), question], dim=1)
        if self.encoder is None:
            return self.gpt(tokens)[:, -1]
        prefix = self.encoder(graphs.graph, names, graphs.things)
        return PrefixGPT(self.gpt, prefix)(tokens)[:, -1]


def as_tokens(text: Tensor, names: Tensor) -> Tensor:
    """Return edges, (rows, lines, 2), as tokens, (rows, 2 lines)."""
    nodes = text.flatten(1)
    return names.gather(1, nodes.clamp(min=0)).where(nodes != NO_EDGE, PADDING)


def in_any_order(prompts: Prompts, generator: torch.Generator) -> Prompts:
    """Return prompts with the lines of each text in a random order, padding first: no place gives an answer away."""
    keys = torch.rand(prompts.text.shape[:2], generator=generator) + (prompts.text[..., 0] != NO_EDGE)
    order = keys.argsort(dim=1)[..., None].expand_as(prompts.text)
    return prompts._replace(text=prompts.text.gather(1, order))


def batch_of(
    prompts: Prompts, size: int, generator: torch.Generator, names: Tensor | None = None
) -> tuple[Prompts, Tensor]:
    """Return random rows, their lines in a random order, and the names of their nodes (default: dealt out anew)."""
    chosen = torch.randint(len(prompts.things), (size,), generator=generator)
    dealt = draw_names(size, generator) if names is None else names[chosen]
    return in_any_order(prompts.rows(chosen), generator), dealt


def answers_of(prompts: Prompts, names: Tensor) -> Tensor:
    """Return the token of each answer: (rows)."""
    return names.gather(1, prompts.answers[:, None]).squeeze(1)
