"""A trained reader in a folder, and what it begins with: new weights, or those of a GPT that has learnt to write."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from retrieval.reader_tokens import CONTEXT, SLOT, ReaderTokens
from retrieval.trained_reader import TrainedReader
from shared.lab.files import replacing_folder, write_text
from shared.lab.paths import DATA
from shared.lab.provenance import note_read
from shared.nn.first_weights import Spreads, begin_alike
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.model_folders import check_seal, read_json, read_safetensors, refuse_if_not_finite, seal
from shared.nn.pretrained import load_causal_model

PANTRY_READER = DATA / "models" / "pantry-reader"
FIRST_WEIGHTS = Spreads(lines=0.05, places=0.025, queries=0.12)
TIED = "head.weight"  # the same numbers as the token embedding, so it is not written


def new_reader(
    tokens: ReaderTokens, generator: torch.Generator, layers: int, d_model: int, heads: int, alike: bool = True
) -> GPT:
    """Return a GPT that has learnt nothing.

    Args:
        tokens: the words.
        generator: draws all weights.
        layers, d_model, heads: size.
        alike: begin as `shared/nn/first_weights.py` says: a line is a slot of the sheet, and the first block compares
            words. Without it, begin as GPT-2 does.
    """
    model = GPT(GPTConfig(tokens.vocab_size, CONTEXT, layers, heads, d_model, dropout=0.0), generator)
    if alike:
        behind = torch.arange(CONTEXT) - 1  # place 0 begins the sheet; then there is one slot after another
        slots = behind // SLOT % (CONTEXT // SLOT + 1)
        begin_alike(model, slots, behind % SLOT, FIRST_WEIGHTS, generator, comparing=1)
    return model


@torch.no_grad()
def from_pretrained(tokens: ReaderTokens, name: str, generator: torch.Generator) -> GPT:
    """Return a GPT with blocks that have learnt to write, and a token for each of our words.

    A word's vector is the mean of the vectors of its pieces; what has no pieces of its own keeps a new one.

    Args:
        tokens: the words.
        name: as for `load_causal_model`: a GPT-2.
        generator: draws what is new.

    Raises:
        ValueError: it cannot be loaded, is no GPT-2, or looks at fewer tokens than are needed.
    """
    theirs, tokenizer = load_causal_model(name)
    old = GPT.from_transformers(theirs)  # ty: ignore[invalid-argument-type]
    if old.config.context < CONTEXT:
        raise ValueError(f"a reader looks at {CONTEXT} tokens, and {name} at {old.config.context}: name another GPT-2")
    model = GPT(replace(old.config, vocab_size=tokens.vocab_size, dropout=0.0), generator)
    embedding = old.token_embedding.weight
    for number, word in enumerate(tokens.words):
        if not word.startswith("<"):
            ids = tokenizer.encode(f" {word}", add_special_tokens=False)
            model.token_embedding.weight[number] = embedding[ids].mean(dim=0)
    kept = {
        name: weight for name, weight in old.state_dict().items() if not name.startswith(("token_embedding", "head"))
    }
    model.load_state_dict(kept, strict=False)
    return model


def save_reader(reader: TrainedReader, names: Sequence[str], folder: Path) -> None:
    """Write a reader: its size and the names that it knows, its weights in float16, and the checksums of both files."""
    kept = {name: weight.half().contiguous() for name, weight in reader.model.state_dict().items() if name != TIED}
    refuse_if_not_finite(kept, "the reader to write")
    with replacing_folder(folder) as new:
        sizes = {"gpt": asdict(reader.model.config), "names": list(names)}
        write_text(new / "config.json", json.dumps(sizes, indent=1) + "\n")
        save_file(kept, new / "model.safetensors")
        seal(new)


def load_reader(folder: Path = PANTRY_READER) -> tuple[TrainedReader, list[str]]:
    """Return the reader of a folder and the names that it knows.

    Raises:
        ValueError: there is none, or it is not as it was written.
    """
    if not (folder / "config.json").is_file():
        raise ValueError(f"there is no reader in {folder}: train_reader.py writes one into the folder of its run")
    check_seal(note_read(folder))
    sizes: dict[str, Any] = read_json(folder / "config.json")
    weights, _ = read_safetensors(folder / "model.safetensors")
    refuse_if_not_finite(weights, f"the reader in {folder}")
    try:
        tokens, model = ReaderTokens(sizes["names"]), GPT(GPTConfig(**sizes["gpt"]))
        model.load_state_dict({**weights, TIED: weights["token_embedding.weight"]})
        return TrainedReader(model, tokens), sizes["names"]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{folder} holds no such reader ({reason}): get a whole copy of it") from None
