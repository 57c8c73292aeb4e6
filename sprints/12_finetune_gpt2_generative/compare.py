"""What has changed in what the model writes, and how much of it is copied from the book?

    uv run sprints/12_finetune_gpt2_generative/compare.py          # after finetune_on_book.py, which makes the model

Both models continue the same titles of the unseen chapters, with the same seeds. How much is copied means little by
itself, since a voice repeats itself: beside it stands text of the same voice that is not in the book.
Theory: notes/06_copying.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

import torch
from matplotlib.figure import Figure

from book_finetuning.copied_text import SuffixAutomaton, copied_share
from book_finetuning.pretrained_gpt import TUNED_MODEL, check_tuned, load_gpt, load_tuned_gpt
from shared.generation.decoding import generate
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, NonNegativeFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED
from shared.text.books import SHIPPED_BOOK, open_book, recipe_part
from shared.text.cookbook import VOICES, Cookbook
from shared.text.tokenizers import encode_texts

# What a model samples turns with the last digit of a logit: of one text nothing can be expected, of many their means.
TOLERANCE = {
    "valid.*": Tolerance(absolute=0.1),
    "copying.*.mean_share": Tolerance(absolute=0.02),
    "copying.*.median_longest": Tolerance(relative=0.2),
    "copying.original.*longest.*": Tolerance(compared=False),
    "copying.fine-tuned.*longest.*": Tolerance(compared=False),
    "samples.*": Tolerance(compared=False),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    original: str = SHIPPED  # the model before: cookbook (the shipped model), or a folder of a GPT-2
    tuned: str = str(TUNED_MODEL)  # the model after: the folder that finetune_on_book.py wrote
    book: ExistingFile = SHIPPED_BOOK  # the book that it was tuned on
    texts: PositiveInt = 112  # texts to write with each model
    temperature: NonNegativeFloat = 1.0  # of sampling
    new_tokens: PositiveInt = 220  # most tokens of a continuation
    shortest: PositiveInt = 100  # characters from which a copied run counts as copied


@dataclass(frozen=True)
class Copying:
    """For each text the longest run of characters that is in the training chapters, and the share of such runs."""

    longest: list[int]
    median_longest: float
    mean_share: float
    whole: int


@dataclass(frozen=True)
class Results:
    valid: dict[str, dict[str, float]] | None
    copying: dict[str, Copying]
    prompt: str
    samples: dict[str, str]


def write(model: GPT, tokenizer, prompts: Sequence[str], config: Config) -> list[str]:
    """Return what a model writes after each prompt."""
    end = tokenizer.eos_token_id
    rows = generate(
        model,
        [[end, *ids] for ids in encode_texts(prompts, tokenizer)],
        max_new_tokens=config.new_tokens,
        end_token=end,
        temperature=config.temperature,
        generator=torch.Generator(model.head.weight.device).manual_seed(config.seed),
    )
    return [tokenizer.decode(row) for row in rows]


def measure_copying(book: SuffixAutomaton, texts: Sequence[str], shortest: int) -> Copying:
    """Measure how much of some texts the book contains."""
    longest = [max(book.matches(text), default=0) for text in texts]
    return Copying(
        longest=longest,
        median_longest=median(longest),
        mean_share=fmean(copied_share(book, text, shortest) for text in texts),
        whole=sum(length == len(text) for length, text in zip(longest, texts, strict=True)),
    )


def main(config: Config) -> Results:
    device = pick_device(config.device)
    tuned = load_tuned_gpt(config.tuned)
    original, tokenizer = load_gpt(config.original)
    check_tuned(config.tuned, config.book, tokenizer)
    book = open_book(config.book, tokenizer)
    titles = [scene.partition("\n")[0] + "\n" for scene in book.test.scenes]
    prompts = [titles[index % len(titles)] for index in range(config.texts)]
    written = {
        name: write(model.to(device), tokenizer, prompts, config)
        for name, model in {"original": original, "fine-tuned": tuned}.items()
    }
    # The titles are given, so they do not count here either.
    genuine = {"unseen chapters": book.test.scenes}
    if book.cookbook:
        genuine["new recipes of the grammar"] = recipe_part(book.cookbook, "validation", config.texts, tokenizer).scenes
    bodies = written | {name: [scene.partition("\n")[2] for scene in scenes] for name, scenes in genuine.items()}
    automaton = SuffixAutomaton(book.train.scenes)
    results = Results(
        valid={name: valid(prompts, texts) for name, texts in written.items()} if book.cookbook else None,
        copying={name: measure_copying(automaton, texts, config.shortest) for name, texts in bodies.items()},
        prompt=prompts[0],
        samples={name: texts[0] for name, texts in written.items()},
    )
    for name, text in results.samples.items():
        print(f"--- {name}\n{results.prompt}{text}\n")
    for name, shares in (results.valid or {}).items():
        print(f"{name}: valid recipes", ", ".join(f"{share:.0%} {voice}" for voice, share in shares.items()))
    for name, copied in results.copying.items():
        print(
            f"{name}: longest copy {copied.median_longest:.0f} characters (median), {max(copied.longest)} (most); "
            f"{copied.mean_share:.0%} in copies of {config.shortest} or more, {copied.whole} copied whole"
        )
    return results


def valid(prompts: Sequence[str], continuations: Sequence[str]) -> dict[str, float]:
    """Return the share of valid recipes in each voice."""
    texts = [prompt + text for prompt, text in zip(prompts, continuations, strict=True)]
    return {voice: fmean(Cookbook(voice).fault(text) is None for text in texts) for voice in VOICES}


def plot(results: Results) -> Figure:
    """Draw the share of texts whose longest copied run has at least so many characters."""
    figure, axes = new_figure()
    for name, copied in results.copying.items():
        lengths = sorted(copied.longest)
        axes.step(
            [0, *lengths], [1 - index / len(lengths) for index in range(len(lengths))] + [0], where="post", label=name
        )
    axes.set(xlabel="longest run copied from the book, characters", ylabel="share of texts with at least that", xlim=0)
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
