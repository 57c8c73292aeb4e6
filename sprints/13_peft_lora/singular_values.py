"""How low is the rank of what fine-tuning changes? The singular values of full fine-tuning's changes, beside noise.

    uv run sprints/13_peft_lora/singular_values.py

Beside each matrix stands a random one of the same size and norm (Marchenko & Pastur 1967 give its spectrum), and the
change that LoRA makes. Theory: notes/06_how_low_the_rank_is.md
"""

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from matplotlib.figure import Figure
from torch import Tensor

from adapter_study.adaptation_loop import AdaptationSettings, tune
from adapter_study.base_model import load_base, loss_on
from adapter_study.model_defaults import find_names, in_a_block, matrices_of, rate_of, short_name
from adapter_study.tuning_methods import prepare
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.adapters import find_targets, layers_of
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import SHIPPED
from shared.text.books import SHIPPED_BOOK, Book, open_book

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

LEARNT = ("validation_*", "truncated.*", "spectra.*.full.*", "spectra.*.lora.*", "spectra.*.norm", "*energy")
RANK = Tolerance(relative=0.05, absolute=2.0)
TOLERANCE = dict.fromkeys(LEARNT, TRAINED) | {"spectra.*.rank_of_90": RANK, "rank_of_90": RANK}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub such as gpt2
    book: ExistingFile = SHIPPED_BOOK  # the book: a UTF-8 text in chapters
    rank: PositiveInt = 4  # rank of LoRA, and of the part of a change whose energy is reported
    epochs: PositiveInt = 8  # passes over the training chapters
    full_rate: PositiveFloat | None = None  # peak learning rate of full fine-tuning (None: by the size of the model)
    lora_rate: PositiveFloat | None = None  # peak learning rate of LoRA (None: by the size)


@dataclass(frozen=True)
class Spectrum:
    """Singular values of a change and of noise of the same norm, as parts of the norm; the energy is their square."""

    full: list[float]
    noise: list[float]
    lora: list[float]
    norm: float
    norm_of_weight: float
    energy: float
    noise_energy: float
    rank_of_90: int
    noise_rank_of_90: int


@dataclass(frozen=True)
class Results:
    validation_full: float
    validation_lora: float
    truncated: dict[str, float]
    upper_edge: dict[str, float]
    spectra: dict[str, Spectrum]
    energy: float
    noise_energy: float
    rank_of_90: float
    noise_rank_of_90: float


Matrices = dict[str, Tensor]


def tuned(method: str, config: Config, book: Book) -> tuple["PreTrainedModel", Matrices, float]:
    """Return a tuned model, what tuning has added to its matrices, and its loss on the validation chapter."""
    generator = seed_everything(config.seed)
    base, _ = load_base(config.model, 0.0, pick_device(config.device))
    start = {
        name: base.get_parameter(f"{name}.weight").detach().clone() for name in find_targets(base, matrices_of(base))
    }
    lora = LoRAConfig(find_names(base, ("linear", "ends")), config.rank, 2 * config.rank)
    rate = rate_of(base, method, config.full_rate if method == "full" else config.lora_rate)
    model = prepare(method, base, lora, generator)
    loss = min(tune(model, book, AdaptationSettings(config.epochs, rate), generator).validation_losses)
    if method == "full":
        return model, {name: model.get_parameter(f"{name}.weight").detach() - start[name] for name in start}, loss
    return model, {name: layers_of(model, "default")[name].delta("default").detach() for name in start}, loss


@torch.no_grad()
def truncated_loss(model: "PreTrainedModel", added: Matrices, book: Book, rank: int) -> float:
    """Return the loss when each change in the blocks is cut to its largest singular values; then restore it."""
    blocks = {name: model.get_parameter(f"{name}.weight") for name in added if in_a_block(name)}
    whole = {name: weight.clone() for name, weight in blocks.items()}
    for name, weight in blocks.items():
        left, values, right = torch.linalg.svd(added[name], full_matrices=False)
        weight += (left[:, :rank] * values[:rank]) @ right[:rank] - added[name]
    loss = loss_on(book.validation, model)
    for name, weight in blocks.items():
        weight.copy_(whole[name])
    return loss


def normalised(change: Tensor) -> Tensor:
    """Return the singular values as parts of the Frobenius norm: their squares sum to 1."""
    values = torch.linalg.svdvals(change.float().cpu())
    return values / values.square().sum().sqrt()


