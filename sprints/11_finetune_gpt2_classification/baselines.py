"""What is fine-tuning worth? The same split for a constant, words, the pre-trained model, and untrained weights.

    uv run sprints/11_finetune_gpt2_classification/baselines.py
    uv run sprints/11_finetune_gpt2_classification/baselines.py --preset liar
    uv run sprints/11_finetune_gpt2_classification/baselines.py --preset smollm2    # features of a real model

Every model has the same training texts. What it leaves open (the strength of a penalty) is chosen on the validation
split; each is tested once. Theory: notes/04_baselines.md
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import torch
from matplotlib.figure import Figure
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.pretrained import load_causal_model
from text_classification.bag_of_words import bag_of_words, choose_penalty
from text_classification.classification_scores import Optimum, log_loss, optimum_on
from text_classification.classifier_training import fine_tune
from text_classification.data_sets import load_splits
from text_classification.gpt_classifier import context_of, load_classifier
from text_classification.labelled_texts import LabelledSplits, check_classes
from text_classification.learning_rates import choose_rates
from text_classification.news_articles import NEWS
from text_classification.spoiled_recipes import DISHES, RECIPE_CLASSES, Dish
from text_classification.text_batches import check_groups, make_loader
from text_classification.text_features import Read, head_input, predict, read_all, surprise

PRESETS = {
    "liar": {"data": "liar", "learning_rate": 1e-3, "muon_learning_rate": 0.01},
    "smollm2": {"data": "liar", "model": "smollm2", "longest": 128, "scratch": False},
}
# A logistic regression ends where its optimizer stops, and features are computed in what precision there is.
TOLERANCE = {"accuracies.*": Tolerance(absolute=0.01), "losses.*": Tolerance(absolute=0.01), "*.from scratch": TRAINED}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["recipes", "liar", "fake-news"] = "recipes"  # what to classify
    model: str = "cookbook"  # cookbook (the shipped model), smollm2, a name of the hub such as gpt2, or a folder
    train_texts: AtLeastTwo = 8000  # recipes to train on
    validation_texts: AtLeastTwo = 500  # recipes to validate on
    test_texts: AtLeastTwo = 2000  # recipes to test on
    dishes: Annotated[tuple[Dish, ...], Different] = DISHES  # kinds of dish that the recipes are of
    source: str = NEWS  # the news: a name of the hub, or a folder of .csv or .parquet files
    limit: AtLeastTwo | None = None  # most texts of a split of LIAR or the news (default: all)
    longest: PositiveInt | None = None  # tokens of a text that are read (default: as many as the model can)
    scratch: bool = True  # train the same network from untrained weights, too
    epochs: PositiveInt = 1  # passes over the training texts, for the untrained weights
    batch_size: PositiveInt = 16  # texts of a batch
    learning_rate: PositiveFloat | None = None  # peak of AdamW's rate, for the untrained weights (default: by size)
    # peak of Muon's rate for the matrices in the blocks; 0: AdamW alone (default: by the model's size)
    muon_learning_rate: NonNegativeFloat | None = None
    supervise: Literal["last", "every"] = "every"  # which tokens have to name the class
    precision: Literal["auto", "bfloat16", "float32"] = "auto"  # of matrix products

    def check(self) -> None:
        if self.data == "recipes":
            check_groups(self.train_texts, self.batch_size, together=2)  # a recipe before and after


@dataclass(frozen=True)
class Results:
    classes: list[str]
    accuracies: dict[str, float]
    losses: dict[str, float]
    penalties: dict[str, float]
    optimum: Optimum | None


def linear_head(penalty: float) -> Pipeline:
    """Return a linear classifier of standardised features."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=1000))


