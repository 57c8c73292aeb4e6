"""Who fills in a word, and who writes a text? BERT and GPT at each other's work, and how many passes it takes.

    uv run sprints/19_transformer_variants/filling_in.py
    uv run sprints/19_transformer_variants/filling_in.py --preset full
    uv run sprints/19_transformer_variants/filling_in.py --steps 300

GPT fills a hole by the likelihood of the text with each word in it; BERT writes from left to right with everything
behind masked. The same steps and texts for both, beside the exact optimum. By default each is trained once, with one
rate; `--preset full` has five runs of each after the same search for its rate. Theory:
notes/08_what_an_encoder_is_for.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, OpenFraction, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.nn.bert import MaskedLanguageModel
from shared.nn.gpt import GPT
from shared.text.masking import mask_tokens
from shared.training.losses import language_model_loss
from variants.both_kinds import KINDS, Kind, language_model, with_start
from variants.filling import hole_loss
from variants.filling_ways import (
    HoleTest,
    draw_holes,
    fill_by_likelihood,
    fill_by_masks,
    text_log_probs,
    write_by_masks,
)
from variants.small_grammar import small_recipes
from variants.trials import SEARCH_SEED, fit, search_and_repeat

TABLE = small_recipes()
WORDS, PLACES = len(TABLE.words), TABLE.rows.shape[1]

PRESETS = {"full": {"rates": (1e-3, 3e-3), "seeds": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 2  # blocks of each model
    heads: PositiveInt = 4  # heads of a block
    d_model: PositiveInt = 48  # features of a token
    steps: PositiveInt = 1500  # optimizer steps
    batch_size: PositiveInt = 64  # texts of a batch
    masked: OpenFraction = 0.15  # share of the words that BERT has to fill in while it learns
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # learning rates that are tried
    texts: PositiveInt = 500  # new texts that are measured
    seeds: PositiveInt = 1  # runs of each model

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Way:
    """A way to do a job: passes through the model for a text, and by seed the nats lost, with the optimum's."""

    passes: int
    optimum: float
    losses: list[float]
    above: MeanInterval


@dataclass(frozen=True)
class Results:
    parameters: dict[str, int]
    targets_per_text: dict[str, float]
    rates: dict[str, float]
    searched: dict[str, dict[str, float]]
    filling: dict[str, Way]
    writing: dict[str, Way]


def train(config: Config, kind: Kind, rate: float, seed: int) -> GPT | MaskedLanguageModel:
    """Train a BERT on holes, or a GPT on next words."""
    generator = torch.Generator().manual_seed(seed)
    model = language_model(kind, WORDS, PLACES, (config.layers, config.heads, config.d_model), seed)

    def batches() -> Iterator[tuple]:
        while True:
            tokens = with_start(TABLE.draw(config.batch_size, generator), WORDS)
            if kind == "GPT":
                yield tokens, None
            else:
                words = tokens < WORDS
                inputs, chosen = mask_tokens(
                    tokens, words, WORDS + 1, WORDS, generator, config.masked, masked=1.0, random=0.0
                )
                yield inputs, None, tokens, chosen

    loss = language_model_loss if kind == "GPT" else hole_loss
    for _ in tqdm(fit(model, batches(), loss, config.steps, rate), total=config.steps, desc=kind, leave=False):
        pass
    return model.eval()


def holes(config: Config, searching: bool = False) -> HoleTest:
    """Return the texts that all models are measured on, or others for the search of the rate."""
    return draw_holes(TABLE, config.texts, config.seed + (2_000_000 if searching else 1_000_000))


def run_once(config: Config, kind: Kind, rate: float, seed: int) -> tuple[list[float], int]:
    """Train one model; return what it loses in nats by each way, and its parameters."""
    model = train(config, kind, rate, seed)
    return measure(model, holes(config, seed == config.seed + SEARCH_SEED)), sum(
        weight.numel() for weight in model.parameters()
    )


@torch.no_grad()
def measure(model: GPT | MaskedLanguageModel, test: HoleTest) -> list[float]:
    """Return the mean loss of a GPT: of a text, at its hole by likelihood, at it from the left; of a BERT: hole, text.

    The first one is what the model was trained for.
    """
    rows, batch = test.rows, torch.arange(len(test.rows))
    truth = rows[batch, test.holes]
    if isinstance(model, GPT):
        words = text_log_probs(model, rows, WORDS)
        filled = fill_by_likelihood(model, rows, test.holes, WORDS)[batch, truth]
        found = [words.sum(dim=1), filled, words[batch, test.holes]]
    else:
        hidden = torch.arange(PLACES) == test.holes[:, None]
        filled = fill_by_masks(model, rows, hidden, WORDS)[batch, test.holes, truth]
        found = [filled, write_by_masks(model, rows, WORDS).sum(dim=1)]
    return [-log_probs.double().mean().item() for log_probs in found]


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # of two processes at once each is faster with one
    test = holes(config)
    trials = {
        kind: search_and_repeat(
            partial(run_once, config, kind), lambda found: found[0][0], config.rates, config.seeds, config.seed
        )
        for kind in KINDS
    }

    def way(kind: Kind, index: int, passes: int, optimum: float) -> Way:
        losses = [losses[index] for losses, _ in trials[kind].runs]
        return Way(passes, optimum, losses, mean_interval([loss - optimum for loss in losses]))

    filling = {
        "BERT": way("BERT", 0, 1, test.at_hole),
        "GPT, by the likelihood of each word": way("GPT", 1, WORDS, test.at_hole),
        "GPT, from the left alone": way("GPT", 2, 1, test.from_left),
    }
    writing = {"GPT": way("GPT", 0, 1, test.of_text), "BERT, from left to right": way("BERT", 1, PLACES, test.of_text)}
    for job, ways in (("fill in", filling), ("write", writing)):
        for name, found in ways.items():
            mean = sum(found.losses) / len(found.losses)
            print(f"{job}: {name}, {found.passes} passes: {mean:.3f} nats, optimum {found.optimum:.3f}")
    return Results(
        parameters={kind: trials[kind].runs[0][1] for kind in KINDS},
        targets_per_text={"BERT": config.masked * PLACES, "GPT": float(PLACES)},
        rates={kind: trials[kind].rate for kind in KINDS},
        searched={kind: trials[kind].searched for kind in KINDS},
        filling=filling,
        writing=writing,
    )


def plot(results: Results) -> Figure:
    """Draw what is lost by each way, beside the optimum of the job."""
    figure, panels = new_figure(9.6, 3.4, columns=2)
    for panel, ways, title, unit in (
        (panels[0], results.filling, "filling in one word", "nats per hole"),
        (panels[1], results.writing, "the whole text", "nats per text"),
    ):
        names = [f"{name}\n{way.passes} pass{'es' * (way.passes > 1)}" for name, way in ways.items()]
        for index, way in enumerate(ways.values()):
            half = error_bars([way.above[1]])
            panel.errorbar(way.optimum + way.above[0], index, xerr=half, fmt="o", capsize=4, color=f"C{index}")
            panel.plot([way.optimum] * 2, [index - 0.3, index + 0.3], color="#444444", linestyle="--")
            panel.text(way.optimum, index - 0.36, "optimum", ha="center", fontsize=8, color="#444444")
        panel.set_yticks(range(len(ways)), names)
        most = max(way.optimum + way.above[0] + (way.above[1] or 0) for way in ways.values())
        panel.set(xlabel=unit, xlim=(0, 1.1 * most), ylim=(len(ways) - 0.4, -0.6), title=title)
    return figure


TOLERANCE = {"filling.*": TRAINED, "writing.*": TRAINED, "searched.*": TRAINED}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
