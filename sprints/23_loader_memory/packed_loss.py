"""Is the loss of packed documents that of the documents alone? And without the mask, the positions, the borders?

    uv run sprints/23_loader_memory/packed_loss.py
    uv run sprints/23_loader_memory/packed_loss.py --recipes 96 --cut 64

The shipped GPT reads recipes one by one and packed, whole ones in rows of 512. It has 256 positions; so the wrong ways
are shown with beginnings of recipes, several in a row of at most 256. Theory: notes/07_documents_apart.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from memory_study.documents import Packed, block_mask, pack_rows, packed_logits, packed_loss
from memory_study.packing import first_fit_decreasing
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT
from shared.nn.pretrained import load_causal_model
from shared.text.books import recipe_part
from shared.text.cookbook import Cookbook
from shared.training.losses import token_losses

CONTEXT, POSITIONS = 512, 256  # tokens of a row of whole recipes, and positions of the shipped model


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 48  # recipes of the test stream
    cut: PositiveInt = 85  # tokens of a beginning, for the wrong ways

    def check(self) -> None:
        if not 2 <= self.cut <= 128:
            raise ValueError(f"two beginnings must fit into 256 positions; got --cut {self.cut}: give 2 to 128")
        if self.recipes < POSITIONS // self.cut:
            needed = POSITIONS // self.cut
            raise ValueError(f"a row of beginnings takes {needed} of them; got --recipes {self.recipes}: give more")


@dataclass(frozen=True)
class Wrong:
    """Nats per token: of all documents, and of those that stand first, second, ... in their row."""

    loss: float
    by_place: list[float]


@dataclass(frozen=True)
class Results:
    rows: int
    loss: dict[str, float]  # of whole recipes
    logits_differ: float
    gradients_differ: float  # largest difference, as a share of the largest gradient
    moved: dict[str, float]  # logits of the last document of each row, when the first one is another text
    wrong: dict[str, Wrong]


def one_by_one(model: GPT, documents: list[list[int]]) -> tuple[Tensor, int]:
    """Return the summed loss of documents that are read alone, and the number of targets."""
    rows = [torch.tensor([document]) for document in documents]
    losses = [token_losses(model(row), row).sum() for row in tqdm(rows, desc="alone", leave=False)]
    return torch.stack(losses).sum(), sum(len(document) - 1 for document in documents)


def gradients(model: GPT, loss: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, list(model.parameters())))


@torch.no_grad()
def moved_logits(model: GPT, packed: Packed) -> dict[str, float]:
    """Return how far logits of the last documents move when the first document of each row becomes another text."""
    first, last = packed.documents == 0, packed.documents == packed.documents.amax(dim=1, keepdim=True)
    last &= ~first  # a document that has its row for itself stands behind none
    if not last.any():
        raise ValueError("no row holds two documents, so nothing could move: give more --recipes")
    other = torch.where(first, (packed.tokens + 1) % model.config.vocab_size, packed.tokens)
    found = {}
    for name, mask in (("with the block mask", block_mask(packed.documents)), ("without it", None)):
        before, after = (packed_logits(model, tokens, packed.positions, mask) for tokens in (packed.tokens, other))
        found[name] = (after - before)[last].abs().max().item()
    return found


@torch.no_grad()
def wrong_ways(model: GPT, packed: Packed) -> dict[str, Wrong]:
    """Return the losses of packed beginnings by what is right and wrong in the call."""
    mask, through = block_mask(packed.documents), torch.arange(packed.tokens.shape[1]).expand_as(packed.positions)
    inside, all_targets = packed.targets, packed.documents >= 0
    calls = {
        "block mask, positions begin again": (mask, packed.positions, inside),
        "no block mask": (None, packed.positions, inside),
        "positions go on": (mask, through, inside),
        "neither": (None, through, inside),
        "the border counts as a target": (mask, packed.positions, all_targets),
    }
    found = {}
    for name, (seen, positions, targets) in calls.items():
        losses = token_losses(packed_logits(model, packed.tokens, positions, seen), packed.tokens, targets)
        scored, places = targets[:, 1:], packed.documents[:, 1:]
        by_place = [losses[scored & (places == place)].mean().item() for place in range(int(places.max()) + 1)]
        found[name] = Wrong((losses.sum() / scored.sum()).item(), by_place)
        shown = ", ".join(f"{loss:.3f}" for loss in by_place)
        print(f"{name:<36}{found[name].loss:.3f} nats per token; first, second, ... of a row: {shown}")
    return found


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    theirs, tokenizer = load_causal_model()
    model = GPT.from_transformers(theirs)  # ty: ignore[invalid-argument-type]
    documents = recipe_part(Cookbook(), "test", config.recipes, tokenizer).documents
    rows = first_fit_decreasing([len(document) for document in documents], CONTEXT)
    packed = pack_rows(documents, rows, CONTEXT)
    (alone, targets), (together, packed_targets) = one_by_one(model, documents), packed_loss(model, packed)
    if targets != packed_targets:
        raise ValueError(f"packing must keep the targets; there are {packed_targets} of {targets}")
    pairs = list(zip(gradients(model, alone), gradients(model, together), strict=True))
    difference = max((ours - other).abs().max().item() for ours, other in pairs)
    gradient = difference / max(ours.abs().max().item() for ours, _ in pairs)
    with torch.no_grad():
        logits = packed_logits(model, packed.tokens, packed.positions, block_mask(packed.documents))
        differences = [
            (logits[number, packed.documents[number] == place] - model(torch.tensor([documents[document]]))[0]).abs()
            for number, row in enumerate(rows)
            for place, document in enumerate(row)
        ]
    loss = {"alone": alone.item() / targets, "packed": together.item() / targets}
    print(f"{len(documents)} recipes in {len(rows)} rows: {loss['alone']:.7f} nats per token alone", end="")
    print(f", {loss['packed']:.7f} packed; gradients differ by {gradient:.1e} of the largest")
    moved = moved_logits(model, packed)
    print("another first document moves logits of the last one: " + ", ".join(f"{n} {m:.2g}" for n, m in moved.items()))
    beginnings = [document[: config.cut] for document in documents]
    in_a_row = POSITIONS // config.cut
    numbers = range(len(beginnings) // in_a_row * in_a_row)
    full = [[*numbers[start : start + in_a_row]] for start in range(0, len(numbers), in_a_row)]
    wrong = wrong_ways(model, pack_rows(beginnings, full, in_a_row * config.cut))
    return Results(len(rows), loss, max(d.max().item() for d in differences), gradient, moved, wrong)


def plot(results: Results) -> Figure:
    """Draw the loss by the place of a document in its row, for each way."""
    figure, axes = new_figure(8.0, 4.0)
    ways = {name: found for name, found in results.wrong.items() if "border" not in name}
    for colour, (name, found) in zip(("C0", "C1", "C4", "C3"), ways.items(), strict=True):
        places = range(1, len(found.by_place) + 1)
        axes.plot(places, found.by_place, "o-", color=colour)
        end = (len(found.by_place), found.by_place[-1])
        axes.annotate(name, end, xytext=(8, -3), textcoords="offset points", color=colour)
    last = len(next(iter(ways.values())).by_place)
    axes.set_xticks(range(1, last + 1))
    axes.set(xlabel="place of a document in its row", ylabel="nats per token", ylim=(0, None), xlim=(0.9, last + 1.1))
    return figure


TOLERANCE = {
    "moved.with*": Tolerance(absolute=1e-6),
    "moved.without*": TRAINED,
    "*differ": Tolerance(absolute=1e-3),
}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
