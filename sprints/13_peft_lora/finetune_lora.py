"""How near does LoRA come to full fine-tuning, at what price, and what is forgotten?

    uv run sprints/13_peft_lora/finetune_lora.py
    uv run sprints/13_peft_lora/finetune_lora.py --preset reordered
    uv run sprints/13_peft_lora/finetune_lora.py --preset smollm2
    uv run sprints/13_peft_lora/finetune_lora.py --model gpt2 --book my_book.txt --targets attention --rank 8

Every method starts from the same model, with words that it never saw renewed, and has the same data and epochs. The
validation chapter chooses the epoch; the test chapter is scored once. Theory: notes/04_beside_full_fine_tuning.md
"""

import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import torch
from matplotlib.figure import Figure

from adapter_study.adaptation_loop import AdaptationSettings, ValidationCurve, tune
from adapter_study.base_model import load_base, renew_unseen
from adapter_study.model_defaults import block_length, find_names, rate_of
from adapter_study.tuning_methods import METHODS, Method, count, prepare, save_trained
from adapter_study.tuning_texts import Text, TextLosses, TuningTexts, open_texts
from shared.lab.compare import TIMING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFile, PositiveFloat, PositiveInt, Share
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.adapters import find_targets
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import SHIPPED
from shared.text.books import SHIPPED_BOOK, Book
from shared.training.losses import perplexity

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

THREE: tuple[Method, ...] = ("full", "lora", "head")
PRESETS = {
    "peft": {"library": "peft", "methods": ("lora",)},
    "seeds": {"methods": THREE, "epochs": 12, "seeds": 3},
    "reordered": {
        "text": "reordered", "methods": THREE, "targets": ("linear",), "epochs": 8, "full_rate": 1e-3, "seeds": 3,
    },
    "smollm2": {
        "model": "smollm2", "text": "tinyshakespeare", "methods": ("full", "lora"), "rank": 8, "alpha": 16.0,
        "epochs": 2, "first_voice": 16,
    },
}  # fmt: skip

