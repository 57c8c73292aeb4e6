"""How much better does a policy calculate when only its answers are checked?

    uv run sprints/16_grpo_cooking/train_grpo.py
    uv run sprints/16_grpo_cooking/train_grpo.py --preset seeds
    uv run sprints/16_grpo_cooking/train_grpo.py --resume

Each run starts as the model of warm_start.py and differs in its seed. Checkpoints and TensorBoard's logs go to a folder
for each seed: tensorboard --logdir runs/16_grpo_cooking/train_grpo. Theory: notes/04_grpo.md
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.grpo import Objective
from kitchen.grpo_loop import GRPOSettings, Signals, Trainer
from kitchen.pass_at_k import BeforeAndAfter, Evaluation, before_and_after, evaluate
from kitchen.problems import LEVELS, Level, Split, draw_problems
from kitchen.resumable import CHECKPOINT, check_start, resumable_steps
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from shared.checks.intervals import mean_interval
from shared.lab.compare import EXACT, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFolder, NonNegativeFloat, OpenFraction, PositiveFloat, PositiveInt
from shared.lab.results import plain
from shared.lab.run import run, run_folder
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.fingerprints import fingerprint
from shared.nn.llama import Llama

PRESETS = {"seeds": {"runs": 5}}
BLOCK = 10  # steps that the figure draws as one
# What may differ between a run and the one that resumes it.
FREE = ("steps", "device", "resume", "runs", "tensorboard", "save_every", "held_out", "samples", "split", "seed")


@dataclass(frozen=True)
class Config(ScriptConfig):
    runs: PositiveInt = 1  # runs, with seeds from --seed on
    steps: PositiveInt = 150  # steps of GRPO
    groups: PositiveInt = 24  # problems of a step
    group_size: AtLeastTwo = 8  # answers to each of them
    updates: PositiveInt = 1  # optimizer steps on the answers of a step
    learning_rate: PositiveFloat = 3e-4  # learning rate
    beta: NonNegativeFloat = 0.01  # weight of the KL divergence from the warm start
    clip_low: OpenFraction = 0.2  # how far below 1 the ratio may go
    clip_high: PositiveFloat = 0.2  # how far above 1 the ratio may go
    average: Literal["grpo", "dapo", "dr_grpo"] = "grpo"  # how tokens are averaged
    scale: bool = True  # divide advantages by the deviation of their group
    levels: tuple[Level, ...] = LEVELS  # levels of the problems
    model: ExistingFolder = SHIPPED_POLICY  # folder that warm_start.py wrote: the policy at the start
    precision: Literal["float32", "bfloat16"] = "float32"  # precision of the learning pass
    held_out: PositiveInt = 400  # problems of the evaluation
    samples: PositiveInt = 8  # completions of each of them
    split: Split = "test"  # what is evaluated on
    save_every: PositiveInt = 50  # steps between checkpoints
    resume: bool = False  # go on from the checkpoints in the output folder
    tensorboard: bool = True  # write TensorBoard's logs


@dataclass(frozen=True)
class TrainedPolicy:
    seed: int
    evaluation: Evaluation
    signals: list[Signals]


@dataclass(frozen=True)
class Results:
    before: Evaluation
    runs: list[TrainedPolicy]
    gain: float
    gain_interval: float | None
    completions: list[BeforeAndAfter]


def settings_of(config: Config) -> GRPOSettings:
    return GRPOSettings(
        groups=config.groups,
        group_size=config.group_size,
        updates=config.updates,
        learning_rate=config.learning_rate,
        objective=Objective(config.beta, config.clip_low, config.clip_high, config.average, config.scale),
        levels=config.levels,
        precision=config.precision,
    )


def checkpoint_of(config: Config, seed: int, start: Llama) -> tuple[Path, dict[str, Any], bool]:
    """Return where a run's checkpoint is, what must be equal for a run to go on from it, and whether this one does."""
    path = run_folder(config, __file__) / f"seed{seed}" / CHECKPOINT
    options = {name: value for name, value in plain(config.options(), "config").items() if name not in FREE}
    # The policy at the start is the reference of the KL divergence: with another one it is another run.
    options["weights of the model"] = fingerprint(start.state_dict())
    # Of several runs the later ones may not have begun.
    return path, options, config.resume and (seed == config.seed or path.is_file())


