"""How much of a text should be masked, and which words? Each choice beside its own optimum, and all on the same holes.

    uv run sprints/19_transformer_variants/how_much_to_mask.py
    uv run sprints/19_transformer_variants/how_much_to_mask.py --preset full
    uv run sprints/19_transformer_variants/how_much_to_mask.py --arms spans_15 bert_15

Texts come from a grammar whose every text can be written down, so the best answer to any set of holes is known. All
arms see the same number of texts. By default four shares of words are tried once, all with one rate, too little to rank
neighbours; `--preset full` adds spans and BERT's replacements, five runs of each, and the same search for each rate.
Theory: notes/05_what_a_hole_is_worth.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import ROUNDING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.bert import BertConfig, MaskedLanguageModel
from shared.text.masking import choose_spans, choose_tokens, mask_tokens
from variants.filling import MaskedBatch, hole_loss, nats_of_holes
from variants.small_grammar import TextTable, small_recipes
from variants.trials import fit, search_and_repeat

Arm = Literal["tokens_05", "tokens_15", "tokens_40", "tokens_70", "spans_15", "spans_40", "bert_15", "bert_40"]
# bert: of the chosen words a tenth is replaced by a random one and a tenth stays, as in Devlin et al. 2019.
HIDDEN = {"tokens": (1.0, 0.0), "spans": (1.0, 0.0), "bert": (0.8, 0.1)}

ALL: tuple[Arm, ...] = (
    "tokens_05", "tokens_15", "tokens_40", "tokens_70", "spans_15", "spans_40", "bert_15", "bert_40",
)  # fmt: skip
PRESETS = {"full": {"arms": ALL, "rates": (3e-3, 1e-2, 3e-2), "seeds": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    # what is chosen, and per cent of the words; bert_15 hides, replaces or keeps the chosen words by 80/10/10
    arms: Annotated[tuple[Arm, ...], Different] = ("tokens_05", "tokens_15", "tokens_40", "tokens_70")
    layers: PositiveInt = 2  # blocks
    heads: PositiveInt = 4  # heads of a block
    d_model: PositiveInt = 32  # features of a word
    steps: PositiveInt = 1000  # optimizer steps
    batch_size: PositiveInt = 64  # texts of a batch
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-2,)  # learning rates that are tried
    texts: PositiveInt = 200  # new texts that are measured, each word in a hole of its own
    seeds: PositiveInt = 1  # runs of each arm

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Measured:
    """Mean losses of one run in nats: one hole in a whole text, and holes as in training beside their optimum."""

    one_hole: float
    own: float
    own_optimum: float


@dataclass(frozen=True)
class Filler:
    """An arm: its rate, the search, the optimum of its own holes, and how far its runs are above each optimum."""

    rate: float
    searched: dict[str, float]
    own_optimum: float
    own_excess: MeanInterval
    one_hole_excess: MeanInterval


@dataclass(frozen=True)
class Results:
    one_hole_optimum: float
    from_the_left: float
    arms: dict[str, Filler]


def holes_of(arm: Arm, rows: Tensor, words: int, generator: torch.Generator) -> MaskedBatch:
    """Return texts with an arm's kind of holes."""
    kind, percent = arm.split("_")
    masked, random = HIDDEN[kind]
    inputs, chosen = mask_tokens(
        rows, torch.ones_like(rows, dtype=torch.bool), words, words, generator, int(percent) / 100,
        masked=masked, random=random, choose=choose_spans if kind == "spans" else choose_tokens,
    )  # fmt: skip
    return inputs, None, rows, chosen


def one_hole_each(rows: Tensor, words: int) -> MaskedBatch:
    """Return a copy of each text for each of its words, in which this word alone is hidden."""
    chosen = torch.eye(rows.shape[1], dtype=torch.bool).repeat(len(rows), 1)
    copies = rows.repeat_interleave(rows.shape[1], dim=0)
    return copies.masked_fill(chosen, words), None, copies, chosen


def optimal_loss(table: TextTable, batch: MaskedBatch) -> float:
    """Return the mean of -ln p of the hidden words, given the others."""
    _, _, tokens, chosen = batch
    return table.optimal_nats(tokens, chosen)[chosen].mean().item()


def run_once(config: Config, arm: Arm, rate: float, seed: int) -> Measured:
    """Train one model, and measure it on new texts."""
    generator, table = seed_everything(seed), small_recipes()
    words = len(table.words)
    size = (words + 1, table.rows.shape[1], config.layers, config.heads, config.d_model)
    model = MaskedLanguageModel(BertConfig(*size, segments=1), generator)

    def batches() -> Iterator[MaskedBatch]:
        while True:
            yield holes_of(arm, table.draw(config.batch_size, generator), words, generator)

    for _ in tqdm(fit(model, batches(), hole_loss, config.steps, rate), total=config.steps, desc=arm):
        pass
    rows = table.draw(config.texts, torch.Generator().manual_seed(seed + 1))
    # What BERT replaces has no optimum by this table: all chosen words are hidden when they are measured.
    _, _, tokens, chosen = holes_of(arm, rows.repeat(5, 1), words, generator)
    own = (tokens.masked_fill(chosen, words), None, tokens, chosen)
    alone = nats_of_holes(model, [one_hole_each(rows, words)])
    excess = alone.mean().item() - optimal_loss(table, one_hole_each(rows, words))
    return Measured(excess, nats_of_holes(model, [own]).mean().item(), optimal_loss(table, own))


def compare(config: Config, arm: Arm) -> Filler:
    """Search an arm's rate, train it with each seed, and put its figures together."""
    trials = search_and_repeat(
        partial(run_once, config, arm), lambda measured: measured.one_hole, config.rates, config.seeds, config.seed
    )
    own = mean_interval([measured.own - measured.own_optimum for measured in trials.runs])
    optimum = mean_interval([measured.own_optimum for measured in trials.runs])[0]
    return Filler(
        trials.rate, trials.searched, optimum, own, mean_interval([measured.one_hole for measured in trials.runs])
    )


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # tensors this small are slower on two
    table, arms = small_recipes(), {}
    places = list(range(table.rows.shape[1]))
    one_hole = sum(
        table.entropy(places) - table.entropy([other for other in places if other != place]) for place in table.varying
    )
    for arm in config.arms:
        arms[arm] = found = compare(config, arm)
        print(f"{arm}: one hole {found.one_hole_excess[0]:.4f} above the optimum, own {found.own_excess[0]:.4f}")
    return Results(one_hole / len(places), table.entropy(places) / len(places), arms)


def plot(results: Results) -> Figure:
    """Draw how far each arm is above the optimum on one hole, with its interval."""
    figure, axes = new_figure(8.0, 4.0)
    names = [arm.replace("_", ", ").replace(", 05", ", 5") + " %" for arm in results.arms]
    means, halves = zip(*(filler.one_hole_excess for filler in results.arms.values()), strict=True)
    colours = [f"C{('tokens', 'spans', 'bert').index(arm.split('_')[0])}" for arm in results.arms]
    axes.barh(names, means, xerr=error_bars(halves), color=colours, capsize=3)
    axes.invert_yaxis()
    axes.set(xlabel=f"nats per hole above the optimum of one hole, {results.one_hole_optimum:.3f}", xlim=(0, None))
    return figure


TOLERANCE = {"arms.*": TRAINED, "arms.*.own_optimum": TRAINED, "*optimum": ROUNDING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
