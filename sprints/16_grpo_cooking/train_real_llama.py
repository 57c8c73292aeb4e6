"""Does a real Llama learn to calculate when only its answers are checked, and what does it make of a tone reward?

    uv run sprints/16_grpo_cooking/train_real_llama.py
    uv run sprints/16_grpo_cooking/train_real_llama.py --preset smollm2
    uv run sprints/16_grpo_cooking/train_real_llama.py --preset smollm2 --resume
    uv run sprints/16_grpo_cooking/train_real_llama.py --preset flirty
    uv run sprints/16_grpo_cooking/train_real_llama.py --model meta-llama/Llama-3.2-1B-Instruct --precision bfloat16
    uv run sprints/16_grpo_cooking/train_real_llama.py --data my_problems.jsonl --rewards my_rewards.py

Our loop, LoRA on every linear layer, and the model's own chat template; no solution is ever imitated. It needs
`uv sync --group models`. Theory: notes/10_a_real_llama.md
"""

from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.chat_policy import ChatTrainer, Prompts, load_chat_policy
from kitchen.grpo import Objective
from kitchen.grpo_loop import GRPOSettings, Signals
from kitchen.own_problems import read_problems, read_rewards
from kitchen.pass_at_k import BeforeAndAfter
from kitchen.problems import LEVELS, KitchenProblem, Level, Split, draw_problems
from kitchen.resumable import CHECKPOINT, check_start, resumable_steps
from kitchen.rewards import VERIFIED, Reward, gated_tone_reward, tone_reward
from kitchen.temperature_scores import answer_groups, majority_right, right_shares
from shared.checks.intervals import mean_interval, show_interval
from shared.lab.compare import EXACT, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFile, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from shared.lab.results import plain
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.adapter_files import save_adapter
from shared.nn.llama import Llama
from shared.nn.pretrained import SMOLLM2

Pay = Literal["verified", "flirty", "gated"]
# One level: of all four, a model of this size solves so few that most groups would have no signal.
REAL = {
    "levels": ("combine",), "examples": 2, "steps": 45, "groups": 6, "group_size": 8, "held_out": 100, "samples": 8,
}  # fmt: skip
TONE = REAL | {"steps": 14, "held_out": 40, "samples": 2, "learning_rate": 1e-3}
PRESETS = {
    "smollm2": REAL,
    "all_levels": REAL | {"levels": LEVELS, "examples": 4},
    "flirty": TONE | {"pay": "flirty"},
    "gated": TONE | {"pay": "gated"},
}
FREE = ("steps", "device", "resume", "save_every", "held_out", "samples", "split", "shown")


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SMOLLM2  # smollm2, a folder, or a Llama of the hub that was taught to chat
    data: ExistingFile | None = None  # problems of one's own, as JSON lines (default: the kitchen's)
    # a Python file that says what is rewarded beside right answers (default: the form, and calculations that hold)
    rewards: ExistingFile | None = None
    levels: tuple[Level, ...] = LEVELS  # levels of the kitchen's problems
    examples: NonNegativeInt = 4  # solved problems in the prompt
    pay: Pay = "verified"  # what is rewarded: right answers; pet names beside them; pet names in right answers
    tone: NonNegativeFloat = 0.5  # weight of the tone
    rank: PositiveInt = 8  # rank of LoRA
    alpha: PositiveFloat = 16.0  # LoRA's change is scaled by alpha / rank
    steps: PositiveInt = 2  # steps of GRPO
    groups: PositiveInt = 2  # problems of a step
    group_size: AtLeastTwo = 4  # answers to each of them
    learning_rate: PositiveFloat = 3e-4  # learning rate of the adapters
    beta: NonNegativeFloat = 0.01  # weight of the KL divergence from the model without adapters
    max_new_tokens: PositiveInt = 56  # tokens of an answer at most
    precision: Literal["float32", "bfloat16"] = "float32"  # of the learning pass
    held_out: PositiveInt = 8  # problems of the evaluation
    samples: PositiveInt = 2  # answers to each of them at temperature 1
    split: Split = "test"  # what is evaluated on
    shown: NonNegativeInt = 6  # of them, whose answers are kept in words
    save_every: PositiveInt = 10  # steps between checkpoints
    resume: bool = False  # go on from the checkpoint in the output folder


@dataclass(frozen=True)
class Paired:
    """A share of held-out problems before and after, and half of the 95 % interval of the difference, by problems."""

    before: float
    after: float
    gain: float
    interval: float | None


@dataclass(frozen=True)
class Results:
    trained_parameters: int
    parameters: int
    scores: dict[str, Paired]
    pet_names: Paired
    signals: list[Signals]
    completions: list[BeforeAndAfter]


def rewards_of(config: Config) -> dict[str, Reward]:
    """Return what is rewarded."""
    rewards = VERIFIED if config.rewards is None else read_rewards(config.rewards)
    if config.pay == "verified":
        return rewards
    return rewards | {"tone": Reward(tone_reward if config.pay == "flirty" else gated_tone_reward, config.tone)}


