"""What do the signals look like when a run is healthy, and when it is not? Four runs with their faults known.

    uv run sprints/16_grpo_cooking/four_runs.py
    uv run sprints/16_grpo_cooking/four_runs.py --preset labelled

The same policy learns from verified answers, with too large a learning rate, with a parser that looks for a tag that
nobody writes, and with a reward that can be had without an answer. Theory: notes/07_reading_the_signals.md
"""

import re
from dataclasses import dataclass, replace

from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.grpo import Objective
from kitchen.grpo_loop import GRPOSettings, Signals, Trainer, train
from kitchen.rewards import VERIFIED, Reward, answer_reward, tone_reward
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFolder, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.text.quantity_problems import Problem

PRESETS = {"labelled": {"steps": 60, "groups": 16}}
RESULT = re.compile(r"<result>([^<>]*)</result>")
BLOCK = 5  # steps that the figure draws as one


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 15  # steps of GRPO of each run
    groups: PositiveInt = 8  # problems of a step
    group_size: AtLeastTwo = 8  # answers to each of them
    learning_rate: PositiveFloat = 3e-4  # of the healthy run
    too_large: PositiveFloat = 10.0  # how many times that the second run has
    tone: PositiveFloat = 0.5  # weight of the pet names in the fourth run
    model: ExistingFolder = SHIPPED_POLICY  # folder that warm_start.py wrote: the policy at the start


@dataclass(frozen=True)
class Results:
    runs: dict[str, list[Signals]]


def wrong_tag_reward(problem: Problem, text: str) -> float:
    """Return 1 for the right answer between tags that no policy was told of: a parser's fault."""
    found = RESULT.findall(text)
    return float(len(found) == 1 and problem.is_correct(found[0]))


def settings_of(config: Config) -> dict[str, GRPOSettings]:
    """Return what each run does; all of them measure the right answers, at weight 0 where these earn nothing."""
    healthy = GRPOSettings(config.groups, config.group_size, learning_rate=config.learning_rate, objective=Objective())
    blind = {"parsed": Reward(wrong_tag_reward), "answer": Reward(answer_reward, 0.0)}
    flattered = VERIFIED | {"tone": Reward(tone_reward, config.tone)}
    return {
        "healthy": healthy,
        "learning rate too large": replace(healthy, learning_rate=config.too_large * config.learning_rate),
        "the parser finds nothing": replace(healthy, rewards=blind),
        "a reward without an answer": replace(healthy, rewards=flattered),
    }


def main(config: Config) -> Results:
    runs = {}
    for name, settings in settings_of(config).items():
        policy, tokenizer = load_warm_policy(config.model)
        policy = policy.to(pick_device(config.device))
        trainer = Trainer(policy, tokenizer, settings, seed_everything(config.seed))
        runs[name] = [signals for _, signals in tqdm(train(trainer, config.steps), total=config.steps, desc=name)]
        last = runs[name][-1]
        print(f"{name:<28} reward {last.reward:.2f}, right {last.parts['answer']:.2f}, KL {last.divergence:.3f}")
    return Results(runs)


def block_means(values: list[float]) -> tuple[list[int], list[float]]:
    """Return the means of so many steps each, and where they end: single steps are mostly noise."""
    ends = [min(start + BLOCK, len(values)) for start in range(0, len(values), BLOCK)]
    return ends, [sum(values[max(0, end - BLOCK) : end]) / min(BLOCK, end) for end in ends]


def plot(results: Results) -> Figure:
    """Draw six signals of the four runs."""
    figure, axes = new_figure(9.0, 5.6, rows=2, columns=3)
    curves = {
        "reward": lambda signal: signal.reward,
        "share of right answers": lambda signal: signal.parts["answer"],
        "KL from the start, nats a token": lambda signal: signal.divergence,
        "entropy, nats a token": lambda signal: signal.entropy,
        "share of groups without a signal": lambda signal: signal.without_signal,
        "tokens of an answer": lambda signal: signal.tokens,
    }
    for axis, (label, value) in zip(axes.flat, curves.items(), strict=True):
        for index, (name, signals) in enumerate(results.runs.items()):
            ends, means = block_means([value(signal) for signal in signals])
            axis.plot(ends, means, ("-", "--", ":", "-.")[index], color=f"C{index}", label=name)
        axis.set(xlabel=f"step, means of {BLOCK}", ylabel=label)
    axes[0, 2].set_yscale("symlog", linthresh=0.01)
    axes[0, 0].set_yscale("symlog", linthresh=2)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"runs.*": Tolerance(relative=0.3, absolute=0.5)})
