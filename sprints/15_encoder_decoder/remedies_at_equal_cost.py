"""Which remedy helps at equal cost? Each at the learning rate that suits it, all with the same number of tokens.

    uv run sprints/15_encoder_decoder/remedies_at_equal_cost.py
    uv run sprints/15_encoder_decoder/remedies_at_equal_cost.py --preset seeds

Every method tries the same learning rates on seeds and validation data of the search alone. At its best one it then
goes on from the same starts as all others, on new seeds, until the decoder has read as many tokens, drawn ones too.
Theory: notes/09_a_fair_comparison.md
"""

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from seq2seq_study.equal_cost import MakeLoss, MethodAtBest, Start, best_rate, go_on, summarise_best, tokens_of_a_step
from seq2seq_study.expected_reward import MinimumRisk, Reinforce
from seq2seq_study.likelihood import maximum_likelihood, train_model
from seq2seq_study.noisy_reversal import NoisyReversal, check_sources
from seq2seq_study.professor_forcing import OutputDivergence, ProfessorForcing
from seq2seq_study.remedy_tasks import RemedyTask, known, noisy_task, reversal_task
from seq2seq_study.scheduled_sampling import ScheduledSampling
from shared.checks.intervals import error_bars, mean_interval, show_interval
from shared.lab.compare import ROUNDING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveFraction, PositiveInt, Seeds, Share
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

CONTROL = "maximum likelihood"
# Two metrics of each kind of task, and whether more is better.
REVERSAL = {"exact match, sampled": True, "next token after a wrong one": True}
NOISY = {"divergence, own prefixes": False, "reward, sampled": True}
SEARCH = 1000  # is added to the seeds of the search, so that no start is used for both
PRESETS = {
    "seeds": {
        "noises": (0.01, 0.05),
        "budget": 240,
        "rates": (2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3),
        "search_seeds": (0, 1),
        "seeds": (0, 1, 2, 3, 4),
    }
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    noises: tuple[PositiveFraction, ...] = (0.05,)  # probabilities of a slip in the noisy reversal
    longest: Annotated[int, Field(ge=3, le=31)] = 8  # symbols of the longest sequence; the shortest has 3
    symbols: AtLeastTwo = 10  # distinct symbols of the reversal
    pairs: PositiveInt = 2000  # pairs that the noisy reversal is learnt from
    start_steps: PositiveInt = 200  # steps of maximum likelihood before the methods part
    start_rate: PositiveFloat = 2e-3  # peak learning rate of these
    budget: PositiveInt = 60  # steps of maximum likelihood whose tokens each method may spend
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-3, 4e-3)  # peak learning rates that each method tries
    search_seeds: Seeds = (0,)  # starts of the search
    batch_size: AtLeastTwo = 64  # pairs of a batch
    judge_share: Share = 0.25  # of its budget, what the judge of professor forcing learns from before
    samples: PositiveInt = 3  # targets that minimum risk draws for each source
    sharpness: PositiveFloat = 0.5  # exponent of the probabilities in minimum risk
    held_out: PositiveInt = 32  # sources for each of validation and test; the reversal has 30 times as many
    seeds: Seeds = (0,)  # starts of the comparison; --seed is added

    def check(self) -> None:
        check_sources(NoisyReversal.symbols, NoisyReversal.tokens, self.held_out)


@dataclass(frozen=True)
class Results:
    tasks: dict[str, dict[str, MethodAtBest]]
    start: dict[str, dict[str, float]]
    known: dict[str, dict[str, float]]


def methods(config: Config) -> dict[str, MakeLoss]:
    """Return for each method what makes its loss."""
    return {
        CONTROL: lambda steps, draws: maximum_likelihood,  # noqa: ARG005 (all take these)
        "scheduled sampling": lambda steps, draws: ScheduledSampling("linear", steps, draws),
        # A judge is heard as soon as it is better than chance; by the paper's rule, above 75 %, it never was.
        "professor forcing": lambda steps, draws: ProfessorForcing(32, draws, hear_above=0.5),  # noqa: ARG005
        "output divergence": lambda steps, draws: OutputDivergence(draws),  # noqa: ARG005
        "REINFORCE, mean of the others": lambda steps, draws: Reinforce("mean", draws),  # noqa: ARG005
        "REINFORCE, greedy answer": lambda steps, draws: Reinforce("greedy", draws),  # noqa: ARG005
        "minimum risk": lambda steps, draws: MinimumRisk(config.samples, config.sharpness, draws),  # noqa: ARG005
    }


