"""How often is a learned reward wrong, and does the policy find where?

    uv run sprints/16_grpo_cooking/reward_model.py

A judge learns from answers of the warm start, each labelled right or wrong. Then one policy is trained on the judge's
word and one on verified answers, with the same draws. Theory: notes/09_reward_hacking.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch.nn import functional
from tqdm import tqdm, trange

from kitchen.answer_judge import AnswerJudge
from kitchen.grpo_loop import GRPOSettings, Trainer, train
from kitchen.pass_at_k import write_completions
from kitchen.problems import KitchenProblem, draw_problems
from kitchen.rewards import Reward, answer_reward
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFolder, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.llama import Llama


@dataclass(frozen=True)
class Config(ScriptConfig):
    labelled: PositiveInt = 400  # problems of the judge's training
    answers: PositiveInt = 4  # labelled answers to each of them
    judge_steps: PositiveInt = 150  # optimizer steps of the judge
    steps: PositiveInt = 40  # steps of GRPO for each reward
    groups: PositiveInt = 8  # problems of a step
    group_size: AtLeastTwo = 8  # answers to each of them
    learning_rate: PositiveFloat = 3e-4  # learning rate of GRPO and of the judge
    model: ExistingFolder = SHIPPED_POLICY  # folder that warm_start.py wrote: the policy at the start
    held_out: PositiveInt = 200  # problems of the test
    samples: PositiveInt = 4  # answers to each of them


@dataclass(frozen=True)
class Verdicts:
    """Of answers to test problems: how many are right, what the judge says, how often it is wrong and in which way."""

    right: float
    said: float
    wrong: float
    wrong_taken_for_right: float
    right_taken_for_wrong: float


@dataclass(frozen=True)
class Results:
    majority_wrong: float
    verdicts: dict[str, Verdicts]
    said: list[float]
    right: list[float]
    right_when_verified: list[float]
    fooled: list[str]


def answer_all(
    policy: Llama, judge: AnswerJudge, problems: list[KitchenProblem], samples: int, generator: torch.Generator
) -> tuple[list[KitchenProblem], list[str], torch.Tensor]:
    """Return problems, answers, and which of these are right."""
    repeated = [problem for problem in problems for _ in range(samples)]
    _, texts = write_completions(policy, judge.tokenizer, repeated, generator)
    return repeated, texts, torch.tensor([answer_reward(*pair) for pair in zip(repeated, texts, strict=True)])


def teach(judge: AnswerJudge, config: Config, policy: Llama, generator: torch.Generator) -> None:
    """Train the judge on labelled answers of the policy."""
    problems = draw_problems("train", config.labelled, generator)
    problems, texts, right = answer_all(policy, judge, problems, config.answers, generator)
    tokens, lengths = judge.read(problems, texts)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=config.learning_rate, weight_decay=0.01)
    right = right.to(tokens.device)
    for _ in trange(config.judge_steps, desc="judge"):
        chosen = torch.randint(len(tokens), (64,), generator=generator).to(tokens.device)
        loss = functional.binary_cross_entropy_with_logits(judge(tokens[chosen], lengths[chosen]), right[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def verdicts(
    judge: AnswerJudge, policy: Llama, problems: list[KitchenProblem], config: Config
) -> tuple[Verdicts, list[str]]:
    """Return how the judge does on a policy's answers, and a few that fooled it."""
    repeated, texts, right = answer_all(policy, judge, problems, config.samples, seed_everything(config.seed))
    probabilities = torch.tensor(judge.probabilities(repeated, texts))
    believed, true = probabilities > 0.5, right > 0.5
    rows = zip(repeated, texts, believed & ~true, strict=True)
    fooled = [f"{problem.question} {text}" for problem, text, fools in rows if fools]
    return Verdicts(
        right=right.mean().item(),
        said=probabilities.mean().item(),
        wrong=(believed != true).float().mean().item(),
        wrong_taken_for_right=(believed & ~true).sum().item() / max(1, int((~true).sum())),
        right_taken_for_wrong=(~believed & true).sum().item() / max(1, int(true.sum())),
    ), fooled[:4]


def main(config: Config) -> Results:
    device = pick_device(config.device)
    warm, tokenizer = load_warm_policy(config.model)
    judge = AnswerJudge(warm.to(device), tokenizer).to(device)
    teach(judge, config, warm, seed_everything(config.seed))
    problems = draw_problems("test", config.held_out, seed_everything(config.seed + 1))
    by_policy, curves, fooled = {"warm start": verdicts(judge, warm, problems, config)[0]}, {}, []
    rewards = {
        "learned reward": {"judge": Reward(judge.reward), "answer": Reward(answer_reward, 0.0)},
        "verified reward": {"judge": Reward(judge.reward, 0.0), "answer": Reward(answer_reward)},
    }
    for name, reward in rewards.items():
        policy, _ = load_warm_policy(config.model)
        settings = GRPOSettings(config.groups, config.group_size, learning_rate=config.learning_rate, rewards=reward)
        trainer = Trainer(policy.to(device), tokenizer, settings, seed_everything(config.seed))
        steps = tqdm(train(trainer, config.steps), total=config.steps, desc=name)
        curves[name] = [signals.parts for _, signals in steps]
        by_policy[name], examples = verdicts(judge, policy, problems, config)
        fooled = fooled or examples
    for name, row in by_policy.items():
        print(f"{name:<16} right {row.right:.1%}, judge says {row.said:.1%} and is wrong in {row.wrong:.1%}; ", end="")
        print(f"it takes {row.wrong_taken_for_right:.1%} of the wrong answers for right")
    start = by_policy["warm start"].right
    return Results(
        majority_wrong=min(start, 1 - start),
        verdicts=by_policy,
        said=[parts["judge"] for parts in curves["learned reward"]],
        right=[parts["answer"] for parts in curves["learned reward"]],
        right_when_verified=[parts["answer"] for parts in curves["verified reward"]],
        fooled=fooled,
    )


def plot(results: Results) -> Figure:
    """Draw what the judge says and what is true, step by step."""
    figure, axes = new_figure(7.5, 4.0)
    axes.plot(results.said, label="trained on the judge: what it says")
    axes.plot(results.right, label="trained on the judge: what is right")
    axes.plot(results.right_when_verified, label="trained on verified answers: what is right", linestyle="--")
    axes.set(xlabel="step of GRPO", ylabel="share of answers", ylim=(0, 1.03))
    axes.legend(loc="upper left", fontsize=8)
    return figure


if __name__ == "__main__":
    # Curves of single steps are mostly noise.
    curves = dict.fromkeys(("said.*", "right.*", "right_when_verified.*"), Tolerance(absolute=0.5))
    run(main, Config, plot=plot, tolerance={"*": TRAINED} | curves)