def rank_for(values: Tensor, energy: float = 0.9) -> int:
    """Return how many of the largest singular values hold this part of the energy."""
    return int((values.square().cumsum(0) < energy).sum()) + 1


def marchenko_pastur(rows: int, columns: int) -> float:
    """Return the largest singular value of a large random matrix, as a part of its norm."""
    return (math.sqrt(rows) + math.sqrt(columns)) / math.sqrt(rows * columns)


def measure_spectrum(full: Tensor, lora: Tensor, weight_norm: float, rank: int, generator: torch.Generator) -> Spectrum:
    """Return the singular values of both changes of a matrix, and of noise of the same shape."""
    values, noise = normalised(full), normalised(torch.randn(full.shape, generator=generator))
    return Spectrum(
        full=values.tolist(),
        noise=noise.tolist(),
        lora=normalised(lora)[:rank].tolist(),
        norm=full.norm().item(),
        norm_of_weight=weight_norm,
        energy=values[:rank].square().sum().item(),
        noise_energy=noise[:rank].square().sum().item(),
        rank_of_90=rank_for(values),
        noise_rank_of_90=rank_for(noise),
    )


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    base, tokenizer = load_base(config.model, 0.0, pick_device(config.device))
    book = open_book(config.book, tokenizer)
    norms = {name: base.get_parameter(f"{name}.weight").norm().item() for name in find_targets(base, matrices_of(base))}
    model, full, validation_full = tuned("full", config, book)
    _, lora, validation_lora = tuned("lora", config, book)
    generator = seed_everything(config.seed)
    spectra = {
        short_name(name): measure_spectrum(full[name], lora[name], norms[name], config.rank, generator) for name in full
    }
    truncated = {str(rank): truncated_loss(model, full, book, rank) for rank in (0, 1, 2, 4, 8, 16, 32, 64)}
    for name, spectrum in spectra.items():
        print(f"{name:18s} energy of {config.rank} directions {spectrum.energy:.0%}, noise {spectrum.noise_energy:.0%}")
    print("  ".join(f"rank {rank}: {loss:.3f}" for rank, loss in truncated.items()))
    blocks = [spectrum for name, spectrum in spectra.items() if in_a_block(name)]
    return Results(
        validation_full=validation_full,
        validation_lora=validation_lora,
        truncated=truncated,
        upper_edge={short_name(name): marchenko_pastur(*full[name].shape) for name in full},
        spectra=spectra,
        energy=statistics.mean(spectrum.energy for spectrum in blocks),
        noise_energy=statistics.mean(spectrum.noise_energy for spectrum in blocks),
        rank_of_90=statistics.median(spectrum.rank_of_90 for spectrum in blocks),
        noise_rank_of_90=statistics.median(spectrum.noise_rank_of_90 for spectrum in blocks),
    )


def plot(results: Results) -> Figure:
    """Draw the spectra of four matrices of the second block and of the embedding, and the loss by rank."""
    figure, grid = new_figure(9, 5.4, rows=2, columns=3)
    blocks = [name for name in results.spectra if in_a_block(name)]
    second = [name for name in blocks if ".1." in name] or blocks
    for axes, name in zip(grid.flat, [*second[:4], *set(results.spectra) - set(blocks)], strict=False):
        spectrum = results.spectra[name]
        axes.plot(range(1, len(spectrum.full) + 1), spectrum.full, label="full fine-tuning")
        axes.plot(range(1, len(spectrum.noise) + 1), spectrum.noise, color="grey", label="noise")
        axes.plot(range(1, len(spectrum.lora) + 1), spectrum.lora, "o", markersize=3, label="LoRA")
        axes.axhline(results.upper_edge[name], color="black", linewidth=0.8, linestyle=":", label="largest of noise")
        axes.set(title=name, xscale="log", ylim=(0, None))
    last = grid.flat[-1]
    last.plot(
        list(results.truncated), list(results.truncated.values()), marker="o", label="blocks' changes cut to a rank"
    )
    last.axhline(results.validation_full, color="black", label="full fine-tuning")
    last.set(title="what the rest is worth", xlabel="rank kept", ylabel="nats per token", ylim=(0, None))
    last.legend(fontsize=7, loc="upper right")
    grid.flat[0].legend(fontsize=7)
    grid[0, 0].set_ylabel("part of the norm")
    grid[1, 0].set(ylabel="part of the norm", xlabel="singular value, by size")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