TOLERANCE = {f"methods.*.{name}": TRAINED for name in ("runs.*", "curves.*", "test*", "first_voice", "perplexity")} | {
    "methods.*.best_epoch": Tolerance(absolute=2.0),
    "methods.*.above_full": Tolerance(relative=0.05, absolute=0.05),
    "*seconds*": TIMING,
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub such as gpt2
    text: Text = "book"  # what to learn: the book, known recipes reordered, or Shakespeare
    book: ExistingFile = SHIPPED_BOOK  # the book: a UTF-8 text in chapters
    methods: tuple[Method, ...] = METHODS  # which to compare
    library: Literal["ours", "peft"] = "ours"  # whose LoRA
    targets: tuple[str, ...] | None = None  # of LoRA: attention, linear, ends or names (None: linear; small: ends, too)
    rank: PositiveInt = 2  # rank of LoRA
    alpha: PositiveFloat = 4.0  # LoRA's change is scaled by alpha / rank
    epochs: PositiveInt = 5  # passes over the training chapters
    batch_size: PositiveInt = 4  # scenes of a batch
    full_rate: PositiveFloat | None = None  # peak learning rate of full fine-tuning (None: by the size of the model)
    lora_rate: PositiveFloat | None = None  # peak learning rate of LoRA (None: by the size)
    head_rate: PositiveFloat | None = None  # peak learning rate of the head or the embedding alone (None: by the size)
    block: AtLeastTwo | None = None  # tokens read at once (None: all that a small model can, 256 of a real one)
    blocks: PositiveInt = 240  # blocks of Shakespeare to learn from
    held_out: PositiveInt = 24  # blocks of Shakespeare to choose by, and as many to be tested on
    dropout: Share = 0.0  # probability of dropping a feature in training
    seeds: PositiveInt = 1  # runs of each method, from --seed on
    first_voice: PositiveInt = 64  # recipes of the first voice, to measure forgetting
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products


@dataclass(frozen=True)
class MethodResult:
    """What a method reached in each run, at which peak learning rate, and its price."""

    rate: float
    runs: list[TextLosses]
    curves: list[ValidationCurve]
    test: float
    test_spread: float
    first_voice: float
    perplexity: float
    above_full: float | None
    parameters: int
    share: float
    training_mb: float
    seconds: float
    file_mb: float


@dataclass(frozen=True)
class Results:
    before: TextLosses
    optimum: dict[str, float | None]
    model_mb: float
    renewed: int
    targets: list[str]
    methods: dict[str, MethodResult]
    seconds_of_full: dict[str, float]


def rate_for(method: str, config: Config, model: "PreTrainedModel") -> float:
    """Return the peak learning rate of a method."""
    given = {"full": config.full_rate, "lora": config.lora_rate}.get(method, config.head_rate)
    return rate_of(model, method, given)


def tune_one(method: str, config: Config, book: Book, seed: int) -> tuple["PreTrainedModel", ValidationCurve]:
    """Tune a fresh model and return it with its curve."""
    generator = seed_everything(seed)
    base, _ = load_base(config.model, config.dropout, pick_device(config.device))
    if config.text == "book":
        renew_unseen(base, generator)
    rate = rate_for(method, config, base)
    lora = LoRAConfig(find_names(base, config.targets), config.rank, config.alpha)
    model = prepare(method, base, lora, generator, config.library)
    settings = AdaptationSettings(
        config.epochs, rate, config.batch_size, precision=config.precision, block=config.block
    )
    return model, tune(model, book, settings, generator)


def try_method(method: str, rate: float, config: Config, texts: TuningTexts, size: int) -> MethodResult:
    """Run a method with each seed and return what it reached; the first run is saved."""
    runs, curves, file_mb, parameters = [], [], 0.0, 0
    for seed in range(config.seed, config.seed + config.seeds):
        model, curve = tune_one(method, config, texts.book, seed)
        runs.append(texts.score(model, config.block))
        curves.append(curve)
        if seed == config.seed:
            folder = run_folder(config, __file__) / "checkpoints" / method
            file_mb, parameters = save_trained(model, method, folder, config.model, config.library), count(model)
        print(f"{method:9s} seed {seed}: test {runs[-1].test:.4f}, first voice {runs[-1].first_voice:.3f}")
    test = statistics.mean(losses.test for losses in runs)
    return MethodResult(
        rate=rate,
        runs=runs,
        curves=curves,
        test=test,
        test_spread=statistics.stdev(losses.test for losses in runs) if config.seeds > 1 else 0.0,
        first_voice=statistics.mean(losses.first_voice for losses in runs),
        perplexity=perplexity(test),
        above_full=None,
        parameters=parameters,
        share=parameters / size,
        training_mb=3 * 4 * parameters / 1e6,  # a gradient and Adam's two moments for each, four bytes each
        seconds=statistics.mean(curve.seconds for curve in curves),
        file_mb=file_mb,
    )


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    model, tokenizer = load_base(config.model, 0.0, pick_device(config.device))
    targets = find_names(model, config.targets)
    if "lora" in config.methods:
        find_targets(model, targets)  # before another method takes its time
    block = block_length(model, config.block)
    texts = open_texts(config.text, tokenizer, config.book, block, config.blocks, config.held_out, config.first_voice)
    rates = {method: rate_for(method, config, model) for method in config.methods}
    size, before = count(model), texts.score(model, block)
    print(f"before    test {before.test:.4f}, first voice {before.first_voice:.3f}; optimum {texts.book.test.optimum}")
    renewed = renew_unseen(model, seed_everything(config.seed)) if config.text == "book" else 0
    methods: dict[str, MethodResult] = {
        method: try_method(method, rates[method], config, texts, size) for method in config.methods
    }
    seconds_of_full: dict[str, float] = {}
    if full := methods.get("full"):
        seconds_of_full = {name: method.seconds / full.seconds for name, method in methods.items()}
        methods = {name: replace(method, above_full=method.test / full.test - 1) for name, method in methods.items()}
    return Results(before, texts.optimum(), 4 * size / 1e6, renewed, list(targets), methods, seconds_of_full)


def plot(results: Results) -> Figure:
    """Draw the validation loss over the epochs, for the first run of each method."""
    figure, axes = new_figure()
    for name, method in results.methods.items():
        losses = method.curves[0].validation_losses
        axes.plot(range(1, len(losses) + 1), losses, label=f"{name}, {method.share:.1%} of the parameters")
    if results.optimum["validation"] is not None:
        axes.axhline(results.optimum["validation"], color="black", label="optimum")
    axes.set(xlabel="epoch", ylabel="nats per token, validation", ylim=(0, None))
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
