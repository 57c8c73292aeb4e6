"""A pre-trained causal model as a classifier: made, saved, loaded again.

For GPT-2, transformers makes a `GPT2ForSequenceClassification`, for Llama a `LlamaForSequenceClassification`: the
pre-trained blocks and a new linear layer, `score`, that reads the features of the last token that is not padding.
Theory: notes/01_fine_tuning.md and notes/08_what_pretraining_buys.md
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.lab.files import replacing_folder
from shared.lab.paths import RUNS, shown
from shared.nn import adapters
from shared.nn.lora import LoRAConfig
from shared.nn.model_folders import seal
from shared.nn.pretrained import context_length, load_tokenizer, load_whole

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HEAD = "score."  # its weights are new
INITS = ("pretrained", "lora", "frozen", "scratch")
# All linear layers of a block, which LoRA adapts, by the family of the model.
LINEAR = {
    "gpt2": ("c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"),
    "llama": ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
}
# Where train.py leaves its classifier; with a preset the folder of the run is train_PRESET.
SAVED_CLASSIFIER = RUNS / "11_finetune_gpt2_classification" / "train" / "classifier"


def load_classifier(
    name: str, classes: Sequence[str], init: str = "pretrained", rank: int = 8
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Return a model with a new head for these classes, and its tokenizer.

    Args:
        name: "cookbook" (the shipped model), "smollm2", a folder in transformers' format, or a name of the hub such as
            "gpt2".
        classes: names of the classes.
        init: "pretrained"; "lora", with adapters and the head to train; "frozen", with the head alone; or
            "scratch", all weights drawn anew.
        rank: of the adapters.

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
    if init == "lora":
        add_adapters(model, rank)
    return model, tokenizer


def add_adapters(model: "PreTrainedModel", rank: int) -> None:
    """Freeze a classifier but for its head, and add LoRA adapters to all linear layers of its blocks.

    Raises:
        ValueError: a family whose layers are not known here.
    """
    family = model.config.model_type
    if family not in LINEAR:
        raise ValueError(
            f"LoRA knows the layers of {' and '.join(LINEAR)}; the model is a {family}: choose --init frozen"
        )
    adapters.inject(model, LoRAConfig(LINEAR[family], rank, alpha=2 * rank))
    model.get_submodule("score").requires_grad_(True)


def merge_adapters(model: "PreTrainedModel") -> None:
    """Put adapters, if there are any, into the weights, so that the model is saved and used as one without."""
    if adapters.lora_layers(model):
        adapters.merge(model)
        adapters.remove(model)


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
