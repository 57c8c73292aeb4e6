"""Which graphs can message passing not tell apart? Colour refinement says it before a network is trained.

    uv run sprints/17_gnn/expressive_power.py
    uv run sprints/17_gnn/expressive_power.py --seeds 0 1 2 3 4

Untrained: sum, mean and maximum on three pairs of neighbourhoods, pairs of graphs, and all graphs of up to seven nodes.
Trained: which of two motifs hangs on a random tree, and which ring it is, beside chance and beside what any message
passing can reach. Remedies: random features, eigenvectors, random walks. Theory: notes/05_expressive_power.md
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from graph_study.motif_graphs import (
    TASKS,
    TWINS,
    adjacency,
    circular_skip_links,
    colour_counts,
    colour_refinement,
    laplacian_eigenvectors,
    motifs_in_trees,
    permitted,
    return_probabilities,
)
from shared.checks.intervals import mean_interval
from shared.graph.graphs import Graph, batch_graphs, graph_ids, scatter_max, scatter_sum
from shared.graph.layers import GCNLayer, GINLayer, SAGELayer
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

RINGS, ONE_NODE = "circular skip links", "hexagon or two triangles, joined at one node"
ONES, RANDOM, EIGENVECTORS, WALKS = "ones", "random features", "Laplacian eigenvectors", "return probabilities"
# The coloured neighbours of two nodes (Xu et al. 2019, figure 3).
NEIGHBOURHOODS = {
    "2 red, 3 red": ("rr", "rrr"),
    "red green, red 2 green": ("rg", "rgg"),
    "twice as many": ("rg", "rrgg"),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    pairs: int = 50  # twins to train on; as many for validation, twice as many for the test
    copies: int = 3  # rings of each kind to train on; as many for validation and for the test
    layers: int = 4  # layers of message passing
    width: int = 32  # numbers of a node between layers
    steps: int = 100  # most optimizer steps
    remedy_steps: int = 250  # most optimizer steps with features that go beyond colours
    learning_rate: float = 5e-3  # peak of AdamW's rate
    draws: int = 16  # random features or signs whose predictions are averaged
    seeds: tuple[int, ...] = (0, 1, 2)  # trainings, each with data of its own; --seed is added


@dataclass(frozen=True)
class Pair:
    """Two graphs, their colours, and how far apart they are for an untrained network and for other features."""

    edges: list[list[list[int]]]
    colours: list[list[int]]
    told_apart: bool
    gin: float
    return_probabilities: float
    spectrum: float


@dataclass(frozen=True)
class Atlas:
    """All graphs of up to seven nodes, and how GINs with drawn weights sort them."""

    graphs: int
    colour_classes: int
    within: float
    between: float


@dataclass(frozen=True)
class Score:
    test: list[float]
    mean: tuple[float, float]


@dataclass(frozen=True)
class Task:
    chance: float
    permitted: float
    models: dict[str, Score]


@dataclass(frozen=True)
class Depth:
    permitted: float
    gin: Score


@dataclass(frozen=True)
class Results:
    neighbourhoods: dict[str, dict[str, float]]
    pairs: dict[str, Pair]
    atlas: Atlas
    tasks: dict[str, Task]
    depths: dict[str, Depth]


class MaxLayer(SAGELayer):
    """The largest of the neighbours, number by number, instead of their mean."""

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        return self.own(features) + self.neighbours(scatter_max(features[graph.sources], graph.targets, graph.nodes))


LAYERS: dict[str, Callable[[int, int], nn.Module]] = {
    "GIN (sum)": GINLayer,
    "GCN (weighted sum)": GCNLayer,
    "SAGE (mean)": SAGELayer,
    "SAGE (maximum)": MaxLayer,
}


class GraphClassifier(nn.Module):
    """Layers, a sum over nodes, and an MLP. Two graphs with equal colours get equal logits, whatever the weights."""

    def __init__(self, layer: Callable[[int, int], nn.Module], features: int, classes: int, width: int, layers: int):
        super().__init__()
        self.layers = nn.ModuleList(layer(width if place else features, width) for place in range(layers))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(layers))
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes))

    def embed(self, features: Tensor, graph: Graph) -> Tensor:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            features = functional.relu(norm(layer(features, graph)))
        return scatter_sum(features, graph_ids(graph), graph.graphs)  # (graphs, width)

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        # Ten nodes, more or less: a sum of this size suits the first steps.
        return self.head(self.embed(features, graph) / 10)


# Untrained: what the weights do not change


def compare_neighbourhoods(generator: torch.Generator, tries: int = 10) -> dict[str, dict[str, float]]:
    """Return how far apart a layer puts two nodes with other neighbours, at most, in so many tries of its weights."""
    found: dict[str, dict[str, float]] = {}
    for name, words in NEIGHBOURHOODS.items():
        graphs = [Graph.undirected([(0, place + 1) for place in range(len(word))], 1 + len(word)) for word in words]
        features = [torch.eye(3, dtype=torch.double)[[0, *("_rg".index(letter) for letter in word)]] for word in words]
        found[name] = {}
        for kind, make in LAYERS.items():
            torch.manual_seed(int(torch.randint(1 << 31, (), generator=generator)))
            layers = [make(3, 8).double() for _ in range(tries)]
            nodes = [[layer(its, graph)[0] for its, graph in zip(features, graphs, strict=True)] for layer in layers]
            found[name][kind] = max((one - other).abs().max().item() for one, other in nodes)
    return found


@torch.no_grad()
def embed_untrained(graphs: Sequence[Graph], layers: int = 6) -> Tensor:
    """Return what a GIN with drawn weights makes of graphs: (graphs, 32), in double precision, the largest number 1."""
    batch = batch_graphs(graphs)
    model = GraphClassifier(GINLayer, 1, 2, 32, layers).double().eval()
    found = model.embed(torch.ones(batch.nodes, 1, dtype=torch.double), batch)
    return found / found.abs().max()


def compare_pairs(tries: int = 10) -> dict[str, Pair]:
    """Return what the twins look like to colour refinement, to untrained networks, and to other features."""
    found = {}
    for name, make in TWINS.items():
        graphs = make()
        colours = colour_refinement(batch_graphs(graphs)).split([graph.nodes for graph in graphs])
        counts = colour_counts(graphs)
        walks = [return_probabilities(graph).sort(dim=0).values for graph in graphs]
        spectra = [torch.linalg.eigvalsh(adjacency(graph)) for graph in graphs]
        outputs = [embed_untrained(graphs) for _ in range(tries)]
        found[name] = Pair(
            edges=[graph.edges[:, graph.sources < graph.targets].T.tolist() for graph in graphs],
            colours=[its.tolist() for its in colours],
            told_apart=counts[0] != counts[1],
            gin=max((one - other).abs().max().item() for one, other in outputs),
            return_probabilities=(walks[0] - walks[1]).abs().max().item(),
            spectrum=(spectra[0] - spectra[1]).abs().max().item(),
        )
    return found


def sort_atlas(tries: int = 4) -> Atlas:
    """Return how far apart untrained GINs put graphs with equal colours at most, and others at least.

    One GIN may lose a graph: if a ReLU gives 0 for all of its nodes, so does the sum. Each pair counts as far apart as
    the best of a few puts it.
    """
    from networkx import graph_atlas_g

    graphs = [Graph.undirected(list(each.edges), len(each)) for each in graph_atlas_g() if len(each)]
    counts = colour_counts(graphs)
    outputs = [embed_untrained(graphs) for _ in range(tries)]
    distances = torch.stack([torch.cdist(its, its, p=float("inf")) for its in outputs]).amax(dim=0)
    places = {its: place for place, its in enumerate(dict.fromkeys(counts))}
    classes = torch.tensor([places[its] for its in counts])
    alike = classes[:, None] == classes
    return Atlas(len(graphs), len(places), distances[alike].max().item(), distances[~alike].min().item())


# Trained


def make_encoder(graphs: Sequence[Graph], kind: str, generator: torch.Generator) -> Callable[[], Tensor]:
    """Return what makes node features; where they are random, or their signs are, each call draws anew."""
    batch = batch_graphs(graphs)
    ones, ids = torch.ones(batch.nodes, 1), graph_ids(batch)
    if kind == RANDOM:
        return lambda: torch.cat([ones, torch.randn(batch.nodes, 4, generator=generator)], dim=1)
    if kind == EIGENVECTORS:
        vectors = torch.cat([laplacian_eigenvectors(graph) for graph in graphs])
        # Neither sign of an eigenvector is the right one, so a network must not rely on it.
        shape = (len(graphs), vectors.shape[1])
        return lambda: torch.cat([ones, vectors * (2 * torch.randint(2, shape, generator=generator) - 1)[ids]], dim=1)
    if kind == WALKS:
        walks = torch.cat([return_probabilities(graph) for graph in graphs])
        return lambda: torch.cat([ones, walks], dim=1)
    return lambda: ones


def draw_splits(config: Config, task: str, generator: torch.Generator) -> list[tuple[list[Graph], list[int]]]:
    """Return graphs and labels for training, validation and test."""
    if task == RINGS:
        return [circular_skip_links(config.copies, generator) for _ in range(3)]
    return [motifs_in_trees(task, config.pairs * times, generator) for times in (1, 1, 2)]


def train(config: Config, task: str, layer: str, features: str, seed: int, layers: int) -> float:
    """Train on one task and return the test accuracy of the weights that were best on the validation graphs."""
    device, generator = pick_device(config.device), seed_everything(config.seed + seed)
    splits = draw_splits(config, task, generator)
    encoders = [make_encoder(graphs, features, generator) for graphs, _ in splits]
    graphs = [batch_graphs(graphs).to(device) for graphs, _ in splits]
    labels = [torch.tensor(labels, device=device) for _, labels in splits]
    classes = 1 + max(splits[0][1])
    model = GraphClassifier(LAYERS[layer], encoders[0]().shape[1], classes, config.width, layers).to(device)
    steps = config.steps if features == ONES else config.remedy_steps
    draws = config.draws if features in (RANDOM, EIGENVECTORS) else 1

    def loss_of(model: nn.Module, features: Tensor) -> tuple[Tensor, int]:
        return functional.cross_entropy(model(features, graphs[0]), labels[0], reduction="sum"), len(labels[0])

    @torch.no_grad()
    def accuracy(split: int) -> float:
        said = sum(model(encoders[split]().to(device), graphs[split]).softmax(dim=1) for _ in range(draws))
        return (said.argmax(dim=1) == labels[split]).float().mean().item()

    batches = iter(lambda: encoders[0]().to(device), None)
    optimizers = make_optimizers(model, learning_rate=config.learning_rate)
    best, test = -1.0, 0.0
    for step, _ in train_steps(model, batches, loss_function=loss_of, optimizers=optimizers, steps=steps):
        if step % 10 == 0 or step == steps:
            model.eval()
            if (now := accuracy(1)) > best:
                best, test = now, accuracy(2)
            if best == 1:
                break
    return test


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # graphs of a few nodes: threads would only wait for each other
    generator = seed_everything(config.seed)
    tasks = [*TASKS, RINGS]
    plans = [(task, name, name, ONES, config.layers) for task in tasks for name in LAYERS]
    plans += [
        (task, f"GIN, {remedy}", "GIN (sum)", remedy, config.layers)
        for task in tasks[-2:]
        for remedy in (RANDOM, EIGENVECTORS, WALKS)
    ]
    plans += [(ONE_NODE, str(layers), "GIN (sum)", ONES, layers) for layers in range(1, config.layers)]
    scores: dict[str, dict[str, Score]] = {task: {} for task in tasks}
    for task, name, layer, features, layers in tqdm(plans, desc="trainings"):
        test = [train(config, task, layer, features, seed, layers) for seed in config.seeds]
        scores[task][name] = Score(test, mean_interval(test))
    splits = {task: draw_splits(config, task, generator)[2] for task in tasks}
    depths = {str(layers): scores[ONE_NODE].pop(str(layers)) for layers in range(1, config.layers)}
    depths[str(config.layers)] = scores[ONE_NODE]["GIN (sum)"]
    results = Results(
        neighbourhoods=compare_neighbourhoods(generator),
        pairs=compare_pairs(),
        atlas=sort_atlas(),
        tasks={
            task: Task(1 / (1 + max(splits[task][1])), permitted(*splits[task]), its) for task, its in scores.items()
        },
        depths={
            layers: Depth(permitted(*splits[ONE_NODE], rounds=int(layers)), score) for layers, score in depths.items()
        },
    )
    report(results)
    return results


def report(results: Results) -> None:
    """Print what was found."""
    for name, pair in results.pairs.items():
        colours = "other" if pair.told_apart else "the same"
        print(f"{name}: {colours} colours, untrained GINs differ by {pair.gin:.1e}")
    atlas = results.atlas
    print(f"{atlas.graphs} graphs of up to seven nodes have {atlas.colour_classes} kinds of colours: untrained GINs")
    print(f"put equal kinds within {atlas.within:.1e}, others at least {atlas.between:.1e} apart")
    for name, task in results.tasks.items():
        print(f"{name}: chance {task.chance:.0%}, colours permit {task.permitted:.0%}")
        for model, score in task.models.items():
            print(f"    {model:<28} {score.mean[0]:6.1%} +- {score.mean[1]:.1%}")
    for layers, depth in results.depths.items():
        print(f"{ONE_NODE}: GIN, {layers} layers {depth.gin.mean[0]:.1%}, colours permit {depth.permitted:.0%}")


def draw_pair(axis: Axes, name: str, pair: Pair) -> None:
    """Draw two graphs side by side, equal colours alike."""
    import networkx as nx

    for side, (edges, colours) in enumerate(zip(pair.edges, pair.colours, strict=True)):
        graph = nx.Graph()
        graph.add_nodes_from(range(len(colours)))
        graph.add_edges_from(edges)
        parts = [*nx.connected_components(graph)]
        for place, part in enumerate(parts):
            arrange = nx.circular_layout if len(part) > 12 else nx.kamada_kawai_layout
            layout = arrange(graph.subgraph(part), scale=1.0 if len(parts) == 1 else 0.45)
            shift = (2.6 * side, 1.3 * (place - (len(parts) - 1) / 2))
            where = {node: (x + shift[0], y + shift[1]) for node, (x, y) in layout.items()}
            for one, other in graph.subgraph(part).edges:
                axis.plot(*zip(where[one], where[other], strict=True), color="0.6", linewidth=0.8, zorder=1)
            x, y = zip(*where.values(), strict=True)
            shades = [(*COLOURS, "white", "0.7")[colours[node]] for node in where]
            axis.scatter(x, y, s=60, c=shades, edgecolors="black", linewidths=0.6, zorder=2, clip_on=False)
    axis.set(
        aspect="equal",
        xlim=(-1.2, 3.8),
        ylim=(-1.2, 1.2),
        title=f"{name}\n{'told apart' if pair.told_apart else 'the same colours'}",
    )
    axis.title.set_fontsize(9)
    axis.axis("off")


def plot(results: Results) -> Figure:
    """Draw pairs of graphs with their colours, and accuracies beside chance and what colours permit."""
    figure, axes = new_figure(13, 5.6, rows=2, columns=4)
    shown = {name: pair for name, pair in results.pairs.items() if len(pair.colours[0]) < 20}
    for axis, (name, pair) in zip(axes[0], shown.items(), strict=True):
        draw_pair(axis, name, pair)
    names = list(results.tasks[RINGS].models)
    for column, (axis, (name, task)) in enumerate(zip(axes[1], results.tasks.items(), strict=True)):
        for place, model in enumerate(names):
            if model in task.models:
                mean, half = task.models[model].mean
                axis.barh(place, mean, xerr=half, color=COLOURS[2 if "," in model else 0], height=0.7)
        axis.axvline(task.permitted, color=COLOURS[3], linestyle="--", label="what colours permit")
        axis.axvline(task.chance, color="black", linestyle=":", label="chance")
        axis.set(xlim=(0, 1.03), ylim=(len(names) - 0.5, -0.5), xlabel="test accuracy", title=name.replace(", ", ",\n"))
        axis.set_yticks(range(len(names)), [] if column else names, fontsize=9)
        axis.title.set_fontsize(9)
    axes[1, 0].legend(fontsize=8, loc="lower left", frameon=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