def on_pretrained(config: Config, splits: LabelledSplits, read: Read) -> tuple[Tensor, float]:
    """Return the log-probabilities of the test texts from a linear classifier of what `read` finds, and its penalty."""
    if read is surprise:
        model, tokenizer = load_causal_model(config.model)
    else:
        model, tokenizer = load_classifier(config.model, splits.classes)
    model.to(pick_device(config.device))
    context = context_of(model, config.longest)
    inputs = [
        read_all(model, make_loader(part, tokenizer, context, config.batch_size), config.precision, read)[0].numpy()
        for part in splits[1:]
    ]
    head, penalty = choose_penalty(linear_head, (inputs[0], splits.train.labels), (inputs[1], splits.validation.labels))
    return torch.from_numpy(head.predict_log_proba(inputs[2])), penalty


def from_scratch(config: Config, splits: LabelledSplits) -> Tensor:
    """Return the test texts' log-probabilities from the same network, all of its weights drawn anew and trained."""
    generator = seed_everything(config.seed)
    model, tokenizer = load_classifier(config.model, splits.classes, "scratch")
    rates = choose_rates(model, "scratch", config.learning_rate, config.muon_learning_rate)
    model.to(pick_device(config.device))
    context = context_of(model, config.longest)
    together = 2 if config.data == "recipes" else 1
    train = make_loader(splits.train, tokenizer, context, config.batch_size, generator, together)
    validation, test = (make_loader(part, tokenizer, context, config.batch_size) for part in splits[2:])
    for progress in fine_tune(
        model,
        train,
        validation,
        epochs=config.epochs,
        learning_rate=rates.learning_rate,
        muon_learning_rate=rates.muon_learning_rate,
        evaluations=5,
        supervise=config.supervise,
        precision=config.precision,
    ):
        print(f"from scratch: step {progress.step}, validation {progress.validation_accuracy:.1%}")
    return predict(model, test, config.precision)[0]


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    splits = load_splits(
        config.data,
        seed=config.seed,
        train=config.train_texts,
        validation=config.validation_texts,
        test=config.test_texts,
        dishes=config.dishes,
        source=config.source,
        limit=config.limit,
    )
    check_classes(splits)
    train, validation, test = ((part.texts, part.labels) for part in splits[1:])
    penalties: dict[str, float] = {}
    predictions: dict[str, Any] = {
        "majority": torch.from_numpy(DummyClassifier(strategy="prior").fit(*train).predict_log_proba(test[0]))
    }
    for name, longest in (("words", 1), ("words and pairs", 2)):
        model, penalties[name] = choose_penalty(partial(bag_of_words, longest=longest), train, validation)
        predictions[name] = torch.from_numpy(model.predict_log_proba(test[0]))
    for name, read in (("frozen features", head_input), ("surprise", surprise)):
        predictions[name], penalties[name] = on_pretrained(config, splits, read)
    if config.scratch:
        predictions["from scratch"] = from_scratch(config, splits)
    labels = torch.tensor(test[1])
    optimum = optimum_on(splits.test)[0] if splits.classes == RECIPE_CLASSES else None
    results = Results(
        classes=list(splits.classes),
        accuracies={name: (p.argmax(1) == labels).double().mean().item() for name, p in predictions.items()},
        losses={name: log_loss(p, labels) for name, p in predictions.items()},
        penalties=penalties,
        optimum=optimum,
    )
    for name, accuracy in results.accuracies.items():
        print(f"{name:<16} {accuracy:.1%}, {results.losses[name]:.3f} nats")
    if optimum:
        print(f"{'optimum':<16} {optimum.accuracy:.1%}, {optimum.loss:.3f} nats")
    return results


def plot(results: Results) -> Figure:
    """Draw the accuracies, and the optimum where it is known."""
    figure, axes = new_figure(7, 2.6)
    bars = axes.barh(list(results.accuracies), list(results.accuracies.values()))
    axes.bar_label(bars, [f"{accuracy:.1%}" for accuracy in results.accuracies.values()], padding=3)
    if results.optimum:
        axes.axvline(results.optimum.accuracy, color="black", label="optimum")
        axes.legend(loc="upper right")
    axes.set(xlabel="accuracy on the test split", xlim=(0, 1))
    axes.invert_yaxis()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
