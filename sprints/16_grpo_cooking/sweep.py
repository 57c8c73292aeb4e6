"""Which knob matters, and what is to be done when the reward stalls?

    uv run sprints/16_grpo_cooking/sweep.py
    uv run sprints/16_grpo_cooking/sweep.py --runs 3 --steps 60

From one base, one knob at a time: beta, learning rate, group size (with as many answers a step in all), the average
over tokens, the scale of advantages, and two updates on the same answers. Theory: notes/04_reading_the_signals.md
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
    pass_at_1: float
    interval: float | None
    last: dict[str, float]


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
        scores, last = [], []
        for seed in range(config.seed, config.seed + config.runs):
            policy, _ = load_warm_policy(config.model)
            trainer = Trainer(policy.to(device), tokenizer, chosen, seed_everything(seed))
            for _, signals in train(trainer, config.steps):
                last = [*last[-9:], signals]
                bar.update()
            scores.append(evaluate(policy, tokenizer, held_out, config.evaluated, seed_everything(seed)).pass_at["1"])
        tuned[name] = TunedPolicy(*mean_interval(scores), mean_of(last))
        tqdm.write(f"{name:<40} pass@1 {tuned[name].pass_at_1:.1%}, KL {tuned[name].last['divergence']:.3f}")
    return Results(before, tuned)


def plot(results: Results) -> Figure:
    """Draw the accuracy of every setting."""
    figure, axes = new_figure(8.0, 5.0)
    names = list(results.settings)
    values = [results.settings[name].pass_at_1 for name in names]
    axes.barh(names, values, xerr=error_bars([results.settings[name].interval for name in names]))
    axes.axvline(results.before, color="C1", linestyle="--", label="warm start")
    axes.axvline(results.settings["base"].pass_at_1, color="C2", linestyle=":", label="base")
    axes.invert_yaxis()
    axes.set(xlabel="pass@1 on validation problems")
    axes.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    # 400 samples of a policy that 20 steps have made: a few points are noise.
    run(
        main,
        Config,
        plot=plot,
        tolerance={"*": Tolerance(relative=0.1, absolute=0.1), "before": Tolerance(absolute=0.01)},
    )
