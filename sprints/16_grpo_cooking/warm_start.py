"""What does a model know that has read solutions, some of them wrong?

    uv run sprints/16_grpo_cooking/warm_start.py

It writes a folder `model`, which the other scripts take as --model; recorded, it writes data/models/kitchen-llama, with
which they start by default. Two in five solutions hold a mistake, so a perfect imitator is right three times in five
and there is something left to learn. Theory: notes/01_policy_gradients.md
"""

import random
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.pass_at_k import Evaluation, evaluate
from kitchen.problems import LEVELS, Level, Split, draw_problems
from kitchen.tokenizer import kitchen_tokenizer
from kitchen.warm_policy import SHIPPED_POLICY
from kitchen.written_solutions import solution_batches
from shared.lab.compare import EXACT, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.files import replacing_folder
from shared.lab.ranges import Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run, run_folder
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.llama import Llama, LlamaConfig
from shared.nn.model_folders import seal
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear


@dataclass(frozen=True)
class Config(ScriptConfig):
    levels: tuple[Level, ...] = LEVELS  # levels of the problems
    problems: PositiveInt = 8_000  # problems of training
    wrong: Fraction = 0.4  # share of the solutions with a mistake
    pet_names: Fraction = 0.2  # share of the solutions that address the reader
    layers: PositiveInt = 3  # blocks
    d_model: PositiveInt = 96  # features of a token
    steps: PositiveInt = 450  # optimizer steps
    batch_size: PositiveInt = 64  # solutions of a batch
    learning_rate: PositiveFloat = 3e-3  # peak learning rate of AdamW: embeddings and norms
    muon_learning_rate: PositiveFloat = 0.02  # peak learning rate of Muon: the matrices of the blocks
    held_out: PositiveInt = 400  # problems of the evaluation
    samples: PositiveInt = 8  # completions of each of them
    split: Split = "test"  # what is evaluated on

    def check(self) -> None:
        LlamaConfig(1, layers=self.layers, d_model=self.d_model)


@dataclass(frozen=True)
class Results:
    parameters: int
    vocabulary: int
    losses: list[float]
    imitator: float
    evaluation: Evaluation


def main(config: Config) -> Results:
    device = pick_device(config.device)
    generator = seed_everything(config.seed)
    tokenizer = kitchen_tokenizer()
    size = LlamaConfig(len(tokenizer), layers=config.layers, d_model=config.d_model)
    model = Llama(size, generator).to(device)
    problems = draw_problems("train", config.problems, generator, config.levels)
    source = random.Random(config.seed)
    kind = {"wrong": config.wrong, "pet_names": config.pet_names}
    steps = train_steps(
        model,
        solution_batches(problems, tokenizer, config.batch_size, source, **kind),
        loss_function=language_model_loss,
        optimizers=make_optimizers(
            model, learning_rate=config.learning_rate, muon_learning_rate=config.muon_learning_rate
        ),
        steps=config.steps,
        schedule=partial(warmup_linear, steps=config.steps, warmup=config.steps // 20 + 1),
        precision="bfloat16" if device.type == "cpu" else "float32",
    )
    losses = []
    for step, loss in tqdm(steps, total=config.steps, desc="warm start"):
        losses.append(loss)
        if step % 50 == 0:
            tqdm.write(f"step {step:5d}  loss {loss:.3f}")
    # Before the evaluation: what took the time first.
    with replacing_folder(
        SHIPPED_POLICY if config.record is not None else run_folder(config, __file__) / "model"
    ) as folder:
        model.to_transformers(tokenizer.eos_token_id, tokenizer.pad_token_id).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        seal(folder)
    held_out = draw_problems(config.split, config.held_out, seed_everything(config.seed + 1), config.levels)
    after = evaluate(model.eval(), tokenizer, held_out, config.samples, generator)
    print(
        f"{model.parameter_count():,} parameters; pass@k {after.pass_at}, greedy {after.greedy:.1%}, {after.by_level}"
    )
    return Results(model.parameter_count(), len(tokenizer), losses, 1 - config.wrong, after)


def plot(results: Results) -> Figure:
    """Draw the loss, and pass@k."""
    figure, axes = new_figure(9.0, 3.6, columns=2)
    axes[0].plot(results.losses, linewidth=0.7)
    axes[0].set(xlabel="step", ylabel="loss, nats per token of the solution", ylim=(0, 1.5))
    passed = results.evaluation.pass_at
    axes[1].plot(list(passed), list(passed.values()), marker="o", label="warm start")
    axes[1].axhline(results.imitator, color="C1", linestyle="--", label="pass@1 of a perfect imitator")
    axes[1].set(xlabel="k", ylabel="pass@k on held-out problems", ylim=(0, 1.03))
    axes[1].legend(loc="lower right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED, "parameters": EXACT, "vocabulary": EXACT, "imitator": EXACT})
