"""A GPT that reads vectors before words: prefixes that a network makes (Li & Liang 2021; Tsimpoukelli et al. 2021)."""

from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.generation.sampling import greedy
from shared.graph.graphs import Graph, without_edges
from shared.graph.layers import SAGELayer
from shared.graph.message_passing import scatter_sum
from shared.nn.cache import KeyValueCache
from shared.nn.gpt import GPT

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


class PrefixGPT(nn.Module):
    """A GPT behind a projection from embeddings to prefix vectors.

    Args:
        gpt: any GPT; its tokens keep the positions behind the prefix.
        embedding: width of what is projected.
        length: vectors of a prefix; 0 makes a model without one.
    """

    def __init__(self, gpt: GPT, embedding: int, length: int) -> None:
        super().__init__()
        if length >= gpt.config.context:
            raise ValueError(
                f"a prefix must leave room for a text in the {gpt.config.context} places of the model, got {length}"
            )
        self.gpt, self.length = gpt, length
        self.project = nn.Linear(embedding, length * gpt.config.d_model)

    def prefixes(self, embeddings: Tensor) -> Tensor:
        """Return the vectors of each embedding: (num_nodes, length, d_model)."""
        return self.project(embeddings).unflatten(1, (self.length, self.gpt.config.d_model))

    def read(self, vectors: Tensor, cache: list[KeyValueCache] | None = None) -> Tensor:
        """Return the logits after each of some vectors, (num_nodes, vectors, vocab), of words or not."""
        past = cache[0].length if cache else 0
        if (read := past + vectors.shape[1]) > self.gpt.config.context:
            raise ValueError(
                f"a prefix of {self.length} and its text must fit into the {self.gpt.config.context} places of the "
                f"model, got {read}: make the prefix shorter"
            )
        x = vectors + self.gpt.positions(torch.arange(past, past + vectors.shape[1], device=vectors.device)[None])
        for layer, block in enumerate(self.gpt.blocks):
            x = block(x, cache=cache[layer] if cache else None)
        return self.gpt.head(self.gpt.norm(x))

    def forward(self, embeddings: Tensor, tokens: Tensor) -> Tensor:
        """Return the logits of the token after each token, (num_nodes, tokens, vocab); the prefix is left out."""
        vectors = torch.cat([self.prefixes(embeddings), self.gpt.token_embedding(tokens)], dim=1)
        return self.read(vectors)[:, self.length :]

    @torch.inference_mode()
    def write(self, embeddings: Tensor, start: int, most: int) -> Tensor:
        """Return the most probable tokens behind each prefix and the token `start`: (num_nodes, most)."""
        cache = self.gpt.new_cache(len(embeddings), self.length + most)
        first = self.gpt.token_embedding(torch.full((len(embeddings), 1), start, device=embeddings.device))
        vectors, written = torch.cat([self.prefixes(embeddings), first], dim=1), []
        for _ in range(most):
            written.append(greedy(self.read(vectors, cache)[:, -1]))
            vectors = self.gpt.token_embedding(written[-1])[:, None]
        return torch.stack(written, dim=1)


class Describer(nn.Module):
    """A graph network and the GPT that says what it knows; trained as one."""

    def __init__(self, encoder: NodeEncoder, prefix: PrefixGPT) -> None:
        super().__init__()
        self.encoder, self.prefix = encoder, prefix

    def forward(self, features: Tensor, graph: Graph, nodes: Tensor, tokens: Tensor) -> Tensor:
        """Return the logits of the texts, (num_nodes, tokens, vocab), of some nodes of a graph."""
        return self.prefix(self.encoder(features, graph)[nodes], tokens)