def answers(
    config: Config, policy: Llama, prompts: Prompts, problems: list[KitchenProblem]
) -> tuple[list[list[str]], list[list[str]]]:
    """Return the answers to held-out problems at temperature 0 and at temperature 1."""
    how: dict[str, Any] = {"encode": prompts, "max_new_tokens": config.max_new_tokens, "at_once": 16}
    generator = seed_everything(config.seed)
    greedy = answer_groups(policy, prompts.tokenizer, problems, 1, generator, temperature=0, **how)
    drawn = answer_groups(policy, prompts.tokenizer, problems, config.samples, generator, temperature=1.0, **how)
    return greedy, drawn


def paired(before: list[float], after: list[float]) -> Paired:
    """Return the means of two lists about the same problems, and their difference with its interval."""
    gain, half = mean_interval([now - was for was, now in zip(before, after, strict=True)])
    return Paired(sum(before) / len(before), sum(after) / len(after), gain, half)


def main(config: Config) -> Results:
    keep_freed_memory()
    device, generator = pick_device(config.device), seed_everything(config.seed)
    own = read_problems(config.data) if config.data is not None else None
    held_out = (
        own[config.split][: config.held_out]
        if own is not None
        else draw_problems(config.split, config.held_out, seed_everything(config.seed + 1), config.levels)
    )
    policy, tokenizer = load_chat_policy(config.model, config.rank, config.alpha, generator)
    policy = policy.to(device).eval()
    prompts = Prompts(tokenizer, config.levels, flirty=config.pay != "verified", examples=config.examples)
    settings = GRPOSettings(
        config.groups, config.group_size, learning_rate=config.learning_rate, levels=config.levels,
        objective=Objective(config.beta, longest=config.max_new_tokens), rewards=rewards_of(config),
        max_new_tokens=config.max_new_tokens, precision=config.precision,
    )  # fmt: skip
    trainer = ChatTrainer(policy, tokenizer, settings, generator, prompts, None if own is None else own["train"])
    path = run_folder(config, __file__) / CHECKPOINT
    options = {name: value for name, value in plain(config.options(), "config").items() if name not in FREE}
    check_start(path, options, steps=config.steps, resume=config.resume)
    before = answers(config, policy, prompts, held_out)
    kind: dict[str, Any] = {"save_every": config.save_every, "resume": config.resume, "tensorboard": True}
    signals: list[Signals] = []
    with tqdm(total=config.steps, desc=f"GRPO, {config.model}") as bar:
        for step, signals in resumable_steps(trainer, path, options, steps=config.steps, **kind):
            bar.update(step - bar.n)
            bar.set_postfix(reward=f"{signals[-1].reward:.2f}", right=f"{signals[-1].parts['answer']:.2f}")
    save_adapter(policy, path.parent / "adapter", config.model, tokenizer=tokenizer)
    after = answers(config, policy, prompts, held_out)
    scores = {
        "greedy": paired(*(right_shares(held_out, greedy) for greedy, _ in (before, after))),
        "temperature 1": paired(*(right_shares(held_out, drawn) for _, drawn in (before, after))),
        "majority": paired(*(majority_right(held_out, drawn) for _, drawn in (before, after))),
    }
    for name, score in scores.items():
        shown = show_interval(score.gain, score.interval, "+.1%")
        print(f"{name:<14} {score.before:.1%} before, {score.after:.1%} after: {shown}")
    names = paired(*([tone_reward(held_out[0], texts[0]) for texts in greedy] for greedy, _ in (before, after)))
    rows = zip(held_out, before[0], after[0], strict=True)
    completions = [BeforeAndAfter(asked.question, asked.answer, was[0], now[0]) for asked, was, now in rows]
    for completion in completions[: config.shown]:
        print(f"{completion.question}\n  before {completion.before}\n  after  {completion.after}")
    sizes = sum(weight.numel() for weight in trainer.saved.parameters()), policy.parameter_count()
    return Results(*sizes, scores, names, signals, completions[: config.shown])


def plot(results: Results) -> Figure:
    """Draw reward, right answers, KL and entropy, step by step and as means of five steps."""
    figure, axes = new_figure(9.0, 4.8, rows=2, columns=2)
    curves = {
        "reward": [signal.reward for signal in results.signals],
        "share of right answers": [signal.parts["answer"] for signal in results.signals],
        "KL from the start, nats a token": [signal.divergence for signal in results.signals],
        "entropy, nats a token": [signal.entropy for signal in results.signals],
    }
    for axis, (label, values) in zip(axes.flat, curves.items(), strict=True):
        steps = range(1, len(values) + 1)
        axis.plot(steps, values, ".", color="C0", alpha=0.35)
        means = [sum(values[max(0, step - 5) : step]) / min(5, step) for step in steps]
        axis.plot(steps, means, color="C0")
        axis.set(xlabel="step of GRPO", ylabel=label)
    return figure


if __name__ == "__main__":
    noise = {"signals.*": Tolerance(relative=0.2, absolute=0.5), "*parameters": EXACT}
    drawn = dict.fromkeys(("completions.*.question", "completions.*.right"), EXACT)
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED} | noise | drawn)
