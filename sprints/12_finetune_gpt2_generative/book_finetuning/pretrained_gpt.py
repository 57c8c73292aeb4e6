"""The pre-trained model of this sprint: loaded, readied for new words, saved.

Theory: notes/03_new_words_and_other_names.md
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import GPT2LMHeadModel

from book_finetuning.renaming import Renamer, renamed_blocks
from shared.lab.files import replacing_folder
from shared.lab.paths import RUNS, shown
from shared.lab.provenance import sha256
from shared.nn.gpt import GPT
from shared.nn.model_folders import seal
from shared.nn.pretrained import load_causal_model, load_tokenizer
from shared.text.unseen_words import renew, unseen_tokens

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedTokenizerBase

# Where finetune_on_book.py leaves its best model.
TUNED_MODEL = RUNS / "12_finetune_gpt2_generative" / "finetune_on_book" / "checkpoints" / "finetuned"
TUNED_ON = "tuned_on.sha256"  # the file beside a tuned model that says of which book


def load_gpt2(name: str) -> tuple[GPT2LMHeadModel, "PreTrainedTokenizerBase"]:
    """Return a GPT-2 of transformers and its tokenizer.

    Raises:
        ValueError: the model cannot be loaded, or is no GPT-2.
    """
    model, tokenizer = load_causal_model(name)
    if not isinstance(model, GPT2LMHeadModel):
        raise ValueError(f"the scripts here tune models of GPT-2's kind; {name} is a {type(model).__name__}")
    return model, tokenizer


def load_gpt(name: str, dropout: float = 0.0) -> tuple[GPT, "PreTrainedTokenizerBase"]:
    """Return the same as our `GPT`, which trains faster on a CPU, with another dropout; errors as in `load_gpt2`."""
    model, tokenizer = load_gpt2(name)
    model.config.resid_pdrop = model.config.embd_pdrop = model.config.attn_pdrop = dropout
    return GPT.from_transformers(model).eval(), tokenizer


def load_tuned_gpt(name: str) -> GPT:
    """Return the model that finetune_on_book.py has saved, or another one as `load_gpt` does.

    Raises:
        ValueError: there is none; says which command makes it.
    """
    if Path(name) == TUNED_MODEL and not TUNED_MODEL.is_dir():
        raise ValueError(
            f"there is no {shown(TUNED_MODEL)}: make it by "
            "uv run sprints/12_finetune_gpt2_generative/finetune_on_book.py, or name another folder"
        )
    return load_gpt(name)[0]


def load_with_new_words(name: str, generator: torch.Generator, dropout: float = 0.0) -> GPT:
    """Return a model in which tokens that pre-training never showed have new vectors."""
    model, _ = load_gpt(name, dropout)
    weight = model.token_embedding.weight
    renew(weight, unseen_tokens(weight), generator)
    return model


def prepare_for_book(
    name: str,
    scenes: Sequence[str],
    generator: torch.Generator,
    *,
    seed: int,
    dropout: float = 0.0,
    rename: float = 0.5,
    new_vectors: bool = True,
) -> tuple[GPT, Callable[[], list[list[int]]], int]:
    """Return a model to tune on scenes, the source of its blocks, and how many of its tokens got a new vector.

    Args:
        name: as for `load_gpt`.
        scenes: of the book.
        generator: draws the new vectors.
        seed: of the names that change with every epoch.
        dropout: probability of dropping a feature.
        rename: share of the recurring words of a scene that are swapped for others.
        new_vectors: whether tokens that pre-training never showed get new vectors.
    """
    model, tokenizer = load_gpt(name, dropout)
    weight = model.token_embedding.weight
    unseen = unseen_tokens(weight)
    renamer = Renamer(model, tokenizer, scenes, unseen.tolist(), share=rename)
    if new_vectors:
        renew(weight, unseen, generator)
    source = renamed_blocks(scenes, renamer, tokenizer, model.config.context - 1, seed)
    return model, source, len(unseen) if new_vectors else 0


def save_gpt(model: GPT, tokenizer: "PreTrainedTokenizerBase", folder: Path, book: Path) -> None:
    """Write a model and its tokenizer as transformers does, and which book it was tuned on, whole or not at all."""
    with replacing_folder(folder) as temporary:
        model.to_transformers().save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        (temporary / TUNED_ON).write_text(sha256(book), encoding="utf-8")
        seal(temporary)


def check_tuned(name: str, book: Path, tokenizer: "PreTrainedTokenizerBase") -> None:
    """Check that a tuned model reads the tokens of a tokenizer, and, where that is known, that it was tuned on a book.

    Raises:
        ValueError: it has other tokens, or was tuned on another book.
    """
    if load_tokenizer(name).get_vocab() != tokenizer.get_vocab():
        raise ValueError(
            f"{name} has other tokens than the model to compare it with: name the one that it was made from"
        )
    noted = Path(name) / TUNED_ON
    if noted.is_file() and (then := noted.read_text(encoding="utf-8")) != (now := sha256(book)):
        raise ValueError(
            f"{name} was tuned on another book than {book} (SHA-256 {then[:16]}, this one has {now[:16]}): give that "
            "one by --book, or tune again"
        )


def check_window(window: int, model: GPT) -> None:
    """Check that a model can see so many tokens at once.

    Raises:
        ValueError: it cannot.
    """
    if window > model.config.context:
        raise ValueError(f"--window must be at most the context of the model, {model.config.context}; got {window}")
