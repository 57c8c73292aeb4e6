"""What happens when the tone is rewarded, and which of three mends helps?

    uv run sprints/16_grpo_cooking/reward_hack.py
    uv run sprints/16_grpo_cooking/reward_hack.py --preset seeds

A cook who is paid by the pet name says "darling darling darling" and forgets to calculate. The same policy is trained
with the tone uncapped, capped, given for right answers alone, and uncapped with a KL divergence that holds it near its
start. Right answers are counted at temperature 0 and at 1. Theory: notes/09_reward_hacking.md
"""

from dataclasses import dataclass, field

from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.grpo import Objective
from kitchen.grpo_loop import GRPOSettings, Signals, Trainer, train
from kitchen.pass_at_k import Evaluation, evaluate, write_completions
from kitchen.problems import Split, draw_problems
from kitchen.rewards import VERIFIED, Reward, capped_tone_reward, gated_tone_reward, tone_reward
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from shared.checks.intervals import error_bars, mean_interval
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFolder, NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

PRESETS = {"seeds": {"runs": 5}}
BLOCK = 5  # steps that the figure draws as one


@dataclass(frozen=True)
class Config(ScriptConfig):
    runs: PositiveInt = 1  # runs of each kind, with seeds from --seed on
    steps: PositiveInt = 40  # steps of GRPO for each reward
    groups: PositiveInt = 8  # problems of a step
    group_size: AtLeastTwo = 8  # answers to each of them
    learning_rate: PositiveFloat = 3e-4  # learning rate
    tone: NonNegativeFloat = 0.5  # weight of the tone
    beta: NonNegativeFloat = 0.01  # weight of the KL divergence, where it is no mend
    strong_beta: NonNegativeFloat = 1.0  # weight of the KL divergence as a mend
    model: ExistingFolder = SHIPPED_POLICY  # folder that warm_start.py wrote: the policy at the start
    held_out: PositiveInt = 200  # problems of the evaluation
    samples: PositiveInt = 4  # completions of each of them
    split: Split = "test"  # what is evaluated on


@dataclass(frozen=True)
class RewardedPolicy:
    """The first run, and of every run the right answers at temperature 1, at 0, and the pet names of an answer."""

    evaluation: Evaluation
    example: str
    signals: list[Signals]
    sampled: list[float] = field(default_factory=list)
    greedy: list[float] = field(default_factory=list)
    pet_names: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Results:
    before: Evaluation
    kinds: dict[str, RewardedPolicy]


def kinds_of(config: Config) -> dict[str, tuple[dict[str, Reward], float]]:
    """Return the rewards of each kind, and the weight of the KL divergence."""
    tones = {
        "uncapped": (tone_reward, config.beta),
        "capped": (capped_tone_reward, config.beta),
        "capped and gated": (gated_tone_reward, config.beta),
        "uncapped, strong KL": (tone_reward, config.strong_beta),
    }
    with_tone = {name: (VERIFIED | {"tone": Reward(tone, config.tone)}, beta) for name, (tone, beta) in tones.items()}
    return {"no tone": (VERIFIED, config.beta)} | with_tone


def main(config: Config) -> Results:
    device = pick_device(config.device)
    held_out = draw_problems(config.split, config.held_out, seed_everything(config.seed + 1))
    warm, tokenizer = load_warm_policy(config.model)
    before = evaluate(warm, tokenizer, held_out, config.samples, seed_everything(config.seed))
    kinds = {}
    for name, (rewards, beta) in kinds_of(config).items():
        runs = []
        for seed in range(config.seed, config.seed + config.runs):
            policy, _ = load_warm_policy(config.model)
            settings = GRPOSettings(
                groups=config.groups,
                group_size=config.group_size,
                learning_rate=config.learning_rate,
                objective=Objective(beta),
                rewards=rewards,
            )
            trainer = Trainer(policy.to(device), tokenizer, settings, seed_everything(seed))
            signals = [signal for _, signal in tqdm(train(trainer, config.steps), total=config.steps, desc=name)]
            after = evaluate(policy, tokenizer, held_out, config.samples, seed_everything(seed))
            _, (example,) = write_completions(policy, tokenizer, held_out[:1], seed_everything(seed))
            runs.append((after, example, signals))
        kinds[name] = RewardedPolicy(
            *runs[0],
            sampled=[after.pass_at["1"] for after, *_ in runs],
            greedy=[after.greedy for after, *_ in runs],
            pet_names=[after.tone for after, *_ in runs],
        )
        after, example, _ = runs[0]
        print(
            f"{name:<20} right {after.pass_at['1']:.1%}, greedy {after.greedy:.1%}, pet names {after.tone:.2f}, ",
            end="",
        )
        print(f"repetition {after.repetition:.1%}, {example}")
    return Results(before, kinds)


def plot(results: Results) -> Figure:
    """Draw right answers and pet names while training (first run), and greedy accuracy at the end."""
    figure, axes = new_figure(10.0, 3.8, columns=3)
    names = list(results.kinds)
    for index, kind in enumerate(results.kinds.values()):
        for axis, part in ((axes[0], "answer"), (axes[1], "tone")):
            values = [signal.parts.get(part, 0.0) for signal in kind.signals]
            ends = range(BLOCK, len(values) + 1, BLOCK)
            means = [sum(values[end - BLOCK : end]) / BLOCK for end in ends]
            if part == "answer" or "tone" in kind.signals[0].parts:
                axis.plot(ends, means, ("-", "--", ":", "-.", "-")[index % 5], color=f"C{index}", marker=".")
    axes[0].set(xlabel=f"step, means of {BLOCK}", ylabel="share of right answers, sampled", ylim=(0, 1.03))
    axes[1].set(xlabel=f"step, means of {BLOCK}", ylabel="tone reward of an answer, before its weight")
    axes[1].set_yscale("symlog", linthresh=1)
    greedy = [mean_interval(kind.greedy or [kind.evaluation.greedy]) for kind in results.kinds.values()]
    means, halves = zip(*greedy, strict=True)
    axes[2].barh(names, means, xerr=error_bars(list(halves)), color=[f"C{index}" for index in range(len(names))])
    axes[2].axvline(results.before.greedy, color="black", linestyle="--")
    axes[2].text(results.before.greedy - 0.02, -0.6, "warm start", ha="right", va="bottom", fontsize=8)
    axes[2].invert_yaxis()
    axes[2].set(xlabel="share of right answers, greedy", xlim=(0, 1))
    return figure


if __name__ == "__main__":
    # A sample of the warm start turns with the last digit of a logit; the signal of a single step is mostly noise.
    noise = {"before.*": Tolerance(absolute=0.01), "kinds.*.signals.*": Tolerance(relative=0.2, absolute=0.5)}
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED} | noise)
