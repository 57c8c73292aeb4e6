"""GRPO by the library TRL: our problems as its data set, our rewards as its reward functions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitchen.grpo_loop import GRPOSettings
from kitchen.problems import KitchenProblem
from kitchen.rewards import VERIFIED, Reward
from shared.lab.provenance import note_read
from shared.nn.pretrained import load_causal_model

if TYPE_CHECKING:  # they take seconds to import
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import GRPOTrainer

INSTRUCTION = (
    "You are a cook who calculates. Write your calculation, for example 300/4=75;75*6=450, and the answer, exactly "
    "as <think>300/4=75;75*6=450</think><answer>450 g</answer> and nothing else."
)


def load_policy(name: str) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Return a causal model and its tokenizer, of a folder or of the hub.

    Raises:
        ValueError: it cannot be loaded, or its tokenizer has no chat template or no token to pad with.
    """
    model, tokenizer = load_causal_model(name)
    if tokenizer.chat_template is None:
        raise ValueError(f"{name} has no chat template: prompts are messages, so name an instruct model, or set one")
    tokenizer.padding_side = "left"
    if Path(name).is_dir():
        note_read(Path(name))
    return model, tokenizer


def prompts_of(problems: list[KitchenProblem], instruct: bool) -> "Dataset":
    """Return a data set of prompts; a model that never saw a solution is told the form."""
    from datasets import Dataset

    system = [{"role": "system", "content": INSTRUCTION}] if instruct else []
    return Dataset.from_list(
        [
            {
                "prompt": [*system, {"role": "user", "content": problem.question}],
                "question": problem.question,
                "thought": problem.thought,
                "answer": problem.answer,
                "level": problem.level,
            }
            for problem in problems
        ]
    )


def as_trl(name: str, reward: Reward) -> Any:
    """Return a reward as TRL calls it: with lists, a list for each column, and completions that are messages."""

    def scores(
        completions: Sequence[list[dict[str, str]]],
        question: Sequence[str],
        thought: Sequence[str],
        answer: Sequence[str],
        level: Sequence[str],
        **_: Any,
    ) -> list[float]:
        problems = [KitchenProblem(*row) for row in zip(question, thought, answer, level, strict=True)]
        texts = [completion[0]["content"] for completion in completions]
        return [reward.function(*pair) for pair in zip(problems, texts, strict=True)]

    scores.__name__ = name
    return scores


def trl_trainer(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    problems: list[KitchenProblem],
    settings: GRPOSettings,
    folder: Path,
    *,
    steps: int,
    seed: int,
    instruct: bool = False,
    lora_rank: int | None = None,
    per_device: int | None = None,
    on_cpu: bool = True,
) -> "GRPOTrainer":
    """Return a trainer of TRL that does what `grpo_loop.Trainer` does with the same settings.

    Args:
        model, tokenizer: the policy.
        problems: what prompts are drawn from.
        settings: of the loop from scratch.
        folder: where TRL may write.
        steps: optimizer steps.
        seed: of its draws.
        instruct: tell the form in a system message.
        lora_rank: train adapters of that rank on all linear layers instead of the weights.
        per_device: samples that are learnt from at once (default: all); gradients of the rest are added up.
        on_cpu: leave a GPU alone.
    """
    from peft import LoraConfig
    from trl import GRPOConfig, GRPOTrainer

    objective, samples = settings.objective, settings.groups * settings.group_size
    per_device = per_device or samples
    arguments = GRPOConfig(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=per_device,
        gradient_accumulation_steps=samples // per_device,
        num_generations=settings.group_size,
        num_iterations=settings.updates,
        max_completion_length=settings.max_new_tokens,
        temperature=1.0,
        beta=objective.beta,
        epsilon=objective.clip_low,
        epsilon_high=objective.clip_high,
        loss_type=objective.average,
        scale_rewards="group" if objective.scale else "none",
        reward_weights=[reward.weight for reward in VERIFIED.values()],
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant",
        adam_beta2=0.95,
        weight_decay=0.0,
        max_grad_norm=1.0,
        bf16=settings.precision == "bfloat16",
        gradient_checkpointing=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=False,
        use_cpu=on_cpu,
        seed=seed,
    )
    return GRPOTrainer(
        model=model,
        reward_funcs=[as_trl(name, reward) for name, reward in VERIFIED.items()],
        args=arguments,
        train_dataset=prompts_of(problems, instruct),
        processing_class=tokenizer,
        peft_config=LoraConfig(r=lora_rank, lora_alpha=2 * lora_rank, target_modules="all-linear")
        if lora_rank
        else None,
    )
