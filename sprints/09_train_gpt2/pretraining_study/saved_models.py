"""Trained models, from a checkpoint of train.py or from a folder in the format of transformers."""

from pathlib import Path

from transformers import GPT2LMHeadModel

from shared.lab.provenance import note_read
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.pretrained import load_causal_model
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.text.tokenizers import Tokenizer
from shared.training.checkpoints import load_checkpoint

SIZES = ("context", "layers", "heads", "d_model", "positions", "dropout", "attention_dropout")


def from_checkpoint(path: Path) -> tuple[GPT, Tokenizer]:
    """Return a model of the cookbook that train.py saved, in evaluation mode, and its tokenizer.

    Raises:
        CheckpointError: there is no checkpoint.
        ValueError: the model was trained on another text, whose tokenizer a checkpoint does not hold, or by another
            script.
    """
    checkpoint = load_checkpoint(path)
    saved = checkpoint["config"]
    if not {"data", "corpus", *SIZES} <= saved.keys():
        raise ValueError(f"{path} is no checkpoint of sprints/09_train_gpt2/train.py: name one of that script")
    if saved["data"] != "cookbook":
        raise ValueError(f"a checkpoint holds no tokenizer, so it must be of the cookbook; got data={saved['data']!r}")
    tokenizer = cookbook_tokenizer(saved["vocab_size"])
    if (now := CookbookCorpus(tokenizer).fingerprint) != saved["corpus"]:
        raise ValueError(
            f"{path} was trained on another cookbook or with another tokenizer (fingerprint {saved['corpus']}, now "
            f"{now}): train again"
        )
    model = GPT(GPTConfig(vocab_size=tokenizer.vocab_size, **{name: saved[name] for name in SIZES}))
    model.load_state_dict(checkpoint["model"])
    return model.eval(), tokenizer


def from_folder(folder: Path) -> tuple[GPT, Tokenizer]:
    """Return a GPT-2 of transformers as our model, in evaluation mode, and its tokenizer.

    Raises:
        ValueError: the folder holds no GPT-2, or a tokenizer with more tokens than the model has.
    """
    loaded, _ = load_causal_model(str(note_read(folder)))
    if not isinstance(loaded, GPT2LMHeadModel):
        raise ValueError(f"the scripts here read models of GPT-2's kind; {folder} is a {type(loaded).__name__}")
    model, tokenizer = GPT.from_transformers(loaded).eval(), Tokenizer.load(folder)
    if tokenizer.vocab_size > model.config.vocab_size:
        raise ValueError(
            f"the tokenizer in {folder} has {tokenizer.vocab_size} tokens and the model {model.config.vocab_size}: "
            "they do not belong together"
        )
    return model, tokenizer
