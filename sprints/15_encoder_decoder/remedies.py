"""Seven remedies from the same start, for the same number of steps: what can be concluded from that, and what not?

    uv run sprints/15_encoder_decoder/remedies.py
    uv run sprints/15_encoder_decoder/remedies.py --preset seeds

Each seed trains a model by maximum likelihood, stops early, and goes on from there once with each method, on the same
stream of data. The control goes on with maximum likelihood. Theory: notes/09_a_fair_comparison.md
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import torch
from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from seq2seq_study.expected_reward import MinimumRisk, Reinforce
from seq2seq_study.likelihood import maximum_likelihood, train_model
from seq2seq_study.method_results import Cost, MethodResult, SeedResult, summarise
from seq2seq_study.noisy_reversal import NoisyReversal, check_sources
from seq2seq_study.professor_forcing import OutputDivergence, ProfessorForcing
from seq2seq_study.remedy_tasks import RemedyTask, known, noisy_task, reversal_task
from seq2seq_study.scheduled_sampling import DECAYS, ScheduledSampling
from seq2seq_study.sequences import SequencePair
from shared.checks.intervals import error_bars, mean_interval, show_interval
from shared.lab.compare import ROUNDING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, NonNegativeInt, PositiveFloat, PositiveFraction, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.seq2seq import EncoderDecoder
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

CONTROL, LONGER = "maximum likelihood", "maximum likelihood, 4 x the steps"
SHOWN = ("exact match", "next token after a wrong one", "divergence, own prefixes", "reward, sampled")
PRESETS = {"seeds": {"steps": 120, "seeds": (0, 1, 2, 3, 4)}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    noises: tuple[PositiveFraction, ...] = (0.01, 0.05)  # probabilities of a slip in the noisy reversal
    longest: Annotated[int, Field(ge=3, le=31)] = (
        8  # symbols of the longest sequence of the reversal; the shortest has 3
    )
    symbols: AtLeastTwo = 10  # distinct symbols of the reversal
    pairs: PositiveInt = 2000  # pairs that the noisy reversal is learnt from
    start_steps: PositiveInt = 200  # steps of maximum likelihood before the methods part
    steps: AtLeastTwo = 60  # steps of each method
    batch_size: AtLeastTwo = 64  # pairs of a batch
    learning_rate: PositiveFloat = 2e-3  # peak learning rate
    reward_learning_rate: PositiveFloat = 5e-4  # peak learning rate of REINFORCE and minimum risk
    judge_steps: NonNegativeInt = 200  # steps that the judge of professor forcing learns alone, before
    samples: PositiveInt = 6  # targets that minimum risk draws for each source
    sharpness: PositiveFloat = 0.5  # exponent of the probabilities in minimum risk
    held_out: PositiveInt = 32  # sources of the noisy test; the reversal has 30 times as many
    seeds: Seeds = (0,)  # a start for each; --seed is added

    def check(self) -> None:
        check_sources(NoisyReversal.symbols, NoisyReversal.tokens, self.held_out)


@dataclass(frozen=True)
class Results:
    tasks: dict[str, dict[str, MethodResult]]
    start: dict[str, dict[str, float]]
    known: dict[str, dict[str, float]]


def methods(config: Config, generator: torch.Generator) -> dict[str, Any]:
    """Return a loss function for each method."""
    return {
        CONTROL: maximum_likelihood,
        LONGER: maximum_likelihood,
        **{f"scheduled sampling, {decay}": ScheduledSampling(decay, config.steps, generator) for decay in DECAYS},
        "professor forcing": ProfessorForcing(32, generator),
        "output divergence": OutputDivergence(generator),
        "REINFORCE, mean of the others": Reinforce("mean", generator),
        "REINFORCE, greedy answer": Reinforce("greedy", generator),
        "minimum risk": MinimumRisk(config.samples, config.sharpness, generator),
    }


def go_on(
    config: Config, name: str, model: EncoderDecoder, stream: Callable[[], Iterator[SequencePair]], loss_of: Any
) -> Cost:
    """Train with a method, and return what it costs."""
    steps = config.steps * (4 if name == LONGER else 1)
    rate = config.reward_learning_rate if name.startswith(("REINFORCE", "minimum")) else config.learning_rate
    tokens: list[int] = []
    handle = model.decoder.input.register_forward_pre_hook(lambda module, inputs: tokens.append(inputs[0].numel()))  # noqa: ARG005
    if isinstance(loss_of, ProfessorForcing):
        loss_of.teach(model, stream(), config.judge_steps)
    for _ in train_steps(
        model,
        stream(),
        loss_function=loss_of,
        optimizers=make_optimizers(model, learning_rate=rate),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=max(1, steps // 20)),
    ):
        pass
    handle.remove()
    model.eval()
    judge = None
    if isinstance(loss_of, ProfessorForcing):
        late = loss_of.accuracies[steps // 2 :]
        judge = [sum(late) / len(late), sum(accuracy > 0.75 for accuracy in loss_of.accuracies) / steps]
    return Cost(sum(tokens) / config.steps, len(tokens) / config.steps, judge)


def compare_methods(config: Config, prepare: Callable[..., RemedyTask], seed: int, progress: Any) -> SeedResult:
    """Start once, and go on from there with each method."""
    generator = seed_everything(seed)
    model, stream, measure, _ = prepare(generator)
    model = model.to(pick_device(config.device))
    train_model(model, stream(), config.start_steps, config.learning_rate)
    metrics, costs, state = {}, {}, generator.get_state()

    def same_stream() -> Iterator[SequencePair]:
        generator.set_state(state)
        return stream()

    for name in methods(config, generator):
        branch = copy.deepcopy(model)
        seed_everything(seed)  # the same judge for all
        draws = torch.Generator().manual_seed(seed)
        costs[name] = go_on(config, name, branch, same_stream, methods(config, draws)[name])
        with torch.no_grad():
            metrics[name] = measure(branch)
        progress.update()
    with torch.no_grad():
        return SeedResult(measure(model), metrics, costs)


def main(config: Config) -> Results:
    options = {"batch_size": config.batch_size, "device": pick_device(config.device)}
    reversal = partial(
        reversal_task, symbols=config.symbols, longest=config.longest, held_out=30 * config.held_out, **options
    )
    noisy = partial(noisy_task, pairs=config.pairs, held_out=config.held_out, **options)
    prepare = {"reversal": reversal} | {f"noise {noise:g}": partial(noisy, noise=noise) for noise in config.noises}
    tasks, starts = {}, {}
    trainings = len(prepare) * len(config.seeds) * len(methods(config, torch.Generator()))
    with tqdm(total=trainings) as progress:
        for task, prepare_task in prepare.items():
            seeds = [compare_methods(config, prepare_task, config.seed + seed, progress) for seed in config.seeds]
            starts[task] = {key: mean_interval([seed.start[key] for seed in seeds])[0] for key in seeds[0].start}
            tasks[task] = {name: summarise(seeds, name, CONTROL) for name in seeds[0].metrics}
    for task, rows in tasks.items():
        print(f"\n{task}; start {', '.join(f'{key} {value:.4f}' for key, value in starts[task].items())}")
        for name, row in rows.items():
            shown = (
                f"{key} {value[0]:.4f} ({show_interval(*row.differences[key], '+.4f')})"
                for key, value in row.metrics.items()
            )
            print(f"  {name:<36}{row.tokens:5.1f} x tokens {row.passes:5.1f} x passes  {', '.join(shown)}")
    return Results(tasks, starts, {f"noise {noise:g}": known(noise) for noise in config.noises})


def plot(results: Results) -> Figure:
    """Draw the paired differences from the control for two metrics of each task."""
    figure, grid = new_figure(10.0, 2.7 * len(results.tasks), rows=len(results.tasks), columns=2)
    for row, (task, methods) in enumerate(results.tasks.items()):
        names = [name for name in methods if name != CONTROL]
        metrics = [key for key in methods[CONTROL].metrics if key in SHOWN]
        for column, key in enumerate(metrics):
            axes = grid[row, column] if len(results.tasks) > 1 else grid[column]
            means, halves = zip(*(methods[name].differences[key] for name in names), strict=True)
            axes.errorbar(means, range(len(names)), xerr=error_bars(halves), fmt="o", capsize=3)
            axes.axvline(0, color="black", linewidth=1)
            axes.set_yticks(range(len(names)), names if column == 0 else [""] * len(names))
            axes.invert_yaxis()
            unit = ", nats per token" if "divergence" in key else ""
            axes.set_title(f"{task}: {key}", fontsize=10)
            axes.set_xlabel(f"difference{unit}")
    return figure


if __name__ == "__main__":
    # So early in a training the share of rows that are right moves fast; what is known needs no model.
    early = Tolerance(relative=0.05, absolute=0.1)
    tolerance = {"*": TRAINED, "tasks.reversal.*": early, "start.reversal.*": early, "known.*": ROUNDING}
    run(main, Config, plot=plot, presets=PRESETS, tolerance=tolerance)
