"""Which knob matters, and what is to be done when the reward stalls?

    uv run sprints/16_grpo_cooking/sweep.py
    uv run sprints/16_grpo_cooking/sweep.py --preset seeds

From one base, one knob at a time: beta, learning rate, group size (with as many answers a step in all), the average
over tokens, the scale of advantages, and two updates on the same answers. Theory: notes/07_reading_the_signals.md
"""

import statistics
from dataclasses import dataclass, replace

from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.grpo import Objective
from kitchen.grpo_loop import GRPOSettings, Signals, Trainer, train
from kitchen.pass_at_k import evaluate
from kitchen.problems import draw_problems
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from shared.checks.intervals import error_bars, mean_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFolder, NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

BASE_SIZE = 8  # the group size of the base
PRESETS = {"seeds": {"runs": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    runs: PositiveInt = 1  # runs of each setting, with seeds from --seed on
    steps: PositiveInt = 20  # steps of GRPO of each run
    samples: AtLeastTwo = 64  # answers of a step
    betas: tuple[NonNegativeFloat, ...] = (0.0, 0.1, 1.0)  # weights of the KL divergence, beside 0.01
    learning_rates: tuple[PositiveFloat, ...] = (3e-5, 1e-4, 1e-3)  # learning rates, beside 0.0003
    group_sizes: tuple[AtLeastTwo, ...] = (2, 4, 16)  # group sizes, beside 8
    model: ExistingFolder = SHIPPED_POLICY  # folder that warm_start.py wrote: the policy at the start
    held_out: PositiveInt = 100  # problems of the evaluation, of the validation split
    evaluated: PositiveInt = 4  # completions of each of them

    def check(self) -> None:
        if unfit := [size for size in (BASE_SIZE, *self.group_sizes) if self.samples % size]:
            raise ValueError(
                f"every setting learns from as many answers: --samples must be a multiple of {BASE_SIZE} and of all "
                f"--group-sizes; got {self.samples}, no multiple of {', '.join(map(str, unfit))}"
            )


@dataclass(frozen=True)
class TunedPolicy:
    """Sampled and greedy accuracy, means over runs with half of their intervals, and the signals of the last run."""

    pass_at_1: float
    interval: float | None
    last: dict[str, float]
    greedy: float | None = None
    greedy_interval: float | None = None


@dataclass(frozen=True)
class Results:
    before: float
    settings: dict[str, TunedPolicy]


def settings_of(config: Config) -> dict[str, GRPOSettings]:
    """Return the base and what differs from it in one knob."""
    base = GRPOSettings(groups=config.samples // BASE_SIZE, group_size=BASE_SIZE)
    settings = {"base": base}
    for beta in config.betas:
        settings[f"beta {beta:g}"] = replace(base, objective=Objective(beta))
    for rate in config.learning_rates:
        settings[f"learning rate {rate:g}"] = replace(base, learning_rate=rate)
    for size in config.group_sizes:
        settings[f"group size {size}"] = replace(base, groups=config.samples // size, group_size=size)
    return settings | {
        "DAPO: tokens averaged, clip 0.28 above": replace(base, objective=Objective(clip_high=0.28, average="dapo")),
        "Dr. GRPO: no deviation, constant length": replace(base, objective=Objective(average="dr_grpo", scale=False)),
        "two updates a step": replace(base, updates=2),
    }


def mean_of(signals: list[Signals]) -> dict[str, float]:
    """Return the mean signals of some steps: those of one alone are noise."""
    names = ("reward", "divergence", "entropy", "clipped", "without_signal", "tokens")
    return {name: statistics.mean(vars(signal)[name] for signal in signals) for name in names}


def main(config: Config) -> Results:
    device = pick_device(config.device)
    held_out = draw_problems("validation", config.held_out, seed_everything(config.seed + 1))
    warm, tokenizer = load_warm_policy(config.model)
    before = evaluate(warm, tokenizer, held_out, config.evaluated, seed_everything(config.seed)).pass_at["1"]
    print(f"before {before:.1%}")
    settings, tuned = settings_of(config), {}
    bar = tqdm(total=len(settings) * config.runs * config.steps, unit="step")
    for name, chosen in settings.items():
        scores, greedy, last = [], [], []
        for seed in range(config.seed, config.seed + config.runs):
            policy, _ = load_warm_policy(config.model)
            trainer = Trainer(policy.to(device), tokenizer, chosen, seed_everything(seed))
            for _, signals in train(trainer, config.steps):
                last = [*last[-9:], signals]
                bar.update()
            after = evaluate(policy, tokenizer, held_out, config.evaluated, seed_everything(seed))
            scores.append(after.pass_at["1"])
            greedy.append(after.greedy)
        tuned[name] = TunedPolicy(*mean_interval(scores), mean_of(last), *mean_interval(greedy))
        tqdm.write(f"{name:<40} pass@1 {tuned[name].pass_at_1:.1%}, KL {tuned[name].last['divergence']:.3f}")
    return Results(before, tuned)


def plot(results: Results) -> Figure:
    """Draw the accuracy of every setting, sampled and greedy, with intervals where there are several runs."""
    names, tuned = list(results.settings), list(results.settings.values())
    measures = {"sampled at temperature 1": [(each.pass_at_1, each.interval) for each in tuned]}
    if (greedy := [(each.greedy, each.greedy_interval) for each in tuned if each.greedy is not None]) != []:
        measures["greedy"] = greedy
    figure, axes = new_figure(9.0, 4.6, columns=len(measures))
    for index, (title, pairs) in enumerate(measures.items()):
        axis = axes if len(measures) == 1 else axes[index]
        values, halves = zip(*pairs, strict=True)
        axis.errorbar(values, range(len(names)), xerr=error_bars(list(halves)), fmt="o", color="C0", capsize=3)
        axis.set_yticks(range(len(names)), names if index == 0 else [""] * len(names))
        axis.axvline(values[names.index("base")], color="C2", linestyle=":", label="base")
        if index == 0:
            axis.axvline(results.before, color="C1", linestyle="--", label="warm start")
        axis.invert_yaxis()
        axis.set(title=title, xlabel="share of validation problems")
        axis.legend(loc="lower left", fontsize=8)
    return figure


if __name__ == "__main__":
    # 400 samples of a policy that 20 steps have made: a few points are noise.
    run(
        main,
        Config,
        plot=plot,
        presets=PRESETS,
        tolerance={"*": Tolerance(relative=0.1, absolute=0.1), "before": Tolerance(absolute=0.01)},
    )
