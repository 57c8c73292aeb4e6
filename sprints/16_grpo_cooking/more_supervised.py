"""What would the budget of GRPO bring in more supervised steps?

    uv run sprints/16_grpo_cooking/more_supervised.py

The warm start goes on with as many solutions as train_grpo.py learns answers from, once with the mistakes that its data
has and once with none: the latter needs right solutions, which GRPO does not. Theory: notes/05_better_or_surer.md
"""

import random
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure
from tqdm import tqdm

from kitchen.pass_at_k import Evaluation, evaluate
from kitchen.problems import KitchenProblem, Split, draw_problems
from kitchen.warm_policy import SHIPPED_POLICY, load_warm_policy
from kitchen.written_solutions import solution_batches
from shared.checks.intervals import mean_interval
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFolder, Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear


@dataclass(frozen=True)
class Config(ScriptConfig):
    runs: PositiveInt = 1  # runs of each kind, with seeds from --seed on
    solutions: PositiveInt = 28_800  # solutions to learn from: the answers of 150 steps of GRPO
    batch_size: PositiveInt = 64  # solutions of a batch
    wrong: Fraction = 0.4  # share of the solutions with a mistake, in the first kind
    pet_names: Fraction = 0.2  # share of the solutions that address the reader
    learning_rate: PositiveFloat = 3e-3  # peak learning rate of AdamW
    muon_learning_rate: PositiveFloat = 0.02  # peak learning rate of Muon
    model: ExistingFolder = SHIPPED_POLICY  # folder that warm_start.py wrote: the model at the start
    problems: PositiveInt = 8_000  # problems of training
    held_out: PositiveInt = 400  # problems of the evaluation
    samples: PositiveInt = 8  # completions of each of them
    split: Split = "test"  # what is evaluated on

    def check(self) -> None:
        if self.solutions < self.batch_size:
            raise ValueError(
                f"there must be solutions for a batch at least; got --solutions {self.solutions} and --batch-size "
                f"{self.batch_size}"
            )


@dataclass(frozen=True)
class Imitators:
    evaluations: list[Evaluation]
    gain: float
    gain_interval: float | None


@dataclass(frozen=True)
class Results:
    before: Evaluation
    kinds: dict[str, Imitators]


def imitate(config: Config, wrong: float, seed: int, held_out: list[KitchenProblem], name: str) -> Evaluation:
    """Return how good the warm start is after more solutions, a share of them wrong."""
    device = pick_device(config.device)
    generator = seed_everything(seed)
    model, tokenizer = load_warm_policy(config.model)
    problems = draw_problems("train", config.problems, generator)
    steps = config.solutions // config.batch_size
    source = random.Random(seed)
    losses = train_steps(
        model.to(device),
        solution_batches(problems, tokenizer, config.batch_size, source, wrong=wrong, pet_names=config.pet_names),
        loss_function=language_model_loss,
        optimizers=make_optimizers(
            model, learning_rate=config.learning_rate, muon_learning_rate=config.muon_learning_rate
        ),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=steps // 20 + 1),
        precision="auto" if device.type == "cpu" else "float32",
    )
    for _, _ in tqdm(losses, total=steps, desc=f"{name}, seed {seed}"):
        pass
    return evaluate(model.eval(), tokenizer, held_out, config.samples, seed_everything(seed))


def main(config: Config) -> Results:
    held_out = draw_problems(config.split, config.held_out, seed_everything(config.seed + 1))
    warm, tokenizer = load_warm_policy(config.model)
    before = evaluate(warm, tokenizer, held_out, config.samples, seed_everything(config.seed))
    kinds = {}
    for name, wrong in {"the same solutions": config.wrong, "right solutions": 0.0}.items():
        seeds = range(config.seed, config.seed + config.runs)
        after = [imitate(config, wrong, seed, held_out, name) for seed in seeds]
        gain, half = mean_interval([evaluation.pass_at["1"] - before.pass_at["1"] for evaluation in after])
        kinds[name] = Imitators(after, gain, half)
        print(f"{name}: pass@1 {before.pass_at['1']:.1%} {gain:+.1%}, greedy {after[0].greedy:.1%}")
    return Results(before, kinds)


def plot(results: Results) -> Figure:
    """Draw pass@k of each kind."""
    figure, axes = new_figure(7.0, 4.0)
    kinds = {"warm start": [results.before]} | {name: kind.evaluations for name, kind in results.kinds.items()}
    for index, (name, evaluations) in enumerate(kinds.items()):
        for number, evaluation in enumerate(evaluations):
            passed = evaluation.pass_at
            label = name if number == 0 else None
            axes.plot(list(passed), list(passed.values()), marker="o", color=f"C{index}", label=label)
    axes.set(xlabel="k", ylabel="pass@k on held-out problems", ylim=(0, 1.03))
    axes.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    # A sample of the warm start turns with the last digit of a logit.
    run(main, Config, plot=plot, tolerance={"*": TRAINED, "before.*": Tolerance(absolute=0.01)})
