"""What happens when the tone is rewarded, and which of three mends helps?

    uv run sprints/16_grpo_cooking/reward_hack.py

A cook who is paid by the pet name says "darling darling darling" and forgets to calculate. The same policy is trained
with the tone uncapped, capped, given for right answers alone, and uncapped with a KL divergence that holds it near its
start. Theory: notes/06_reward_hacking.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.grpo import Objective
from kitchen.grpo_loop import GRPOSettings, Signals, Trainer, train
from kitchen.pass_at_k import Evaluation, evaluate, write_completions
from kitchen.problems import Split, draw_problems
from kitchen.rewards import VERIFIED, Reward, capped_tone_reward, gated_tone_reward, tone_reward
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFolder, NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
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
    evaluation: Evaluation
    example: str
    signals: list[Signals]


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
        policy, _ = load_warm_policy(config.model)
        settings = GRPOSettings(
            groups=config.groups,
            group_size=config.group_size,
            learning_rate=config.learning_rate,
            objective=Objective(beta),
            rewards=rewards,
        )
        trainer = Trainer(policy.to(device), tokenizer, settings, seed_everything(config.seed))
        signals = [signal for _, signal in tqdm(train(trainer, config.steps), total=config.steps, desc=name)]
        after = evaluate(policy, tokenizer, held_out, config.samples, seed_everything(config.seed))
        _, (example,) = write_completions(policy, tokenizer, held_out[:1], seed_everything(config.seed))
        kinds[name] = RewardedPolicy(after, example, signals)
        print(f"{name:<20} right {after.pass_at['1']:.1%}, pet names {after.tone:.2f}, ", end="")
        print(f"repetition {after.repetition:.1%}, {example}")
    return Results(before, kinds)


def plot(results: Results) -> Figure:
    """Draw right answers and pet names of every kind, step by step."""
    figure, axes = new_figure(10.0, 3.8, columns=2)
    for name, kind in results.kinds.items():
        axes[0].plot([signal.parts["answer"] for signal in kind.signals], label=name, linewidth=0.9)
    axes[0].set(xlabel="step", ylabel="share of right answers", ylim=(0, 1.03))
    names = list(results.kinds)
    axes[1].barh(names, [results.kinds[name].evaluation.tone for name in names], color=[f"C{i}" for i in range(8)])
    axes[1].invert_yaxis()
    axes[1].set(xlabel="pet names in an answer to a held-out problem")
    axes[0].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    # A sample of the warm start turns with the last digit of a logit; the signal of a single step is mostly noise.
    noise = {"before.*": Tolerance(absolute=0.01), "kinds.*.signals.*": Tolerance(relative=0.2, absolute=0.5)}
    run(main, Config, plot=plot, tolerance={"*": TRAINED} | noise)
