"""What does the stride of the windows do to the figure, to the training, and to the cost?

    uv run sprints/12_finetune_gpt2_generative/stride.py
    uv run sprints/12_finetune_gpt2_generative/stride.py --preset full

The windows here are shorter than a scene; with windows that hold a whole scene there is nothing to choose. Scored is
the validation chapter, each of its tokens once. 200 steps show what the stride of measuring does to each model; which
model is the better one, only --preset full tells. Theory: notes/05_strides.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure
from tqdm import tqdm

from book_finetuning.pretrained_gpt import check_window, load_gpt, load_with_new_words
from book_finetuning.training_on_blocks import FineTuningSettings, fine_tune
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.pretrained import SHIPPED
from shared.text.batches import TextDataset
from shared.text.books import SHIPPED_BOOK, open_book
from shared.training.losses import evaluate_loss

PRESETS = {"full": {"steps": 600}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), or a folder of a GPT-2 of its size
    book: ExistingFile = SHIPPED_BOOK  # a text in chapters
    window: PositiveInt = 64  # tokens that the model sees at once
    train_strides: tuple[PositiveInt, ...] = (64, 32, 16)  # strides to train with
    strides: tuple[PositiveInt, ...] = (64, 32, 16, 8, 4)  # strides to evaluate with
    steps: PositiveInt = 200  # optimizer steps, the same for each training stride
    batch_size: PositiveInt = 8  # windows of a batch

    def check(self) -> None:
        if (
            self.model != SHIPPED
            and sum(weight.numel() for weight in load_gpt(self.model)[0].parameters()) > 20_000_000
        ):
            raise ValueError(
                f"the rates here are for a model of two million parameters; {self.model} is a real one, and would lose "
                "all that it has learnt: finetune.py has rates by size, for GPT-2 and Llama"
            )
        if (longest := max(*self.train_strides, *self.strides)) > self.window:
            raise ValueError(
                f"a stride must be 1 to --window {self.window}, or targets would be skipped; got {longest}"
            )


@dataclass(frozen=True)
class Results:
    loss: dict[str, list[float]]
    strides: list[int]
    tokens_computed: list[float]
    windows: dict[str, int]
    epochs: dict[str, float]
    optimum: float | None


def main(config: Config) -> Results:
    keep_freed_memory()
    device, losses, windows = pick_device(config.device), {}, {}
    original, tokenizer = load_gpt(config.model)
    check_window(config.window, original)
    book = open_book(config.book, tokenizer)
    documents = book.validation.documents
    evaluations = [TextDataset(documents, config.window, stride) for stride in config.strides]
    for stride in config.train_strides:
        generator = seed_everything(config.seed)
        model = load_with_new_words(config.model, generator).to(device)
        blocks = TextDataset(book.train.documents, config.window, stride).blocks
        settings = FineTuningSettings(config.steps, config.batch_size)
        trained = fine_tune(model, lambda blocks=blocks: blocks, settings, generator)
        for _ in tqdm(trained, desc=f"training stride {stride}", total=config.steps, unit="step"):
            pass
        windows[str(stride)] = len(blocks)
        losses[str(stride)] = [evaluate_loss(model, dataset.batches(64))[0] for dataset in evaluations]
        print(f"trained with stride {stride}, {len(blocks)} windows:", end=" ")
        print(", ".join(f"{loss:.4f} at {at}" for at, loss in zip(config.strides, losses[str(stride)], strict=True)))
    targets = sum(len(document) - 1 for document in documents)
    return Results(
        loss=losses,
        strides=list(config.strides),
        tokens_computed=[sum(len(block) - 1 for block in dataset.blocks) / targets for dataset in evaluations],
        windows=windows,
        epochs={stride: config.steps * config.batch_size / count for stride, count in windows.items()},
        optimum=book.validation.optimum,
    )


def plot(results: Results) -> Figure:
    """Draw the loss over what it costs to measure it."""
    figure, axes = new_figure()
    for stride, losses in results.loss.items():
        axes.plot(results.tokens_computed, losses, marker="o", label=f"trained with stride {stride}")
    for cost, stride, loss in zip(
        results.tokens_computed, results.strides, next(iter(results.loss.values())), strict=True
    ):
        axes.annotate(f"stride {stride}", (cost, loss), textcoords="offset points", xytext=(4, 6), fontsize=8)
    axes.set(xlabel="tokens computed for each token scored", ylabel="nats per token", xscale="log")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"loss.*": TRAINED})
