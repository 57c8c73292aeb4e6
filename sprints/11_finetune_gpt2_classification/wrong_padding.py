"""What does padding on the wrong side do, and what a wrong or missing pad id?

    uv run sprints/11_finetune_gpt2_classification/wrong_padding.py            # after train.py, whose model it asks

The truth is each text alone, without padding. Then the same texts in batches, padded in all the ways that one meets in
the wild. Theory: notes/06_padding.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from text_classification.gpt_classifier import SAVED_CLASSIFIER, class_names, context_of, load_saved
from text_classification.spoiled_recipes import RECIPE_CLASSES, labelled_recipes
from text_classification.text_batches import encode

# What is no mistake differs in the last digits; what a mistake does depends on the model that makes it.
TOLERANCE = {
    "alone": TRAINED,
    "cases.*.accuracy": Tolerance(absolute=0.1),
    "cases.*.changed": Tolerance(absolute=0.1),
    "cases.*.largest_difference": Tolerance(relative=0.5, absolute=1e-4),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = str(SAVED_CLASSIFIER)  # folder of a fine-tuned classifier of recipes
    texts: AtLeastTwo = 512  # validation recipes
    batch_size: PositiveInt = 32  # texts of a batch


@dataclass(frozen=True)
class PaddingWay:
    """A way to pad: the side, the token in the padding, and what the model is told about it."""

    side: str
    token: int
    pad_id: int | None
    mask: bool = True
    positions: bool = False


@dataclass(frozen=True)
class PaddingEffect:
    """What a way of padding makes of the logits, and of the accuracy."""

    largest_difference: float
    changed: float
    accuracy: float


@dataclass(frozen=True)
class Results:
    alone: float
    cases: dict[str, PaddingEffect]
    without_pad_id: str
    padding_share: float


def pad_all(rows: list[list[int]], token: int, side: str) -> tuple[Tensor, Tensor]:
    """Return rows padded to the longest with a token, and the mask: 1 where a token is real."""
    longest = max(map(len, rows))
    tokens, mask = torch.full((len(rows), longest), token), torch.zeros(len(rows), longest, dtype=torch.long)
    for index, row in enumerate(rows):
        columns = slice(0, len(row)) if side == "right" else slice(longest - len(row), longest)
        tokens[index, columns], mask[index, columns] = torch.tensor(row), 1
    return tokens, mask


@torch.no_grad()
def logits_of(model, rows: list[list[int]], batch_size: int, way: PaddingWay) -> Tensor:
    """Return the logits of all rows, padded in one way, (texts, classes)."""
    device, parts = model.device, []
    model.config.pad_token_id = way.pad_id
    for start in range(0, len(rows), batch_size):
        tokens, mask = pad_all(rows[start : start + batch_size], way.token, way.side)
        extra = {"attention_mask": mask.to(device)} if way.mask else {}
        if way.positions:
            # Places are counted from the first real token; those of the padding do not matter.
            extra["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0).to(device)
        parts.append(model(tokens.to(device), use_cache=False, **extra).logits.float().cpu())
    return torch.cat(parts)


def padding_ways(end: int, full_stop: int) -> dict[str, PaddingWay]:
    """Return the ways to pad, by name."""
    return {
        "right, with mask": PaddingWay("right", end, end),
        "right, without mask": PaddingWay("right", end, end, mask=False),
        "left, with mask": PaddingWay("left", end, end),
        "left, with mask and positions": PaddingWay("left", end, end, positions=True),
        "left, without mask": PaddingWay("left", end, end, mask=False),
        "right, pad id of another token": PaddingWay("right", end, full_stop),
        "right, padded with the full stop": PaddingWay("right", full_stop, full_stop),
    }


def main(config: Config) -> Results:
    seed_everything(config.seed)
    model, tokenizer = load_saved(config.model)
    if class_names(model) != RECIPE_CLASSES:
        raise ValueError(
            f"the texts are recipes, so the classes of the classifier must be {', '.join(RECIPE_CLASSES)}; those of "
            f"{config.model} are {', '.join(class_names(model))}: name one that train.py made of recipes"
        )
    model.to(pick_device(config.device))
    data = labelled_recipes("validation", config.texts)
    rows, labels = encode(tokenizer, data.texts, context_of(model, None)), torch.tensor(data.labels)
    end, full_stop = tokenizer.eos_token_id, tokenizer(".")["input_ids"][0]
    alone = logits_of(model, rows, 1, PaddingWay("right", end, end))
    accuracy = share(alone.argmax(1) == labels)
    print(f"{'each text alone':<34} accuracy {accuracy:.1%}")
    cases = {}
    for name, way in padding_ways(end, full_stop).items():
        logits = logits_of(model, rows, config.batch_size, way)
        cases[name] = PaddingEffect(
            largest_difference=(logits - alone).abs().max().item(),
            changed=share(logits.argmax(1) != alone.argmax(1)),
            accuracy=share(logits.argmax(1) == labels),
        )
        case = cases[name]
        print(f"{name:<34} accuracy {case.accuracy:.1%}, logits differ by {case.largest_difference:.1e}")
    try:
        logits_of(model, rows[:2], 2, PaddingWay("right", end, None))
        refused = ""
    except ValueError as error:
        refused = str(error)
    print(f"no pad id, two texts: {refused}")
    longest = [
        max(map(len, rows[start : start + config.batch_size])) for start in range(0, len(rows), config.batch_size)
    ]
    padded = sum(length * min(config.batch_size, len(rows) - i * config.batch_size) for i, length in enumerate(longest))
    return Results(accuracy, cases, refused, 1 - sum(map(len, rows)) / padded)


def share(values: Tensor) -> float:
    """Return the share of true values."""
    return values.double().mean().item()


def plot(results: Results) -> Figure:
    """Draw the accuracy of each way to pad."""
    figure, axes = new_figure(8, 3.3)
    bars = axes.barh(list(results.cases), [case.accuracy for case in results.cases.values()])
    axes.bar_label(bars, [f"{case.accuracy:.1%}" for case in results.cases.values()], padding=3)
    axes.axvline(results.alone, color="black", label="each text alone")
    axes.set(xlabel="accuracy on validation recipes", xlim=(0, 1.15))
    figure.legend(loc="outside lower center")
    axes.invert_yaxis()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
