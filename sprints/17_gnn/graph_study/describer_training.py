"""Training of a graph network and a GPT as one: from nodes to sentences about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from tqdm import tqdm

from graph_study.encoder_training import FactHeads, fact_batches, train_encoder
from graph_study.ingredient_graphs import NAMES, SIZE, IngredientGraph, batch_ingredients, draw_ingredients
from graph_study.node_facts import describe, facts_of
from graph_study.prefix_gpt import Describer, Kind, NodeEncoder, NodePrefixGPT
from shared.graph.graphs import Graph
from shared.nn.gpt import GPT
from shared.nn.pretrained import load_causal_model
from shared.text.batches import Batch, pad_rows
from shared.text.tokenizers import encode_documents
from shared.text.unseen_words import renew, unseen_tokens
from shared.training.loop import train_steps
from shared.training.losses import count_targets, token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

HELD_OUT = range(SIZE - 2, SIZE)  # nodes of each training graph that are never described in training
DESCRIBED = range(SIZE - 2)
ENCODER_BATCH = 24  # graphs of a step in which the encoder is trained alone
# What the prefix is made from: the graph, the node's own features alone, an encoder that is not trained, or nothing.
Source = Literal["graph", "own features", "untrained encoder", "nothing"]
SOURCES: tuple[Source, ...] = get_args(Source)


@dataclass(frozen=True)
class DescriberTraining:
    """How a describer is built and trained."""

    model: str
    graphs: int
    test_graphs: int
    prefix: int
    encoder: Kind
    encoder_steps: int
    steps: int
    batch_size: int
    learning_rate: float
    muon_learning_rate: float
    precision: str
    device: torch.device


@dataclass(frozen=True)
class TrainedDescriber:
    """A trained describer, the graphs it was and was not trained on, its losses, and its first text before training."""

    model: Describer
    tokenizer: "PreTrainedTokenizerBase"
    training: list[IngredientGraph]
    test: list[IngredientGraph]
    losses: list[float]
    before: str

    def write(self, drawn: list[IngredientGraph], order: Tensor | None = None) -> list[str]:
        return write_descriptions(self.model, self.tokenizer, drawn, order)


class DescriptionBatch(NamedTuple):
    """What a training step reads: graphs side by side, which of their nodes are described, and the texts."""

    features: Tensor
    graph: Graph
    nodes: Tensor
    text: Batch


def encode(ingredients: IngredientGraph, tokenizer: "PreTrainedTokenizerBase", nodes: range) -> list[list[int]]:
    """Return the descriptions of some nodes as tokens, each between two end tokens."""
    return encode_documents([f" {describe(facts_of(ingredients, node))}" for node in nodes], tokenizer)


def description_batches(
    drawn: list[IngredientGraph],
    how: DescriberTraining,
    tokenizer: "PreTrainedTokenizerBase",
    generator: torch.Generator,
) -> Iterator[DescriptionBatch]:
    """Yield random graphs without end; the last nodes of each are not described."""
    rows = [encode(ingredients, tokenizer, DESCRIBED) for ingredients in drawn]
    while True:
        chosen = torch.randint(len(drawn), (how.batch_size,), generator=generator).tolist()
        features, graph = batch_ingredients([drawn[index] for index in chosen])
        nodes = torch.tensor([SIZE * number + node for number in range(len(chosen)) for node in DESCRIBED])
        tokens, mask = pad_rows([row for index in chosen for row in rows[index]])
        text = Batch(tokens.to(how.device), None if mask is None else mask.to(how.device))
        yield DescriptionBatch(features.to(how.device), graph.to(how.device), nodes.to(how.device), text)


def description_loss(model: nn.Module, batch: DescriptionBatch) -> tuple[Tensor, int]:
    """Return the summed loss of the texts, given their prefixes, and the number of tokens."""
    logits = model(batch.features, batch.graph, batch.nodes, batch.text.tokens[:, :-1])
    return token_losses(logits, *batch.text).sum(), count_targets(*batch.text)


def build_describer(
    how: DescriberTraining, source: str, generator: torch.Generator
) -> tuple[Describer, "PreTrainedTokenizerBase"]:
    """Return a model and its tokenizer."""
    loaded, tokenizer = load_causal_model(how.model)
    gpt = GPT.from_transformers(loaded)  # ty: ignore[invalid-argument-type]
    renew(gpt.token_embedding.weight, unseen_tokens(gpt.token_embedding.weight), generator)
    encoder = NodeEncoder(len(NAMES) + 2, edges=source != "own features", kind=how.encoder)
    encoder.requires_grad_(source != "untrained encoder")
    prefix = NodePrefixGPT(gpt, encoder.width, 0 if source == "nothing" else how.prefix)
    return Describer(encoder, prefix).to(how.device), tokenizer


def write_descriptions(
    model: Describer,
    tokenizer: "PreTrainedTokenizerBase",
    drawn: list[IngredientGraph],
    order: Tensor | None = None,
) -> list[str]:
    """Return the text of every node; `order` hands each node the prefix of another one."""
    features, graph = batch_ingredients(drawn)
    device = next(model.parameters()).device
    most = max(len(row) for ingredients in drawn for row in encode(ingredients, tokenizer, range(SIZE)))
    model.eval()
    with torch.inference_mode():
        embeddings = model.encoder(features.to(device), graph.to(device))
        written = model.prefix.write(embeddings if order is None else embeddings[order], tokenizer.eos_token_id, most)
    texts = []
    for row in written.tolist():
        length = row.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in row else len(row)
        texts.append(str(tokenizer.decode(row[:length])))
    return texts


def teach_encoder(
    how: DescriberTraining, encoder: NodeEncoder, training: list[IngredientGraph], generator: torch.Generator
) -> None:
    """Train the encoder alone to know the facts of the nodes that may be described, if steps are given for it."""
    if how.encoder_steps:
        heads = FactHeads(encoder, encoder.width).to(how.device)
        batches = fact_batches(training, DESCRIBED, ENCODER_BATCH, generator, how.device)
        rates = {"learning_rate": how.learning_rate, "muon_learning_rate": how.muon_learning_rate}
        for _ in tqdm(train_encoder(heads, batches, steps=how.encoder_steps, **rates), "encoder", how.encoder_steps):
            pass


def train_describer(how: DescriberTraining, source: str, seed: int, generator: torch.Generator) -> TrainedDescriber:
    """Draw graphs, and train a describer on all but the last nodes of those that are not for the test."""
    training = [draw_ingredients(generator) for _ in range(how.graphs)]
    test = [draw_ingredients(generator) for _ in range(how.test_graphs)]
    model, tokenizer = build_describer(how, source, generator)
    before = write_descriptions(model, tokenizer, test[:1])[0]
    if source in ("graph", "own features"):
        teach_encoder(how, model.encoder, training, generator)
    optimizers = make_optimizers(model, learning_rate=how.learning_rate, muon_learning_rate=how.muon_learning_rate)
    trained = train_steps(
        model,
        description_batches(training, how, tokenizer, generator),
        loss_function=description_loss,
        optimizers=optimizers,
        steps=how.steps,
        schedule=lambda step: warmup_linear(step, steps=how.steps, warmup=20),
        precision=how.precision,
    )
    losses = [loss for _, loss in tqdm(trained, f"{source}, seed {seed}", how.steps)]
    return TrainedDescriber(model, tokenizer, training, test, losses, before)