def prepare(config: Config, task: str, seed: int) -> tuple[RemedyTask, Start, float]:
    """Return a task, a model that was stopped early on it, and the budget in tokens."""
    device, generator = pick_device(config.device), seed_everything(seed)
    options: dict[str, Any] = {"batch_size": config.batch_size, "device": device}
    if task == "reversal":
        made = reversal_task(
            generator, symbols=config.symbols, longest=config.longest, held_out=30 * config.held_out, **options
        )
    else:
        noise = float(task.removeprefix("noise "))
        made = noisy_task(generator, noise=noise, pairs=config.pairs, held_out=config.held_out, **options)
    model = made.model.to(device)
    train_model(model, made.stream(), config.start_steps, config.start_rate)
    state = generator.get_state()

    def same_stream():
        generator.set_state(state)
        return made.stream()

    start = Start(model, same_stream, seed)
    return made, start, config.budget * tokens_of_a_step(start, methods(config)[CONTROL])


def compare(config: Config, task: str, progress: tqdm) -> tuple[dict[str, MethodAtBest], dict[str, float]]:
    """Search each method's rate, then compare all at their best on other seeds."""
    ways = methods(config)
    search: dict[str, dict[float, list[float]]] = {name: {rate: [] for rate in config.rates} for name in ways}
    for seed in config.search_seeds:
        made, start, budget = prepare(config, task, config.seed + SEARCH + seed)
        for name, make_loss in ways.items():
            for rate in config.rates:
                model, _ = go_on(start, make_loss, rate, budget, config.judge_share)
                with torch.no_grad():
                    search[name][rate].append(made.validate(model))
                progress.update()
    found: dict[str, tuple[list, list]] = {name: ([], []) for name in ways}
    starts = []
    for seed in config.seeds:
        made, start, budget = prepare(config, task, config.seed + seed)
        with torch.no_grad():
            starts.append(made.measure(start.model))
        for name, make_loss in ways.items():
            model, spent = go_on(start, make_loss, best_rate(search[name]), budget, config.judge_share)
            with torch.no_grad():
                found[name][0].append(made.measure(model))
            found[name][1].append(spent)
            progress.update()
    rows = {name: summarise_best(search[name], *found[name], found[CONTROL]) for name in ways}
    return rows, {key: mean_interval([one[key] for one in starts])[0] for key in starts[0]}


def main(config: Config) -> Results:
    names = ["reversal", *(f"noise {noise:g}" for noise in config.noises)]
    each = len(config.search_seeds) * len(config.rates) + len(config.seeds)
    with tqdm(total=len(names) * len(methods(config)) * each) as progress:
        compared = {task: compare(config, task, progress) for task in names}
    for task, (rows, start) in compared.items():
        shown = REVERSAL if task == "reversal" else NOISY
        print(f"\n{task}; start " + ", ".join(f"{key} {start[key]:.4f}" for key in shown))
        for name, row in rows.items():
            edge = " (edge)" if row.at_edge else ""
            found = (
                f"{key} {row.metrics[key][0]:.4f} ({show_interval(*row.differences[key], '+.4f')})" for key in shown
            )
            print(f"  {name:<30} rate {row.rate:g}{edge}, {row.steps:.0f} steps, {', '.join(found)}")
    return Results(
        {task: rows for task, (rows, _) in compared.items()},
        {task: start for task, (_, start) in compared.items()},
        {f"noise {noise:g}": known(noise) for noise in config.noises},
    )


def plot(results: Results) -> Figure:
    """Draw the paired differences from maximum likelihood, two metrics of each task, with intervals."""
    figure, grid = new_figure(10.0, 2.4 * len(results.tasks), rows=len(results.tasks), columns=2)
    for row, (task, rows) in enumerate(results.tasks.items()):
        names = [name for name in rows if name != CONTROL]
        for column, (key, more) in enumerate((REVERSAL if task == "reversal" else NOISY).items()):
            axes = grid[row, column] if len(results.tasks) > 1 else grid[column]
            means, halves = zip(*(rows[name].differences[key] for name in names), strict=True)
            axes.errorbar(means, range(len(names)), xerr=error_bars(halves), fmt="o", capsize=3)
            axes.axvline(0, color="black", linewidth=1)
            axes.set_yticks(range(len(names)), names if column == 0 else [""] * len(names))
            axes.invert_yaxis()
            better = "right" if more else "left"
            unit = ", nats per token" if "divergence" in key else ""
            axes.set_title(f"{task}: {key}", fontsize=10)
            axes.set_xlabel(f"difference{unit} (better: {better})")
    return figure


if __name__ == "__main__":
    tolerance = {"*": TRAINED, "tasks.reversal.*": Tolerance(relative=0.05, absolute=0.1), "known.*": ROUNDING}
    run(main, Config, plot=plot, presets=PRESETS, tolerance=tolerance)
