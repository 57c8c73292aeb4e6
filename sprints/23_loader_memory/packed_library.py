"""What do libraries make of a packed row? The same recipes, called in the ways that transformers and TRL offer.

    uv run sprints/23_loader_memory/packed_library.py

The collators put the documents of a batch into one row and let the positions begin again; the model has to find out
where documents end. Compared with each recipe on its own. Theory: notes/07_documents_apart.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm import tqdm

from memory_study.documents import Packed, block_mask, pack_rows, packed_logits
from memory_study.packing import first_fit_decreasing
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT
from shared.nn.pretrained import load_causal_model
from shared.text.books import recipe_part
from shared.text.cookbook import Cookbook
from shared.training.losses import token_losses

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel

CONTEXT = 512


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 24  # recipes of the test stream


@dataclass(frozen=True)
class Called:
    """Nats per token, and the largest difference of a logit from that of the recipe on its own."""

    loss: float
    difference: float


@dataclass(frozen=True)
class Results:
    alone: float
    calls: dict[str, Called]
    same_labels: bool  # do both collators mark the targets that ours marks?
    rows: dict[str, int]  # by whose packing


def collated(documents: list[list[int]], collator: Any) -> dict[str, Any]:
    """Return the documents of a row as a collator packs them."""
    return dict(collator([{"input_ids": document} for document in documents]))


def calls_of(
    model: "PreTrainedModel", ours: GPT, flat: dict[str, Any], trl: dict[str, Any]
) -> dict[str, Callable[[], Tensor]]:
    """Return the ways to call a model with the documents of one row, by name; each returns logits, (tokens, vocab)."""
    tokens, positions = flat["input_ids"], flat["position_ids"]
    documents = (positions == 0).cumsum(dim=1) - 1
    ones = torch.ones_like(tokens)
    theirs = {name: value for name, value in trl.items() if name != "labels"}
    return {
        "ours": lambda: packed_logits(ours, tokens, positions, block_mask(documents))[0],
        "position_ids, use_cache=False": lambda: model(**flat, use_cache=False).logits[0],
        "position_ids, as the model is configured": lambda: model(**flat).logits[0],
        "and an attention_mask of ones": lambda: model(**flat, attention_mask=ones, use_cache=False).logits[0],
        "what TRL's collator gives": lambda: model(**theirs).logits[0],
        "the same, use_cache=False": lambda: model(**theirs, use_cache=False).logits[0],
    }


def rows_of_trl(lengths: list[int]) -> int:
    """Return how many rows TRL makes of documents of these lengths."""
    import datasets
    from datasets import Dataset
    from trl import pack_dataset

    datasets.disable_progress_bars()
    made = Dataset.from_dict({"input_ids": [[0] * length for length in lengths]})
    return len(pack_dataset(made, CONTEXT, "bfd"))


def targets_of(packed: Packed, labels: Tensor) -> bool:
    """Return whether labels, of which -100 is none, mark the same targets as ours."""
    marked = labels[0] != -100
    return bool(torch.equal(marked, packed.targets[0, : len(marked)]))


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    model, tokenizer = load_causal_model()
    from transformers import DataCollatorWithFlattening
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    ours = GPT.from_transformers(model)  # ty: ignore[invalid-argument-type]
    documents = recipe_part(Cookbook(), "test", config.recipes, tokenizer).documents
    lengths = [len(document) for document in documents]
    rows = first_fit_decreasing(lengths, CONTEXT)
    collators = (DataCollatorWithFlattening(), DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True))
    losses: dict[str, list[Tensor]] = {}
    differences: dict[str, float] = {}
    same = True
    with torch.no_grad():
        for row in tqdm(rows, desc="rows", leave=False):
            texts = [documents[document] for document in row]
            flat, trl = (collated(texts, collator) for collator in collators)
            packed = pack_rows(texts, [[*range(len(texts))]], sum(map(len, texts)))
            same &= targets_of(packed, flat.pop("labels")) and targets_of(packed, trl["labels"])
            logits = {"alone": torch.cat([ours(torch.tensor([text]))[0] for text in texts])}
            logits |= {name: call() for name, call in calls_of(model, ours, flat, trl).items()}
            for name, found in logits.items():
                scored = token_losses(found[None], packed.tokens, packed.targets)[packed.targets[:, 1:]]
                losses.setdefault(name, []).append(scored)
                difference = (found - logits["alone"]).abs().max().item()
                differences[name] = max(differences.get(name, 0.0), difference)
    means = {name: torch.cat(parts).mean().item() for name, parts in losses.items()}
    calls = {name: Called(means[name], differences[name]) for name in means if name != "alone"}
    print(f"each recipe alone: {means['alone']:.4f} nats per token")
    for name, found in calls.items():
        print(f"{name:<42}{found.loss:.4f}, logits differ by {found.difference:.1e}")
    found_rows = {"ours": len(rows), "TRL": rows_of_trl(lengths)}
    print(f"both collators mark the same targets: {same}; rows: {found_rows}")
    return Results(means["alone"], calls, same, found_rows)


if __name__ == "__main__":
    run(main, Config, tolerance={"calls.*": TRAINED, "*.difference": Tolerance(relative=0.05, absolute=1e-3)})
