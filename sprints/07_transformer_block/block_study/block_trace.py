"""What ran: the computation graph of a block, read off one forward pass.

Hooks note which tensors enter and leave each part; what happened between the parts, autograd has written down. A
diagram made of this cannot show a residual connection that is not there.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from shared.nn.attention import MultiHeadAttention
from shared.nn.blocks import FeedForward

PARTS = (MultiHeadAttention, FeedForward, nn.LayerNorm)


@dataclass(frozen=True)
class Node:
    """A step of the computation.

    Args:
        name: of the part as in the module, of an input, or "add 1", "add 2", ...
        kind: class of the part, "input" or "add".
        sources: names of the nodes that it takes from; of an addition the residual path first.
        shape: of the output.
        parameters: how many.
        looks_at: of a part, for each source: which of its tokens (columns) move which token of the output (rows).
    """

    name: str
    kind: str
    sources: list[str]
    shape: list[int]
    parameters: int
    looks_at: list[list[list[bool]]]


@dataclass
class _Call:
    """A part, what entered it and what left it."""

    name: str
    part: nn.Module
    inputs: list[Tensor]
    output: Tensor


def trace(block: nn.Module, **inputs: Tensor) -> list[Node]:
    """Run a block and return what ran: the inputs first, and every node after its sources.

    Args:
        block: made of the kinds in `PARTS` and additions, without dropout at work.
        inputs: its arguments by name, each (batch, tokens, d_model).

    Raises:
        ValueError: something else than an addition ran between the parts.
    """
    leaves = {name: tensor.detach().clone().requires_grad_() for name, tensor in inputs.items()}
    calls: list[_Call] = []

    def note(name: str, part: nn.Module, given: tuple[Any, ...], output: Tensor) -> None:
        tensors = [value for value in given if isinstance(value, Tensor) and value.is_floating_point()]
        calls.append(_Call(name, part, tensors, output))

    hooks = [
        part.register_forward_hook(lambda part, given, output, name=name: note(name, part, given, output))
        for name, part in block.named_modules()
        if isinstance(part, PARTS)
    ]
    try:
        output = block(**leaves)
    finally:
        for hook in hooks:
            hook.remove()
    reader = _Reader(leaves, calls)
    reader.visit(output.grad_fn)
    return list(reader.nodes.values())


class _Reader:
    """Walks autograd's record from the output back to the inputs, and turns it into nodes."""

    def __init__(self, leaves: dict[str, Tensor], calls: list[_Call]) -> None:
        self.leaves, self.calls = leaves, calls
        self.nodes = {name: Node(name, "input", [], list(leaf.shape), 0, []) for name, leaf in leaves.items()}
        self.names: dict[Any, str] = {}
        self.additions = 0

    def visit(self, function: Any) -> str:
        """Return the name of the node whose output a function of the record made, adding it after its sources."""
        if function not in self.names:
            node = self._make(function)
            self.names[function] = node.name
            self.nodes.setdefault(node.name, node)
        return self.names[function]

    def _make(self, function: Any) -> Node:
        for name, leaf in self.leaves.items():
            if getattr(function, "variable", None) is leaf:
                return self.nodes[name]
        for call in self.calls:
            if call.output.grad_fn is function:
                sources = [self._source(tensor) for tensor in call.inputs]
                count = sum(parameter.numel() for parameter in call.part.parameters())
                looks_at = [which_tokens(call.output, tensor) for tensor in call.inputs]
                return Node(call.name, type(call.part).__name__, sources, list(call.output.shape), count, looks_at)
        if function.name() != "AddBackward0":
            raise ValueError(
                f"between the parts of a block only additions are expected, but {function.name()} ran: "
                "is dropout at work, or is a part missing in PARTS?"
            )
        sources = [self.visit(before) for before, _ in function.next_functions]
        self.additions += 1
        return Node(f"add {self.additions}", "add", sources, self.nodes[sources[0]].shape, 0, [])

    def _source(self, tensor: Tensor) -> str:
        for name, leaf in self.leaves.items():
            if tensor is leaf:
                return name
        return self.visit(tensor.grad_fn)


def which_tokens(output: Tensor, source: Tensor) -> list[list[bool]]:
    """Return which tokens of the source (columns) move which token of the output (rows), by gradients."""
    # Not the plain sum of the features: layer norm keeps that constant, whatever enters it.
    weights = torch.randn(output.shape[-1], generator=torch.Generator().manual_seed(0)).to(output)
    rows = []
    for token in range(output.shape[1]):
        (gradient,) = torch.autograd.grad(output[0, token] @ weights, source, retain_graph=True)
        rows.append(gradient[0].any(dim=-1).tolist())
    return rows
