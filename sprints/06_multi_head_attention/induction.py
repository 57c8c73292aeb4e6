"""How does attention alone learn to copy? Two layers build an induction head, which one layer cannot.

    uv run sprints/06_multi_head_attention/induction.py
    uv run sprints/06_multi_head_attention/induction.py --move-positions --layers 2 --seeds 5

A row is a separator, distinct random tokens, the separator again, and the same tokens again. The first copy cannot be
guessed, the second one follows from the first. Its place varies, so that counting positions does not help.
Theory: notes/05_induction.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from attention_study.repeated_rows import Rows, copies, loss_of_the_set, repeated_rows
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run as run_script
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.attention import attend
from shared.nn.masks import causal_mask
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

PRESETS = {
    "move_positions": {"layers": (2,), "move_positions": True, "seeds": 5},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: tuple[int, ...] = (1, 2)  # attention layers of each model
    heads: int = 2  # heads of a layer
    d_model: int = 64  # features of a token
    vocab: int = 24  # distinct tokens, without the separator
    shortest: int = 6  # least tokens of the pattern
    longest: int = 12  # most tokens of the pattern
    move_positions: bool = False  # add positions to the tokens, so that layers may pass them on
    steps: int = 800  # optimizer steps
    batch_size: int = 32  # rows of a batch
    learning_rate: float = 1e-3  # learning rate of AdamW
    measure_every: int = 20  # steps between measurements
    seeds: int = 3  # runs of each depth, with seeds from --seed on


@dataclass(frozen=True)
class Head:
    """How much a head looks one back, how much at what followed the same token before, and the loss without it."""

    layer: int
    head: int
    previous_token: float
    prefix_matching: float
    loss_without: float


@dataclass(frozen=True)
class Curve:
    """The losses at one step, and the scores of each head by layer."""

    first_copy: float
    second_copy: float
    previous_token: list[list[float]]
    prefix_matching: list[list[float]]


@dataclass(frozen=True)
class Run:
    """The curves of a run, its losses at the end, and its heads."""

    curves: list[Curve]
    first_copy: float
    second_copy: float
    heads: list[Head]


@dataclass(frozen=True)
class Results:
    steps: list[int]
    runs: dict[str, list[Run]]
    optimum_first_copy: float
    knows_the_set: float
    chance: float
    maps: dict[str, list[list[float]]]


class Layer(nn.Module):
    """Causal attention in which positions say where to look but are not passed on.

    They are added to what queries and keys are made of and not to the values, as in Elhage et al. (2021) and Press et
    al. (2021). Otherwise layers may copy by counting places, and need no induction head.
    """

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key = nn.Linear(d_model, 2 * d_model)
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        query, key = self.query_key(x + positions).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        value = self.value(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (batch, heads, tokens, head_dim)
        mixed, weights = attend(query, key, value, causal_mask(x.shape[1], device=x.device))
        return self.output(mixed.transpose(1, 2).flatten(2)), weights


class AttentionOnly(nn.Module):
    """An embedding, attention layers that add to the residual path, and a readout: no feed-forward, no norm."""

    def __init__(self, config: Config, layers: int) -> None:
        super().__init__()
        self.move_positions = config.move_positions
        self.token_embedding = nn.Embedding(config.vocab + 1, config.d_model)
        self.positions = nn.Embedding(2 * config.longest + 2, config.d_model)
        self.layers = nn.ModuleList(Layer(config.d_model, config.heads) for _ in range(layers))
        self.readout = nn.Linear(config.d_model, config.vocab + 1)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (batch, tokens, vocab) and attention maps (layers, batch, heads, queries, keys)."""
        x, positions, maps = self.token_embedding(tokens), self.positions.weight[: tokens.shape[1]], []
        if self.move_positions:
            x, positions = x + positions, torch.zeros_like(positions)
        for layer in self.layers:
            added, weights = layer(x, positions)
            x = x + added
            maps.append(weights)
        return self.readout(x), torch.stack(maps)