def train_policy(config: Config, seed: int) -> tuple[Llama, list[Signals]]:
    """Train one policy; return it with the signals of all steps."""
    device = pick_device(config.device)
    generator = seed_everything(seed)
    policy, tokenizer = load_warm_policy(config.model)
    path, options, resume = checkpoint_of(config, seed, policy)
    trainer = Trainer(policy.to(device), tokenizer, settings_of(config), generator)
    steps = resumable_steps(
        trainer,
        path,
        options,
        steps=config.steps,
        save_every=config.save_every,
        resume=resume,
        tensorboard=config.tensorboard,
    )
    signals: list[Signals] = []
    with tqdm(total=config.steps, desc=f"GRPO, seed {seed}") as bar:
        for step, signals in steps:
            bar.update(step - bar.n)
            bar.set_postfix(reward=f"{signals[-1].reward:.2f}", KL=f"{signals[-1].divergence:.3f}")
    return policy.eval(), signals


def main(config: Config) -> Results:
    held_out = draw_problems(config.split, config.held_out, seed_everything(config.seed + 1), config.levels)
    warm, tokenizer = load_warm_policy(config.model)
    for seed in range(config.seed, config.seed + config.runs):
        path, options, resume = checkpoint_of(config, seed, warm)
        check_start(path, options, steps=config.steps, resume=resume)
    before = evaluate(warm, tokenizer, held_out, config.samples, seed_everything(config.seed))
    print(f"before: pass@1 {before.pass_at['1']:.1%}, greedy {before.greedy:.1%}")
    trained, policy = [], warm
    for seed in range(config.seed, config.seed + config.runs):
        policy, signals = train_policy(config, seed)
        after = evaluate(policy, tokenizer, held_out, config.samples, seed_everything(seed))
        trained.append(TrainedPolicy(seed, after, signals))
        print(f"seed {seed}: pass@1 {after.pass_at['1']:.1%}, greedy {after.greedy:.1%}, {after.by_level}")
    gain, half = mean_interval([each.evaluation.pass_at["1"] - before.pass_at["1"] for each in trained])
    asked = draw_problems("validation", 8, seed_everything(config.seed + 1), config.levels)
    completions = before_and_after(warm, policy, tokenizer, asked, config.seed)
    for completion in completions:
        print(f"{completion.question}\n  before {completion.before}\n  after  {completion.after}")
    return Results(before, trained, gain, half, completions)


def blocks(values: list[float]) -> tuple[list[int], list[float]]:
    """Return the means of so many steps each, and where they end: single steps are mostly noise."""
    starts = range(0, len(values), BLOCK)
    parts = [values[start : start + BLOCK] for start in starts]
    ends = [start + len(part) for start, part in zip(starts, parts, strict=True)]
    return ends, [sum(part) / len(part) for part in parts]


def plot(results: Results) -> Figure:
    """Draw the signals of every run, and pass@k before and after."""
    figure, axes = new_figure(10.0, 5.8, rows=2, columns=3)
    curves = {
        "reward": lambda signal: signal.reward,
        "share of right answers": lambda signal: signal.parts["answer"],
        "KL from the start, nats a token": lambda signal: signal.divergence,
        "entropy, nats a token": lambda signal: signal.entropy,
        "share of groups without a signal": lambda signal: signal.without_signal,
    }
    for axis, (label, value) in zip(axes.flat, curves.items(), strict=False):
        for index, trained in enumerate(results.runs):
            steps, means = blocks([value(signal) for signal in trained.signals])
            axis.plot(steps, means, color=f"C{index}", label=f"seed {trained.seed}")
        axis.set(xlabel=f"step, means of {BLOCK}", ylabel=label)
    first = results.runs[0].signals
    steps, low = blocks([signal.reward - 1.96 * signal.reward_error for signal in first])
    _, high = blocks([signal.reward + 1.96 * signal.reward_error for signal in first])
    axes[0, 0].fill_between(steps, low, high, color="C0", alpha=0.2, linewidth=0)
    axes[0, 0].legend(loc="lower right", fontsize=8)
    for index, trained in enumerate(results.runs):
        axes[1, 2].plot(*zip(*trained.evaluation.pass_at.items(), strict=True), marker=".", color=f"C{index}")
    axes[1, 2].plot(*zip(*results.before.pass_at.items(), strict=True), "k--", marker="o", label="warm start")
    axes[1, 2].set(xlabel="k", ylabel="pass@k, held-out problems", ylim=(0, 1.03))
    axes[1, 2].legend(loc="lower right")
    return figure


if __name__ == "__main__":
    # A sample of the warm start turns with the last digit of a logit; the signal of a single step is mostly noise.
    noise = {"before.*": Tolerance(absolute=0.01), "runs.*.signals.*": Tolerance(absolute=0.5)}
    drawn = dict.fromkeys(("runs.*.seed", "completions.*.question", "completions.*.right"), EXACT)
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED} | noise | drawn)
