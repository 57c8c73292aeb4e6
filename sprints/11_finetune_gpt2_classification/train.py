"""How close does a fine-tuned GPT-2 come to the best possible classifier?

    uv run sprints/11_finetune_gpt2_classification/train.py                       # spoiled recipes
    uv run sprints/11_finetune_gpt2_classification/train.py --preset last         # supervised as the library has it
    uv run sprints/11_finetune_gpt2_classification/train.py --preset seeds        # five seeds: what the table shows
    uv run sprints/11_finetune_gpt2_classification/train.py --preset liar         # five seeds
    uv run sprints/11_finetune_gpt2_classification/train.py --preset smollm2      # LoRA; also smollm2_full

The loop is `classifier_training.py::fine_tune`: train, validate now and then, keep the best. The test split is scored
once for each seed, at the end. The model of the first seed is saved for predict.py. Theory: notes/01_fine_tuning.md
and, on real models, notes/08_what_pretraining_buys.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.text.cookbook import STREAMS
from text_classification.classification_figures import class_shares, draw_confusions, draw_course, draw_reliability
from text_classification.classification_scores import Optimum, Scores, optimum_on, right_by_evidence, score, spread
from text_classification.classifier_training import Progress, fine_tune
from text_classification.data_sets import load_splits
from text_classification.gpt_classifier import context_of, load_classifier, merge_adapters, save_classifier
from text_classification.labelled_texts import LabelledSplits, check_classes
from text_classification.learning_rates import choose_rates
from text_classification.news_articles import NEWS
from text_classification.spoiled_recipes import DISHES, RECIPE_CLASSES, SPOILED, Dish
from text_classification.text_batches import check_groups, make_loader
from text_classification.text_features import predict

REAL = {"data": "liar", "model": "smollm2", "seeds": 3, "longest": 128}
PRESETS = {
    "last": {"supervise": "last"},
    "seeds": {"seeds": 5},
    "liar": {"data": "liar", "learning_rate": 1e-3, "muon_learning_rate": 0.01, "seeds": 5},
    "smollm2": REAL | {"init": "lora"},
    "smollm2_full": REAL,
}
LEARNT = ("*_losses.*", "validation_accuracies.*", "accuracies.*", "losses.*", "calibration_errors.*", "mean")
# How one seed confuses the classes varies more than how often, and a bin of confidence may be empty or not.
TOLERANCE = dict.fromkeys((*LEARNT, "deviation", "below_optimum", "right.*", "differences_*", "test.*"), TRAINED) | {
    "test.confusion.*": Tolerance(relative=0.1, absolute=30.0),
    **dict.fromkeys(("test.precision.*", "test.recall.*", "test.f1.*"), Tolerance(absolute=0.1)),
    "test.reliability.*": Tolerance(compared=False),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["recipes", "liar", "fake-news"] = "recipes"  # what to classify
    model: str = "cookbook"  # cookbook (the shipped model), smollm2, a name of the hub such as gpt2, or a folder
    # where training starts; frozen trains the head alone, lora the head and adapters
    init: Literal["pretrained", "lora", "frozen", "scratch"] = "pretrained"
    rank: PositiveInt = 8  # of the adapters
    seeds: PositiveInt = 1  # runs, with seeds from --seed on
    train_texts: AtLeastTwo = 8000  # recipes to train on
    validation_texts: AtLeastTwo = 500  # recipes to validate on
    test_texts: AtLeastTwo = 2000  # recipes to test on
    dishes: Annotated[tuple[Dish, ...], Different] = DISHES  # kinds of dish that the recipes are of
    pairs: bool = True  # train on recipes before and after they were spoiled, both in one batch
    source: str = NEWS  # the news: a name of the hub, or a folder of .csv or .parquet files
    limit: AtLeastTwo | None = None  # most texts of a split of LIAR or the news (default: all)
    longest: PositiveInt | None = None  # tokens of a text that are read (default: as many as the model can)
    epochs: PositiveInt = 1  # passes over the training texts
    batch_size: PositiveInt = 16  # texts of a batch
    learning_rate: PositiveFloat | None = None  # peak of AdamW's rate (default: by the model's size and --init)
    # peak of Muon's rate for the matrices in the blocks; 0: AdamW alone (default: by the model's size and --init)
    muon_learning_rate: NonNegativeFloat | None = None
    evaluations: PositiveInt = 5  # how often to validate
    supervise: Literal["last", "every"] = "every"  # which tokens have to name the class
    precision: Literal["auto", "bfloat16", "float32"] = "auto"  # of matrix products

    def check(self) -> None:
        if self.data == "recipes" and self.pairs:
            check_groups(self.train_texts, self.batch_size, together=2)  # a recipe before and after


@dataclass(frozen=True)
class Results:
    classes: list[str]
    sizes: dict[str, int]
    steps: list[int]
    train_losses: list[float]
    validation_losses: list[float]
    validation_accuracies: list[float]
    test: Scores
    accuracies: list[float]
    losses: list[float]
    calibration_errors: list[float]
    mean: float
    deviation: float
    optimum: Optimum | None
    below_optimum: float | None
    right: dict[str, float] | None
    differences_from_posterior: list[float] | None


class TrainedSeed(NamedTuple):
    """What one seed has to show."""

    splits: LabelledSplits
    history: list[Progress]
    log_probabilities: Tensor  # of the test texts, (texts, classes)


def train(config: Config, seed: int) -> TrainedSeed:
    """Train with one seed; validate on the way, and look at the test split once, at the end."""
    generator = seed_everything(seed)
    splits = load_splits(
        config.data, seed=seed, train=config.train_texts, validation=config.validation_texts, test=config.test_texts,
        dishes=config.dishes, pairs=config.pairs, source=config.source, limit=config.limit,
    )  # fmt: skip
    check_classes(splits)
    model, tokenizer = load_classifier(config.model, splits.classes, config.init, config.rank)
    rates = choose_rates(model, config.init, config.learning_rate, config.muon_learning_rate)
    model.to(pick_device(config.device))
    context = context_of(model, config.longest)
    together = 2 if config.pairs and config.data == "recipes" else 1
    training = make_loader(splits.train, tokenizer, context, config.batch_size, generator, together)
    validation, test = (make_loader(part, tokenizer, context, config.batch_size) for part in splits[2:])
    history = []
    for progress in fine_tune(
        model,
        training,
        validation,
        epochs=config.epochs,
        **rates._asdict(),
        evaluations=config.evaluations,
        supervise=config.supervise,
        precision=config.precision,
    ):
        history.append(progress)
        print(
            f"seed {seed}  step {progress.step:4d}  loss {progress.train_loss:.3f}  validation "
            f"{progress.validation_loss:.3f}, {progress.validation_accuracy:.1%}{'  best' if progress.is_best else ''}"
        )
    merge_adapters(model)
    if seed == config.seed:
        save_classifier(model, tokenizer, run_folder(config, __file__) / "classifier")
    return TrainedSeed(splits, history, predict(model, test, config.precision)[0])


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    trained = [train(config, seed) for seed in range(config.seed, config.seed + config.seeds)]
    splits, history, _ = trained[0]
    labels = torch.tensor(splits.test.labels)
    scores = [score(log_probabilities, labels) for _, _, log_probabilities in trained]
    mean, deviation = spread([seed_scores.accuracy for seed_scores in scores])
    print(f"test accuracy {mean:.1%} +- {deviation:.1%} over {len(scores)} seeds")
    optimum, right, differences = None, None, None
    if splits.classes == RECIPE_CLASSES:
        optimum, posterior = optimum_on(splits.test)
        shares = [right_by_evidence(seed.log_probabilities, posterior, labels) for seed in trained]
        right = {kind: spread([share[kind] for share in shares])[0] for kind in shares[0]}
        differences = [(seed.log_probabilities.exp() - posterior).abs()[:, SPOILED].mean().item() for seed in trained]
        print(f"optimum       {optimum.accuracy:.1%}, expected {optimum.expected_accuracy:.1%}")
    return Results(
        classes=list(splits.classes),
        sizes={name: len(part) for name, part in zip(STREAMS, splits[1:], strict=True)},
        steps=[progress.step for progress in history],
        train_losses=[progress.train_loss for progress in history],
        validation_losses=[progress.validation_loss for progress in history],
        validation_accuracies=[progress.validation_accuracy for progress in history],
        test=scores[0],
        accuracies=[seed_scores.accuracy for seed_scores in scores],
        losses=[seed_scores.loss for seed_scores in scores],
        calibration_errors=[seed_scores.calibration_error for seed_scores in scores],
        mean=mean,
        deviation=deviation,
        optimum=optimum,
        below_optimum=optimum.accuracy - mean if optimum else None,
        right=right,
        differences_from_posterior=differences,
    )


def plot(results: Results) -> Figure:
    """Draw the course of the first seed, its confusions, and its reliability."""
    figure, (course, confusions, reliability) = new_figure(12, 3.8, columns=3)
    curves = {"training": results.train_losses, "validation": results.validation_losses}
    level = (results.optimum.loss, "optimum (test)") if results.optimum else None
    draw_course(course, results.steps, curves, level or class_shares(results.test.confusion))
    draw_confusions(confusions, results.test.confusion, results.classes)
    draw_reliability(reliability, results.test.reliability)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