def token_losses(model: nn.Module, batch: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss of each target, and which targets belong to the first and to the second copy."""
    logits, wanted = model(batch.tokens)[0], batch.tokens[:, 1:]
    losses = functional.cross_entropy(logits[:, :-1].flatten(0, 1), wanted.flatten(), reduction="none").view_as(wanted)
    return losses, *copies(batch)


def loss_function(model: nn.Module, batch: Rows) -> tuple[Tensor, int]:
    losses, first, second = token_losses(model, batch)
    scored = first | second
    return losses[scored].sum(), int(scored.sum())


@torch.no_grad()
def measure(model: AttentionOnly, batch: Rows) -> Curve:
    """Return the losses of both copies, and the previous-token and prefix-matching score of each head."""
    losses, first, second = token_losses(model, batch)
    maps, (count, width) = model(batch.tokens)[1], batch.tokens.shape
    queries = torch.arange(width, device=losses.device).expand(count, -1)
    # From each place of the first copy to the one before it: there the second copy finds what followed what.
    previous = maps[..., 1:, :].diagonal(dim1=-2, dim2=-1).transpose(1, 2)[:, :, queries[:, 1:] <= batch.periods]
    # In the second copy a token at s stood at s - (period + 1) before, and was followed by what stands at s - period.
    copying = (queries > batch.periods) & (queries < 2 * batch.periods + 1)
    keys = (queries - batch.periods).clamp(min=0)[None, :, None, :, None].expand(*maps.shape[:-1], 1)
    prefix = maps.gather(-1, keys)[..., 0].transpose(1, 2)[:, :, copying]
    scores = previous.mean(dim=-1).tolist(), prefix.mean(dim=-1).tolist()
    return Curve(losses[first].mean().item(), losses[second].mean().item(), *scores)


@torch.no_grad()
def loss_without(model: AttentionOnly, layer: int, head: int, batch: Rows) -> float:
    """Return the loss of the second copy when a head writes nothing: its columns of the output matrix are zero."""
    attention = [part for part in model.modules() if isinstance(part, Layer)][layer]
    kept = attention.output.weight.clone()
    attention.output.weight.unflatten(1, (attention.heads, -1))[:, head] = 0.0
    loss = measure(model, batch).second_copy
    attention.output.weight.copy_(kept)
    return loss


def run(config: Config, layers: int, seed: int) -> tuple[Run, AttentionOnly, Rows]:
    """Train one model; return what was measured on held-out rows, the model, and these rows."""
    device, generator = pick_device(config.device), seed_everything(seed)
    model = AttentionOnly(config, layers).to(device)
    data = repeated_rows(config.vocab, config.shortest, config.longest, config.batch_size, generator, device)
    held_out = Rows(*(torch.cat(parts) for parts in zip(*(next(data) for _ in range(8)), strict=True)))
    optimizers = make_optimizers(model, learning_rate=config.learning_rate)
    steps = train_steps(model, data, loss_function=loss_function, optimizers=optimizers, steps=config.steps)
    curves = [
        measure(model, held_out)
        for step, _ in tqdm(steps, total=config.steps, desc=f"layers {layers}, seed {seed}")
        if step % config.measure_every == 0
    ]
    last = curves[-1]
    heads = [
        Head(layer, head, last.previous_token[layer][head], last.prefix_matching[layer][head],
             loss_without(model, layer, head, held_out))
        for layer in range(layers) for head in range(config.heads)
    ]  # fmt: skip
    return Run(curves, last.first_copy, last.second_copy, heads), model, held_out


def strongest(run: Run, kind: str) -> Head:
    """Return the head of a run with the highest score of a kind."""
    return max(run.heads, key=lambda head: vars(head)[kind])


def main(config: Config) -> Results:
    runs: dict[str, list[Run]] = {}
    for layers in config.layers:
        found = [run(config, layers, config.seed + index) for index in range(config.seeds)]
        runs[str(layers)] = [one for one, _, _ in found]
        for one in runs[str(layers)]:
            print(f"layers {layers}: first copy {one.first_copy:.3f}, second copy {one.second_copy:.4f}")
            for head in one.heads:
                print(f"  layer {head.layer + 1}, head {head.head + 1}: one back {head.previous_token:.2f}, ", end="")
                print(f"prefix {head.prefix_matching:.2f}, second copy without it {head.loss_without:.3f}")
    first, model, held_out = found[0]
    period = int(held_out.periods[0])
    with torch.no_grad():
        weights = model(held_out.tokens[:1, : 2 * period + 2])[1][:, 0]  # (layers, heads, queries, keys)
    heads = {kind: strongest(first, kind) for kind in ("previous_token", "prefix_matching")}
    periods = range(config.shortest, config.longest + 1)
    results = Results(
        steps=list(range(config.measure_every, config.steps + 1, config.measure_every)),
        runs=runs,
        optimum_first_copy=sum(math.log(config.vocab - i) for p in periods for i in range(p)) / sum(periods),
        knows_the_set=loss_of_the_set(config.shortest, config.longest),
        chance=math.log(config.vocab),
        maps={kind: weights[h.layer, h.head].cpu().double().round(decimals=3).tolist() for kind, h in heads.items()},
    )
    print(f"chance {results.chance:.3f}, optimum of the first copy {results.optimum_first_copy:.3f}, of the second 0")
    print(f"who knows which tokens are left, but not their order: {results.knows_the_set:.3f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the loss of the second copy, the scores beside it, and the maps of the two heads that make the copy."""
    figure, axes = new_figure(11.0, 7.6, rows=2, columns=2)
    for colour, (layers, runs) in enumerate(results.runs.items()):
        for index, one in enumerate(runs):
            losses = [curve.second_copy for curve in one.curves]
            label = f"{layers} layer{'s' * (layers != '1')}" if index == 0 else None
            axes[0, 0].plot(results.steps, losses, color=f"C{colour}", label=label)
    axes[0, 0].axhline(results.chance, color="grey", linestyle=":", label="chance")
    axes[0, 0].axhline(results.knows_the_set, color="grey", linestyle="--", label="knows the set, not the order")
    axes[0, 0].set(xlabel="step", ylabel="nats per token", title="second copy (optimum 0)", ylim=(-0.05, None))
    axes[0, 0].legend()
    deepest = list(results.runs.values())[-1][0]
    for kind in ("previous_token", "prefix_matching"):
        best = [max(max(layer) for layer in vars(curve)[kind]) for curve in deepest.curves]
        axes[0, 1].plot(results.steps, best, label=f"strongest {kind.replace('_', ' ')} head")
    axes[0, 1].set(xlabel="step", ylabel="mean attention weight", title="the two heads of one run", ylim=(0, 1.02))
    axes[0, 1].legend()
    for place, (kind, weights) in zip(axes[1], results.maps.items(), strict=True):
        place.imshow(weights, cmap="Blues", vmin=0, vmax=1)
        place.set(title=f"{kind.replace('_', ' ')} head", xlabel="key", ylabel="query")
        place.set(xticks=range(0, len(weights), 5), yticks=range(0, len(weights), 5))
        place.grid(False)
    return figure


if __name__ == "__main__":
    run_script(main, Config, plot=plot, presets=PRESETS)
