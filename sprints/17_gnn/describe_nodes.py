"""Can a language model put into words what a graph network knows of a node?

    uv run sprints/17_gnn/describe_nodes.py
    uv run sprints/17_gnn/describe_nodes.py --preset seeds
    uv run sprints/17_gnn/describe_nodes.py --preset baselines

A graph network reads a small graph of ingredients; its embedding of a node becomes four vectors that the shipped GPT
reads as if they were words; and the GPT writes which side the node is on, who its friends are, whether it is a bridge.
Facts are read from the text and counted, on graphs that training never saw. Theory: notes/09_graphs_into_words.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from tqdm import tqdm

from graph_study.larders import NAMES, SIDES, SIZE, Facts, Larder, draw_larder, facts_of, optimum, read, say, together
from graph_study.prefix_gpt import Describer, NodeEncoder, PrefixGPT
from shared.checks.intervals import mean_interval
from shared.graph.graphs import Graph
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run as run_script
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED, load_causal_model
from shared.text.batches import Batch, pad_rows
from shared.text.tokenizers import encode_documents
from shared.text.unseen_words import renew, unseen_tokens
from shared.training.loop import train_steps
from shared.training.losses import count_targets, token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FACTS = Facts._fields
HELD = 2  # nodes of each training graph that are never described in training
# What the prefix is made from: the graph, the node's own features alone, an encoder that is not trained, or nothing.
SOURCES = ("graph", "own features", "untrained encoder", "nothing")
PRESETS = {
    "seeds": {"seeds": (0, 1, 2), "steps": 800},
    "baselines": {"sources": SOURCES[1:], "steps": 400},
}
NOTHING_TO_SEE: dict[str, Any] = {"samples": [], "before": "", "probes": [], "points": [], "sides": [], "bridges": []}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), gpt2, or a folder
    # what prefixes are made from: graph, own features, untrained encoder, nothing
    sources: tuple[str, ...] = ("graph",)
    graphs: int = 1500  # training graphs of 14 nodes
    test_graphs: int = 40  # graphs for the test, drawn after those of training
    prefix: int = 4  # vectors before the text
    steps: int = 600  # optimizer steps
    batch_size: int = 4  # graphs of a step
    learning_rate: float = 2e-3  # of AdamW
    muon_learning_rate: float = 0.01  # of Muon, for the hidden matrices
    precision: str = "auto"  # auto, bfloat16 or float32
    seeds: tuple[int, ...] = (0,)  # of graphs and weights


Score = tuple[float, float]  # mean over the seeds, and half of the 95 % interval


@dataclass(frozen=True)
class Results:
    # By what the prefix is made from: the share of facts that are right, on graphs that training never saw.
    unseen_graphs: dict[str, dict[str, Score]]
    # The same for nodes of training graphs that training never described.
    unseen_nodes: dict[str, dict[str, Score]]
    # The best that anything can do, and guessing the most frequent answer.
    optimum: dict[str, float]
    chance: dict[str, float]
    losses: dict[str, list[float]]
    # What was written of some nodes of a test graph, and what is true of them.
    samples: list[tuple[str, str]]
    before: str
    # How well each vector of the prefix alone tells each fact by a linear rule: (vectors, facts), chance the last row.
    probes: list[list[float]]
    # Two principal components of the embeddings of test nodes, and what to colour them by.
    points: list[list[float]]
    sides: list[int]
    bridges: list[bool]


class Descriptions(NamedTuple):
    """What a training step reads: graphs side by side, which of their nodes are described, and the texts."""

    features: Tensor
    graph: Graph
    nodes: Tensor
    text: Batch


def encode(larder: Larder, tokenizer: "PreTrainedTokenizerBase", nodes: range) -> list[list[int]]:
    """Return the descriptions of some nodes as tokens, each between two end tokens."""
    return encode_documents([f" {say(facts_of(larder, node))}" for node in nodes], tokenizer)


def batches(
    larders: list[Larder], config: Config, tokenizer: "PreTrainedTokenizerBase", generator: torch.Generator
) -> Iterator[Descriptions]:
    """Yield random graphs without end; the last nodes of each are not described."""
    device, described = pick_device(config.device), range(SIZE - HELD)
    rows = [encode(larder, tokenizer, described) for larder in larders]
    while True:
        chosen = torch.randint(len(larders), (config.batch_size,), generator=generator).tolist()
        features, graph = together([larders[index] for index in chosen])
        nodes = torch.tensor([SIZE * place + node for place in range(len(chosen)) for node in described])
        text = pad_rows([row for index in chosen for row in rows[index]])
        text = Batch(text.tokens.to(device), None if text.mask is None else text.mask.to(device))
        yield Descriptions(features.to(device), graph.to(device), nodes.to(device), text)


def description_loss(model: nn.Module, batch: Descriptions) -> tuple[Tensor, int]:
    """Return the summed loss of the texts, given their prefixes, and the number of tokens."""
    logits = model(batch.features, batch.graph, batch.nodes, batch.text.tokens[:, :-1])
    return token_losses(logits, *batch.text).sum(), count_targets(*batch.text)


def build(config: Config, source: str, generator: torch.Generator) -> tuple[Describer, "PreTrainedTokenizerBase"]:
    """Return a model and its tokenizer."""
    loaded, tokenizer = load_causal_model(config.model)
    gpt = GPT.from_transformers(loaded)  # ty: ignore[invalid-argument-type]
    renew(gpt.token_embedding.weight, unseen_tokens(gpt.token_embedding.weight), generator)
    encoder = NodeEncoder(len(NAMES) + 2, edges=source != "own features")
    encoder.requires_grad_(source != "untrained encoder")
    prefix = PrefixGPT(gpt, encoder.width, 0 if source == "nothing" else config.prefix)
    return Describer(encoder, prefix).to(pick_device(config.device)), tokenizer


def describe(
    model: Describer, tokenizer: "PreTrainedTokenizerBase", larders: list[Larder], order: Tensor | None = None
) -> list[str]:
    """Return the text of every node; `order` hands each node the prefix of another one."""
    features, graph = together(larders)
    device = next(model.parameters()).device
    most = max(len(row) for larder in larders for row in encode(larder, tokenizer, range(SIZE)))
    model.eval()
    with torch.inference_mode():
        embeddings = model.encoder(features.to(device), graph.to(device))
        written = model.prefix.write(embeddings if order is None else embeddings[order], tokenizer.eos_token_id, most)
    texts = []
    for row in written.tolist():
        length = row.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in row else len(row)
        texts.append(str(tokenizer.decode(row[:length])))
    return texts


def score(texts: list[str], larders: list[Larder], nodes: range = range(SIZE)) -> dict[str, float]:
    """Return the share of facts that are right; a text that is no description has none right."""
    right, count = dict.fromkeys(FACTS, 0), 0
    for text, (larder, node) in zip(texts, ((larder, node) for larder in larders for node in range(SIZE)), strict=True):
        if node in nodes:
            said, true = read(text), facts_of(larder, node)
            count += 1
            for fact in FACTS:
                right[fact] += said is not None and getattr(said, fact) == getattr(true, fact)
    shares = {fact: value / count for fact, value in right.items()}
    return {**shares, "all": sum(shares.values()) / len(FACTS)}


def chance(larders: list[Larder]) -> dict[str, float]:
    """Return the share of facts that a text gets right that says the most frequent answer of each."""
    facts = [facts_of(larder, node) for larder in larders for node in range(SIZE)]
    most = {}
    for fact in FACTS:
        answers = [getattr(one, fact) for one in facts]
        most[fact] = max(answers.count(answer) for answer in set(answers)) / len(answers)
    return {**most, "all": sum(most.values()) / len(FACTS)}


def told_by(vectors: Tensor, answers: list[Any]) -> float:
    """Return how often logistic regression on vectors, (nodes, d_model), is right on nodes it was not fitted to."""
    from sklearn.linear_model import LogisticRegression

    half = len(answers) // 2
    if len(set(answers[:half])) == 1:  # a few graphs may hold one answer only
        return answers[half:].count(answers[0]) / (len(answers) - half)
    rule = LogisticRegression(max_iter=300).fit(vectors[:half], answers[:half])
    return float(rule.score(vectors[half:], answers[half:]))


def probe(prefixes: Tensor, larders: list[Larder]) -> list[list[float]]:
    """Return how well one vector of the prefix tells a fact of test nodes: (vectors, facts).

    The facts are the name, the side, whether leeks are a friend, and the bridge. The last row is the most frequent
    answer.
    """
    facts = [facts_of(larder, node) for larder in larders for node in range(SIZE)]
    columns: tuple[list[Any], ...] = (
        [one.name for one in facts],
        [one.side for one in facts],
        [NAMES[1] in one.friends for one in facts],
        [one.bridge for one in facts],
    )
    rows = [[told_by(vectors, answers) for answers in columns] for vectors in prefixes.unbind(dim=1)]
    return [*rows, [max(answers.count(answer) for answer in set(answers)) / len(answers) for answers in columns]]


class Run(NamedTuple):
    """What one seed found: scores by condition on unseen graphs and on unseen nodes, and things to look at."""

    unseen_graphs: dict[str, dict[str, float]]
    unseen_nodes: dict[str, dict[str, float]]
    losses: list[float]
    look: dict


def run(config: Config, source: str, seed: int) -> Run:
    """Train a model and score it."""
    generator = seed_everything(seed)
    training = [draw_larder(generator) for _ in range(config.graphs)]
    test = [draw_larder(generator) for _ in range(config.test_graphs)]
    model, tokenizer = build(config, source, generator)
    before = describe(model, tokenizer, test[:1])[0]
    optimizers = make_optimizers(
        model, learning_rate=config.learning_rate, muon_learning_rate=config.muon_learning_rate
    )
    steps = train_steps(
        model,
        batches(training, config, tokenizer, generator),
        loss_function=description_loss,
        optimizers=optimizers,
        steps=config.steps,
        schedule=lambda step: warmup_linear(step, steps=config.steps, warmup=20),
        precision=config.precision,
    )
    losses = [loss for _, loss in tqdm(steps, f"{source}, seed {seed}", config.steps)]
    texts = describe(model, tokenizer, test)
    some = training[: config.test_graphs]
    held = range(SIZE - HELD, SIZE)
    order = torch.randperm(len(texts), generator=generator)
    scores = {source: score(texts, test)}
    look: dict = {}
    if source == "graph":
        scores["graph, shuffled"] = score(describe(model, tokenizer, test, order), test)
        look = {"before": before, **inspect(model, test)}
        look["samples"] = [(text.strip(), say(facts_of(test[0], node))) for node, text in enumerate(texts[:6])]
    return Run(
        scores,
        {source: score(describe(model, tokenizer, some), some, held)},
        losses[:: max(1, config.steps // 60)],
        look,
    )


@torch.no_grad()
def inspect(model: Describer, larders: list[Larder]) -> dict:
    """Return probes of the prefix vectors, and the embeddings on their two principal axes."""
    features, graph = together(larders)
    device = next(model.parameters()).device
    embeddings = model.encoder(features.to(device), graph.to(device))
    centred = embeddings - embeddings.mean(dim=0)
    points = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].T
    facts = [facts_of(larder, node) for larder in larders for node in range(SIZE)]
    return {
        "probes": probe(model.prefix.prefixes(embeddings).cpu(), larders),
        "points": points.tolist(),
        "sides": [side for larder in larders for side in larder.sides],
        "bridges": [one.bridge for one in facts],
    }


def summary(runs: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, Score]]:
    """Return means and intervals over the seeds."""
    return {
        name: {fact: mean_interval([one[name][fact] for one in runs if name in one]) for fact in [*FACTS, "all"]}
        for name in dict.fromkeys(name for one in runs for name in one)
    }


def main(config: Config) -> Results:
    if unknown := set(config.sources) - set(SOURCES):
        raise ValueError(f"sources must be of {', '.join(SOURCES)}; got {', '.join(sorted(unknown))}")
    keep_freed_memory()
    runs = {
        (source, seed): run(config, source, config.seed + seed) for source in config.sources for seed in config.seeds
    }
    looks = [one.look for one in runs.values() if one.look]
    generator = seed_everything(config.seed)
    larders = [draw_larder(generator) for _ in range(10 * config.test_graphs)]
    best = optimum(larders)
    results = Results(
        unseen_graphs=summary([one.unseen_graphs for one in runs.values()]),
        unseen_nodes=summary([one.unseen_nodes for one in runs.values()]),
        optimum={**best, "all": sum(best.values()) / len(best)},
        chance=chance(larders),
        losses={source: runs[source, config.seeds[0]].losses for source in config.sources},
        **(looks[0] if looks else NOTHING_TO_SEE),
    )
    report(results)
    return results


def report(results: Results) -> None:
    print(f"{'facts right':<30}", "  ".join(f"{fact:>8}" for fact in [*FACTS, "all"]))
    for name, values in results.unseen_graphs.items():
        print(f"{name:<30}", "  ".join(f"{mean:8.1%}" for mean, _ in values.values()))
    for name, values in results.unseen_nodes.items():
        print(f"{name + ', unseen nodes':<30}", "  ".join(f"{mean:8.1%}" for mean, _ in values.values()))
    for name, values in (("optimum", results.optimum), ("the most frequent answer", results.chance)):
        print(f"{name:<30}", "  ".join(f"{values[fact]:8.1%}" for fact in [*FACTS, "all"]))
    for said, true in results.samples:
        print(f"  {said}" + ("" if said == true else f"    (true: {true})"))


def plot(results: Results) -> Figure:
    """Draw which facts are right, what the vectors of the prefix tell, and where nodes are in embedding space."""
    figure, (left, middle, right) = new_figure(14, 4, columns=3)
    shown = [*FACTS, "all"]
    rows = {name: [mean for mean, _ in values.values()] for name, values in results.unseen_graphs.items()}
    rows["most frequent answer"] = [results.chance[fact] for fact in shown]
    width = 0.8 / len(rows)
    for place, (name, values) in enumerate(rows.items()):
        left.bar([index + place * width for index in range(len(shown))], values, width, label=name)
    for index, fact in enumerate(shown):
        left.plot([index - width / 2, index + 0.8 - width / 2], [results.optimum[fact]] * 2, color="black", linewidth=1)
    left.set_xticks([index + 0.4 - width / 2 for index in range(len(shown))], shown)
    left.set(ylim=(0, 1.35), title="facts right on unseen graphs (line: optimum)")
    left.legend(fontsize=8, ncols=2, loc="upper left")
    if results.probes:
        draw_probes(middle, results.probes)
        draw_embeddings(right, results)
    return figure


def draw_probes(axes: Axes, probes: list[list[float]]) -> None:
    """Draw how well each vector of the prefix tells each fact."""
    axes.imshow(probes, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, values in enumerate(probes):
        for column, value in enumerate(values):
            colour = "white" if value > 0.6 else "black"
            axes.text(column, row, f"{value:.0%}", ha="center", va="center", color=colour)
    axes.set_xticks(range(4), ["name", "side", f"{NAMES[1]}?", "bridge"])
    axes.set_yticks(range(len(probes)), [*(f"vector {place}" for place in range(1, len(probes))), "most frequent"])
    axes.set(title="what one vector of the prefix tells")
    axes.grid(False)


def draw_embeddings(axes: Axes, results: Results) -> None:
    """Draw the embeddings of test nodes on their principal axes."""
    nodes = list(zip(results.points, results.sides, results.bridges, strict=True))
    for side, bridge in product(range(2), (False, True)):
        if its := [point for point, one, other in nodes if (one, other) == (side, bridge)]:
            x, y = zip(*its, strict=True)
            label = f"{SIDES[side]}{', a bridge' if bridge else ''}"
            axes.scatter(x, y, s=16, color=COLOURS[1 - side], marker="^" if bridge else "o", label=label)
    axes.set(title="embeddings of test nodes, two principal axes", xticks=[], yticks=[])
    axes.legend(fontsize=8)


if __name__ == "__main__":
    run_script(main, Config, plot=plot, presets=PRESETS)
