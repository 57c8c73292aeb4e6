"""Does a model go astray on its own words? Its exact divergence from a known distribution, on two kinds of prefixes.

    uv run sprints/15_encoder_decoder/exposure_bias.py
    uv run sprints/15_encoder_decoder/exposure_bias.py --preset seeds

A noisy reversal whose every probability is known. Where the task wrote what stands before, the divergence of the
next symbol is what training lowers. Where the model wrote it, the same divergence is what counts in use. Exposure bias
is the difference. Theory: notes/05_exposure_bias.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from seq2seq_study.exact_divergence import Divergence, measure_divergence, model_log_q
from seq2seq_study.likelihood import train_model
from seq2seq_study.noisy_reversal import NoisyReversal, check_sources
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import ROUNDING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, AtLeastTwo, PositiveFloat, PositiveFraction, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

# Pairs to learn from (0: always new ones), and the steps as a multiple of the option.
TRAININGS = {"few pairs": (300, 1.0), "stopped early": (2000, 0.5), "trained long": (0, 3.0)}
PRESETS = {"seeds": {"seeds": (0, 1, 2, 3, 4)}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    symbols: AtLeastTwo = 4  # distinct symbols
    tokens: AtLeastTwo = 6  # symbols of a source
    noises: tuple[PositiveFraction, ...] = (0.002, 0.02, 0.2)  # probabilities of a slip
    d_model: Annotated[int, Field(ge=4, le=MOST, multiple_of=4)] = 32  # features of a token
    layers: PositiveInt = 1  # blocks of the encoder, and of the decoder
    steps: AtLeastTwo = 400  # optimizer steps; a training that is stopped early has half of them, a long one 3 x
    batch_size: PositiveInt = 64  # pairs of a batch
    learning_rate: PositiveFloat = 3e-3  # peak learning rate
    held_out: PositiveInt = 32  # sources of the test
    seeds: Seeds = (0,)  # a training for each; --seed is added

    def check(self) -> None:
        check_sources(self.symbols, self.tokens, self.held_out)


@dataclass(frozen=True)
class TrainingBias:
    """A noise and a way to train: mean and half of its 95 % interval over the seeds."""

    noise: float
    training: str
    data_prefixes: MeanInterval
    own_prefixes: MeanInterval
    ratio: MeanInterval
    total_variation: MeanInterval
    runs: list[Divergence]


@dataclass(frozen=True)
class Results:
    rows: list[TrainingBias]
    marginals: dict[str, float]
    uniform: dict[str, float]
    entropy: dict[str, float]


def train_and_measure(config: Config, task: NoisyReversal, training: str, seed: int) -> Divergence:
    pairs, part = TRAININGS[training]
    device = pick_device(config.device)
    generator = seed_everything(seed)
    train_sources, _, test = task.split(config.held_out, generator)
    model = task.model(generator, d_model=config.d_model, layers=config.layers).to(device)
    batches = (pair.to(device) for pair in task.batches(train_sources, pairs, config.batch_size, generator))
    train_model(model, batches, int(part * config.steps), config.learning_rate, f"noise {task.noise}, {training}")
    return measure_divergence(task, test, model_log_q(task, model, test))


def summarise(noise: float, training: str, runs: list[Divergence]) -> TrainingBias:
    return TrainingBias(
        noise=noise,
        training=training,
        data_prefixes=mean_interval([divergence.data_prefixes for divergence in runs]),
        own_prefixes=mean_interval([divergence.own_prefixes for divergence in runs]),
        ratio=mean_interval([divergence.own_prefixes / divergence.data_prefixes for divergence in runs]),
        total_variation=mean_interval([divergence.total_variation for divergence in runs]),
        runs=runs,
    )


def main(config: Config) -> Results:
    rows, marginals, uniform, entropy = [], {}, {}, {}
    for noise in config.noises:
        task = NoisyReversal(config.symbols, config.tokens, noise)
        source = torch.arange(config.tokens)[None] % config.symbols  # by symmetry any source will do
        shape = (1, config.symbols ** (config.tokens - 1), config.tokens, config.symbols)
        marginal = task.marginals(source)[:, None].expand(shape)
        marginals[str(noise)] = measure_divergence(task, source, marginal.log()).data_prefixes
        uniform[str(noise)] = measure_divergence(
            task, source, torch.full(shape, 1 / config.symbols).log()
        ).data_prefixes
        p = task.conditionals(source[:, None], task.enumerate(config.tokens - 1)[None])[0, 0, 0]
        entropy[str(noise)] = -(p * p.log()).sum().item()
        for training in TRAININGS:
            runs = [train_and_measure(config, task, training, config.seed + seed) for seed in config.seeds]
            rows.append(row := summarise(noise, training, runs))
            print(f"noise {noise}, {training}: divergence {row.data_prefixes[0]:.4f} on the data's prefixes, ", end="")
            print(f"{row.own_prefixes[0]:.4f} on its own, ratio {show_interval(*row.ratio, '.2f')}")
    return Results(rows, marginals, uniform, entropy)


def plot(results: Results) -> Figure:
    """Draw the ratio of both divergences with intervals, and for one noise the divergence by place."""
    figure, axes = new_figure(9.6, 4.2, columns=2)
    rows = {f"noise {row.noise:g}, {row.training}": row for row in results.rows}
    means, halves = zip(*(row.ratio for row in rows.values()), strict=True)
    names = list(TRAININGS)
    for index, (mean, half, row) in enumerate(zip(means, halves, rows.values(), strict=True)):
        colour = f"C{names.index(row.training)}"
        axes[0].errorbar(mean, index, xerr=error_bars([half]), fmt="o", capsize=3, color=colour)
    axes[0].axvline(1, color="black", linewidth=1)
    axes[0].set_yticks(range(len(rows)), [*rows])
    axes[0].invert_yaxis()
    axes[0].set(xlabel="divergence on own prefixes / on the data's", title="exposure bias: right of 1")
    noises = sorted({row.noise for row in results.rows})
    noise = noises[len(noises) // 2]
    for row in (row for row in results.rows if row.noise == noise):
        for field, style in (("data_by_place", "o-"), ("own_by_place", "s--")):
            by_seed = torch.tensor([getattr(divergence, field) for divergence in row.runs])
            label = f"{row.training}, {'data' if field.startswith('data') else 'own'}"
            colour = f"C{names.index(row.training)}"
            places = range(1, by_seed.shape[1] + 1)
            axes[1].plot(places, by_seed.mean(dim=0).tolist(), style, color=colour, label=label, markersize=4)
    axes[1].set(xlabel="place", ylabel="divergence, nats", title=f"noise {noise:g} by place, means", yscale="log")
    axes[1].legend(fontsize=8, ncols=2, loc="lower right")
    return figure


if __name__ == "__main__":
    # A divergence is small where the training is long, and the ratio of two such is not known as well as they are.
    tolerance = {"rows.*": TRAINED, "rows.*.ratio.*": Tolerance(relative=0.2, absolute=0.1), "rows.*.noise": ROUNDING}
    run(main, Config, plot=plot, presets=PRESETS, tolerance=tolerance)
