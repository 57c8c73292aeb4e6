"""Does TRL's trainer find the same, and what does it take to use it on a model of the hub?

    uv run sprints/16_grpo_cooking/train_trl.py
    uv run sprints/16_grpo_cooking/train_trl.py --preset lora
    uv run sprints/16_grpo_cooking/train_trl.py --model meta-llama/Llama-3.2-1B-Instruct --lora \
        --groups 8 --per-device 8 --max-new-tokens 160 --learning-rate 1e-5 --precision bfloat16

The last one wants a GPU and the hub's permission; the first two train the tiny Llama. Theory: notes/10_a_real_llama.md
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from matplotlib.figure import Figure
from tqdm import trange

from kitchen.grpo import Objective
from kitchen.grpo_loop import GRPOSettings
from kitchen.problems import draw_problems
from kitchen.rewards import answer_reward
from kitchen.tokenizer import TEMPLATE
from kitchen.trl_grpo import load_policy, prompts_of, trl_trainer
from kitchen.warm_policy import SHIPPED_POLICY
from shared.lab.compare import EXACT, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run, run_folder
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.pretrained import context_length

PRESETS = {"lora": {"lora": True, "learning_rate": 5e-3}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = str(SHIPPED_POLICY)  # a folder, or a model of the hub
    lora: bool = False  # train adapters instead of the weights
    lora_rank: PositiveInt = 8  # their rank
    steps: PositiveInt = 20  # steps of GRPO
    groups: PositiveInt = 24  # problems of a step
    group_size: AtLeastTwo = 8  # answers to each of them
    per_device: PositiveInt | None = None  # answers that are learnt from at once (default: all)
    learning_rate: PositiveFloat = 3e-4  # learning rate
    beta: NonNegativeFloat = 0.01  # weight of the KL divergence from the start
    max_new_tokens: PositiveInt = 36  # tokens of an answer at most
    precision: Literal["float32", "bfloat16"] = "float32"  # precision
    held_out: PositiveInt = 100  # problems of the evaluation, of the validation split
    samples: PositiveInt = 4  # completions of each of them

    def check(self) -> None:
        if self.groups * self.group_size % (self.per_device or 1):
            raise ValueError(
                f"--per-device must divide the {self.groups * self.group_size} answers of a step; got {self.per_device}"
            )


@dataclass(frozen=True)
class Results:
    before: float
    after: float
    trained_parameters: int
    parameters: int
    log: list[dict[str, float]]


@torch.no_grad()
def accuracy(config: Config, model: Any, tokenizer: Any, device: torch.device, instruct: bool) -> float:
    """Return the share of sampled answers that are right."""
    problems = draw_problems("validation", config.held_out, seed_everything(config.seed + 1))
    prompts = prompts_of(problems, instruct)["prompt"]
    right = []
    for start in trange(0, len(problems), 100, desc="evaluation"):
        inputs = tokenizer.apply_chat_template(
            prompts[start : start + 100],
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
            padding=True,
        ).to(device)
        written = model.generate(
            **inputs,
            do_sample=True,
            top_k=0,
            max_new_tokens=config.max_new_tokens,
            num_return_sequences=config.samples,
        )
        texts = tokenizer.batch_decode(written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        repeated = [problem for problem in problems[start : start + 100] for _ in range(config.samples)]
        right += [answer_reward(*pair) for pair in zip(repeated, texts, strict=True)]
    return sum(right) / len(right)


def main(config: Config) -> Results:
    device = pick_device(config.device)
    seed_everything(config.seed)
    model, tokenizer = load_policy(config.model)
    # Our model has read the form; any other, of the hub or in a folder, is told.
    instruct = tokenizer.chat_template != TEMPLATE
    settings = GRPOSettings(
        groups=config.groups,
        group_size=config.group_size,
        learning_rate=config.learning_rate,
        objective=Objective(beta=config.beta, longest=config.max_new_tokens),
        max_new_tokens=config.max_new_tokens,
        precision=config.precision,
    )
    if config.max_new_tokens >= (context := context_length(model)):
        raise ValueError(
            f"an answer must fit into the model's context of {context}; got {config.max_new_tokens} tokens"
        )
    before = accuracy(config, model.to(device), tokenizer, device, instruct)
    trainer = trl_trainer(
        model,
        tokenizer,
        draw_problems("train", config.steps * config.groups, seed_everything(config.seed)),
        settings,
        run_folder(config, __file__) / "trl",
        steps=config.steps,
        seed=config.seed,
        instruct=instruct,
        lora_rank=config.lora_rank if config.lora else None,
        per_device=config.per_device,
        on_cpu=device.type == "cpu",
    )
    policy: Any = trainer.model  # with adapters, a wrapped one
    trained = sum(parameter.numel() for parameter in policy.parameters() if parameter.requires_grad)
    total = sum(parameter.numel() for parameter in policy.parameters())
    trainer.train()
    after = accuracy(config, policy.eval(), tokenizer, device, instruct)
    print(f"{trained:,} of {total:,} parameters trained; right answers {before:.1%} before, {after:.1%} after")
    kept = ("reward", "reward_std", "kl", "entropy", "frac_reward_zero_std", "completions/mean_length")
    log = [{name: entry[name] for name in kept if name in entry} for entry in trainer.state.log_history]
    return Results(before, after, trained, total, [entry for entry in log if "reward" in entry])


def plot(results: Results) -> Figure:
    """Draw the reward."""
    figure, axes = new_figure(7.0, 3.6)
    axes.plot([entry["reward"] for entry in results.log])
    axes.set(xlabel="step of TRL's trainer", ylabel="mean reward (most: 1.3)")
    return figure


if __name__ == "__main__":
    # A sample of the start turns with the last digit of a logit; a single step's log is mostly noise.
    noise = {"before": Tolerance(absolute=0.02), "log.*": Tolerance(relative=0.2, absolute=0.5)}
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED, "*parameters": EXACT} | noise)
