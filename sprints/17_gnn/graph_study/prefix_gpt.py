"""A graph network before a GPT: what it knows of a node becomes vectors that stand before the words."""

from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.generation.decoding import stream
from shared.graph.graphs import Graph, without_edges
from shared.graph.layers import SAGELayer
from shared.graph.message_passing import scatter_sum
from shared.nn.gpt import GPT
from shared.nn.prefix_gpt import PrefixGPT, refuse_if_too_long

Kind = Literal["sage", "comparing"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class ComparingLayer(nn.Module):
    """Messages that see both ends of their edge: h' = U h_i + V sum of relu(A h_i + B h_j) / 2 + b.

    Where the message is a function of the source alone, a node has to find out from a mean of all its neighbours
    whether one of them differs from itself; here each edge is asked (Gilmer et al. 2017, section 2).
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.own = nn.Linear(in_features, out_features)
        self.of_target = nn.Linear(in_features, out_features)
        self.of_source = nn.Linear(in_features, out_features, bias=False)
        self.together = nn.Linear(out_features, out_features, bias=False)

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        """Return the new features: (num_nodes, out_features)."""
        source, target = graph.edge_index
        messages = functional.relu(self.of_target(features)[target] + self.of_source(features)[source])
        return self.own(features) + self.together(scatter_sum(messages, target, graph.num_nodes) / 2)


LAYERS: dict[str, type[nn.Module]] = {"sage": SAGELayer, "comparing": ComparingLayer}


class NodeEncoder(nn.Module):
    """Layers of message passing with residuals, and what all of them say of a node as one embedding.

    Args:
        in_features: numbers by node.
        hidden: width of the layers.
        width: of the embedding.
        depth: how many layers.
        edges: False leaves the edges out: the embedding of a node is then made of its own features alone.
        kind: of layer, sage (GraphSAGE) or comparing.
    """

    def __init__(
        self,
        in_features: int,
        hidden: int = 96,
        width: int = 64,
        *,
        depth: int = 4,
        edges: bool = True,
        kind: Kind = "sage",
    ) -> None:
        super().__init__()
        self.edges, self.width = edges, width
        sizes = [in_features, *[hidden] * depth]
        self.layers = nn.ModuleList(LAYERS[kind](*pair) for pair in pairwise(sizes))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(depth))
        # Friends are one step away, what they belong to several: the last layer alone would have to carry both.
        self.together = nn.Linear(depth * hidden, width)

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        """Return embeddings: (num_nodes, width)."""
        graph = graph if self.edges else without_edges(graph)
        kept: list[Tensor] = []
        for layer, norm in zip(self.layers, self.norms, strict=True):
            heard = functional.relu(layer(features, graph))
            features = norm(features + heard if kept else heard)
            kept.append(features)
        return self.together(torch.cat(kept, dim=1))


class NodePrefixGPT(nn.Module):
    """A GPT behind a projection from the embeddings of nodes to the vectors that it reads before words.

    Args:
        gpt: any GPT; its tokens keep the positions behind the prefix.
        embedding: width of what is projected.
        length: vectors of a prefix; 0 makes a model without one.

    Raises:
        ValueError: the prefix leaves no room for a text.
    """

    def __init__(self, gpt: GPT, embedding: int, length: int) -> None:
        super().__init__()
        refuse_if_too_long(gpt, length)
        self.gpt, self.length = gpt, length
        self.project = nn.Linear(embedding, length * gpt.config.d_model)

    def prefixes(self, embeddings: Tensor) -> Tensor:
        """Return the vectors of each embedding: (num_nodes, length, d_model)."""
        return self.project(embeddings).unflatten(1, (self.length, self.gpt.config.d_model))

    def forward(self, embeddings: Tensor, tokens: Tensor) -> Tensor:
        """Return the logits of the token after each token, (num_nodes, tokens, vocab); the prefix is left out."""
        return PrefixGPT(self.gpt, self.prefixes(embeddings))(tokens)

    def write(self, embeddings: Tensor, start: int, most: int) -> Tensor:
        """Return the most probable tokens behind each prefix and the token `start`: (num_nodes, most).

        Raises:
            ValueError: prefix and text do not fit into the model's context.
        """
        refuse_if_too_long(self.gpt, self.length, 1 + most)
        with torch.inference_mode():
            behind = PrefixGPT(self.gpt, self.prefixes(embeddings))
        starts = [[start]] * len(embeddings)
        return torch.tensor(list(stream(behind, starts, max_new_tokens=most, temperature=0))).T  # (num_nodes, most)


class Describer(nn.Module):
    """A graph network and the GPT that says what it knows; trained as one."""

    def __init__(self, encoder: NodeEncoder, prefix: NodePrefixGPT) -> None:
        super().__init__()
        self.encoder, self.prefix = encoder, prefix

    def forward(self, features: Tensor, graph: Graph, nodes: Tensor, tokens: Tensor) -> Tensor:
        """Return the logits of the texts, (num_nodes, tokens, vocab), of some nodes of a graph."""
        return self.prefix(self.encoder(features, graph)[nodes], tokens)
