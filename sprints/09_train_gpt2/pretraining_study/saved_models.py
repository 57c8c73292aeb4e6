"""Trained models, from a checkpoint of train.py or from a folder in the format of transformers."""

from pathlib import Path

from transformers import GPT2LMHeadModel

from shared.lab.provenance import note_read
from shared.nn.gpt import GPT, GPTConfig
from shared.text.corpora import cookbook_tokenizer
from shared.text.tokenizers import Tokenizer
from shared.training.checkpoints import load_checkpoint

SIZES = ("context", "layers", "heads", "d_model", "positions", "dropout", "attention_dropout")


def from_checkpoint(path: Path) -> tuple[GPT, Tokenizer]:
    """Return a model of the cookbook that train.py saved, in evaluation mode, and its tokenizer.

    Raises:
        CheckpointError: there is no checkpoint.
        ValueError: the model was trained on another text, whose tokenizer a checkpoint does not hold.
    """
    checkpoint = load_checkpoint(path)
    saved = checkpoint["config"]
    if saved["data"] != "cookbook":
        raise ValueError(f"a checkpoint holds no tokenizer, so it must be of the cookbook; got data={saved['data']!r}")
    tokenizer = cookbook_tokenizer(saved["vocab_size"])
    model = GPT(GPTConfig(vocab_size=tokenizer.vocab_size, **{name: saved[name] for name in SIZES}))
    model.load_state_dict(checkpoint["model"])
    return model.eval(), tokenizer


def from_folder(folder: Path) -> tuple[GPT, Tokenizer]:
    """Return a GPT-2 of transformers as our model, in evaluation mode, and its tokenizer."""
    loaded = GPT2LMHeadModel.from_pretrained(note_read(folder))
    return GPT.from_transformers(loaded).eval(), Tokenizer.load(folder)
