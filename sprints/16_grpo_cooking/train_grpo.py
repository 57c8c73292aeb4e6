"""How much better does a policy calculate when only its answers are checked?

    uv run sprints/16_grpo_cooking/train_grpo.py
    uv run sprints/16_grpo_cooking/train_grpo.py --runs 5
    uv run sprints/16_grpo_cooking/train_grpo.py --resume

Each run starts as the model of warm_start.py and differs in its seed. Checkpoints and TensorBoard's logs go to runs/
below the output folder: tensorboard --logdir sprints/16_grpo_cooking/runs. Theory: notes/02_grpo.md
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from kitchen.grpo import Objective
from kitchen.grpo_loop import Settings, Signals, Trainer
from kitchen.kitchen_problems import LEVELS, draw_problems
from kitchen.pass_at_k import Evaluation, evaluate, write_answers
from kitchen.resumable import log, resumable_steps
from kitchen.supervised import WARM_MODEL, load_warm
from kitchen.tiny_llama import TinyLlama
from shared.checks.intervals import mean_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.results import plain
from shared.lab.run import run as run_script
from shared.lab.run import run_folder
from shared.lab.runtime import pick_device, seed_everything

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BLOCK = 10  # steps that the figure draws as one
# What may differ between a run and the one that resumes it.
FREE = ("out", "steps", "device", "resume", "runs", "tensorboard", "save_every", "held_out", "samples", "split", "seed")


@dataclass(frozen=True)
class Config(ScriptConfig):
    runs: int = 1  # runs, with seeds from --seed on
    steps: int = 150  # steps of GRPO
    groups: int = 24  # problems of a step
    group_size: int = 8  # answers to each of them
    updates: int = 1  # optimizer steps on the answers of a step
    learning_rate: float = 3e-4  # learning rate
    beta: float = 0.01  # weight of the KL divergence from the warm start
    clip_low: float = 0.2  # how far below 1 the ratio may go
    clip_high: float = 0.2  # how far above 1 the ratio may go
    average: Literal["grpo", "dapo", "dr_grpo"] = "grpo"  # how tokens are averaged
    scale: bool = True  # divide advantages by the deviation of their group
    levels: tuple[str, ...] = tuple(LEVELS)  # levels of the problems
    model: Path = WARM_MODEL  # folder of the policy at the start
    precision: Literal["float32", "bfloat16"] = "float32"  # precision of the learning pass
    held_out: int = 400  # problems of the evaluation
    samples: int = 8  # completions of each of them
    split: Literal["train", "validation", "test"] = "test"  # what is evaluated on
    save_every: int = 50  # steps between checkpoints
    resume: bool = False  # go on from the checkpoints in the output folder
    tensorboard: bool = True  # write TensorBoard's logs


@dataclass(frozen=True)
class Run:
    seed: int
    evaluation: Evaluation
    signals: list[Signals]


@dataclass(frozen=True)
class Completion:
    question: str
    right: str
    before: str
    after: str


@dataclass(frozen=True)
class Results:
    before: Evaluation
    runs: list[Run]
    gain: float
    gain_interval: float
    completions: list[Completion]


def settings_of(config: Config) -> Settings:
    return Settings(
        groups=config.groups,
        group_size=config.group_size,
        updates=config.updates,
        learning_rate=config.learning_rate,
        objective=Objective(config.beta, config.clip_low, config.clip_high, config.average, config.scale),
        levels=config.levels,
        precision=config.precision,
    )


def folder_of(config: Config, seed: int) -> Path:
    return run_folder(config, __file__) / "runs" / f"seed{seed}"


def run(config: Config, seed: int) -> "tuple[list[Signals], Trainer]":
    """Train one policy."""
    device = pick_device(config.device)
    generator = seed_everything(seed)
    policy, tokenizer = load_warm(config.model)
    trainer = Trainer(policy.to(device), tokenizer, settings_of(config), generator)
    writer = SummaryWriter(str(folder_of(config, seed))) if config.tensorboard else None
    signals: list[Signals] = []
    bar = tqdm(total=config.steps, desc=f"GRPO, seed {seed}")
    fixed = {name: value for name, value in plain(config, "config").items() if name not in FREE}
    path = folder_of(config, seed) / "checkpoint.pt"
    # Of several runs the later ones may not have begun.
    resume = config.resume and (seed == config.seed or path.is_file())
    options = {"steps": config.steps, "save_every": config.save_every, "resume": resume}
    for step, signals in resumable_steps(trainer, path, fixed, **options):
        bar.update(step - bar.n)
        bar.set_postfix(reward=f"{signals[-1].reward:.2f}", KL=f"{signals[-1].divergence:.3f}")
        if writer is not None:
            log(writer, signals[-1], step)
    if writer:
        writer.close()
    bar.close()
    return signals, trainer


def show(config: Config, before: TinyLlama, after: TinyLlama, tokenizer: "PreTrainedTokenizerBase") -> list[Completion]:
    """Return what both policies write on a few held-out questions, sampled."""
    problems = draw_problems("validation", 8, seed_everything(config.seed + 1), config.levels)
    texts = [
        tokenizer.batch_decode(
            write_answers(policy, tokenizer, problems, seed_everything(config.seed)), skip_special_tokens=True
        )
        for policy in (before, after)
    ]
    rows = zip(problems, *texts, strict=True)
    return [Completion(problem.question, problem.answer, was, now) for problem, was, now in rows]


def main(config: Config) -> Results:
    held_out = draw_problems(config.split, config.held_out, seed_everything(config.seed + 1), config.levels)
    warm, tokenizer = load_warm(config.model)
    before = evaluate(warm, tokenizer, held_out, config.samples, seed_everything(config.seed))
    print(f"before: pass@1 {before.pass_at['1']:.1%}, greedy {before.greedy:.1%}")
    runs, after = [], warm
    for seed in range(config.seed, config.seed + config.runs):
        signals, trainer = run(config, seed)
        after = trainer.policy.eval()
        found = evaluate(after, tokenizer, held_out, config.samples, seed_everything(seed))
        runs.append(Run(seed, found, signals))
        print(f"seed {seed}: pass@1 {found.pass_at['1']:.1%}, greedy {found.greedy:.1%}, {found.by_level}")
    gain, half = mean_interval([one.evaluation.pass_at["1"] - before.pass_at["1"] for one in runs])
    completions = show(config, warm, after, tokenizer)
    for one in completions:
        print(f"{one.question}\n  before {one.before}\n  after  {one.after}")
    return Results(before, runs, gain, half, completions)


def blocks(values: list[float]) -> tuple[list[int], list[float]]:
    """Return the means of so many steps each, and where they end: single steps are mostly noise."""
    starts = range(0, len(values), BLOCK)
    parts = [values[start : start + BLOCK] for start in starts]
    return [start + len(part) for start, part in zip(starts, parts, strict=True)], [sum(p) / len(p) for p in parts]


def plot(results: Results) -> Figure:
    """Draw the signals of every run, and pass@k before and after."""
    figure, axes = new_figure(10.0, 5.8, rows=2, columns=3)
    drawn = {
        "reward": lambda one: one.reward,
        "share of right answers": lambda one: one.parts["answer"],
        "KL from the start, nats a token": lambda one: one.divergence,
        "entropy, nats a token": lambda one: one.entropy,
        "share of groups without a signal": lambda one: one.without_signal,
    }
    for axis, (label, value) in zip(axes.flat, drawn.items(), strict=False):
        for index, run in enumerate(results.runs):
            steps, means = blocks([value(one) for one in run.signals])
            axis.plot(steps, means, color=f"C{index}", label=f"seed {run.seed}")
        axis.set(xlabel=f"step, means of {BLOCK}", ylabel=label)
    first = results.runs[0].signals
    ends = ([one.reward + sign * 1.96 * one.reward_error for one in first] for sign in (-1, 1))
    (steps, low), (_, high) = (blocks(end) for end in ends)
    axes[0, 0].fill_between(steps, low, high, color="C0", alpha=0.2, linewidth=0)
    axes[0, 0].legend(loc="lower right", fontsize=8)
    last = axes[1, 2]
    for index, run in enumerate(results.runs):
        passed = run.evaluation.pass_at
        last.plot(list(passed), list(passed.values()), marker=".", color=f"C{index}")
    last.plot(
        list(results.before.pass_at), list(results.before.pass_at.values()), "k--", marker="o", label="warm start"
    )
    last.set(xlabel="k", ylabel="pass@k, held-out problems", ylim=(0, 1.03))
    last.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    run_script(main, Config, plot=plot)
