"""A pre-trained causal model as a classifier: made, saved, loaded again.

For GPT-2, transformers makes a `GPT2ForSequenceClassification`: the pre-trained blocks and a new linear layer, `score`,
that reads the features of the last token that is not padding. Theory: notes/01_fine_tuning.md
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.lab.files import replacing_folder
from shared.lab.paths import RUNS, shown
from shared.nn.model_folders import seal
from shared.nn.pretrained import context_length, load_tokenizer, load_whole

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HEAD = "score."  # its weights are new
INITS = ("pretrained", "scratch", "frozen")
# Where train.py leaves its classifier; with a preset the folder of the run is train_PRESET.
SAVED_CLASSIFIER = RUNS / "11_finetune_gpt2_classification" / "train" / "classifier"


def load_classifier(
    name: str, classes: Sequence[str], init: str = "pretrained"
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Return a model with a new head for these classes, and its tokenizer.

    Args:
        name: "cookbook" (the shipped model), a folder in transformers' format, or a name of the hub such as "gpt2".
        classes: names of the classes.
        init: "pretrained"; "frozen", the same with only the head to train; or "scratch", all weights drawn anew.

    Raises:
        ValueError: an unknown init, or a model that cannot be loaded.
    """
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    if init not in INITS:
        raise ValueError(f"init must be one of {', '.join(INITS)}; got {init!r}")
    tokenizer = load_tokenizer(name)
    logging.set_verbosity_error()  # it would report that the head is new
    kind = AutoModelForSequenceClassification
    names = dict(enumerate(classes))
    settings = {"num_labels": len(classes), "id2label": names, "label2id": {name: i for i, name in names.items()}}
    model = load_whole(kind, name, new=HEAD, pad_token_id=tokenizer.pad_token_id, **settings)
    if init == "scratch":
        model = kind.from_config(model.config)
    if init == "frozen":
        model.base_model.requires_grad_(False)
    return model, tokenizer


def save_classifier(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Write model and tokenizer in transformers' format, with checksums, whole or not at all."""
    with replacing_folder(folder) as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        seal(temporary)


def load_saved(folder: str) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Return a classifier that `save_classifier` wrote, in evaluation mode, and its tokenizer.

    Raises:
        ValueError: there is none, or it is not as it was written; says which command makes it.
    """
    from transformers import AutoModelForSequenceClassification

    path = Path(folder).expanduser()
    if not (path / "config.json").is_file():
        raise ValueError(
            f"there is no classifier in {shown(path)}: make it by uv run "
            "sprints/11_finetune_gpt2_classification/train.py, or name a folder that it has saved"
        )
    tokenizer = load_tokenizer(folder)
    return load_whole(AutoModelForSequenceClassification, folder).eval(), tokenizer


def class_names(model: "PreTrainedModel") -> tuple[str, ...]:
    """Return the names of a classifier's classes."""
    names = model.config.id2label or {}
    return tuple(name for _, name in sorted(names.items()))


def context_of(model: "PreTrainedModel", longest: int | None) -> int:
    """Return how many tokens of a text the model shall read: all that it can, or `longest` if that is less."""
    return min(context_length(model), longest or context_length(model))
