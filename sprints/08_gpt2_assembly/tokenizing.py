"""How does text become tokens? Byte-level BPE learnt by hand, and ours beside GPT-2's.

    uv run sprints/08_gpt2_assembly/tokenizing.py
    uv run sprints/08_gpt2_assembly/tokenizing.py --preset gpt2

`learn_merges` is the algorithm in a dozen lines; the library finds the same merges, much faster.
The preset downloads GPT-2's vocabulary, or reads it from $SPRINTS_DATA/gpt2. Theory: notes/02_text_to_tokens.md
"""

import json
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.datasets import fetch
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.text.cookbook import Cookbook
from shared.text.corpora import cookbook_tokenizer
from shared.text.tokenizers import Tokenizer, gpt2_tokenizer, train_bpe

TEXTS = {
    "play": "What's in a name? that which we call a rose\nBy any other name would smell as sweet;",
    "numbers": "120 g, 1200 g and 12000 g; 3.14159 and 1/7",
    "German": "Zwei Teelöffel geräuchertes Paprikapulver in die heiße Brühe rühren.",
    "emoji": "🍋🫚🧄",
}

PRESETS = {"gpt2": {"gpt2": True}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    gpt2: bool = False  # compare with GPT-2's tokenizer
    recipes: PositiveInt = 20  # recipes to learn merges by hand from
    merges: PositiveInt = 100  # merges to learn by hand


@dataclass(frozen=True)
class Results:
    merges_by_hand: list[str]
    merges_equal: int
    seconds_by_hand: float
    seconds_library: float
    vocabulary_sizes: list[int]
    characters_per_token: list[float]
    tokens: dict[str, dict[str, int]]


def learn_merges(words: Counter[tuple[str, ...]], merges: int) -> list[tuple[str, str]]:
    """Return the merges of byte-pair encoding (Sennrich et al. 2016, algorithm 1), which here starts from bytes.

    Again and again, the most frequent pair of neighbouring tokens becomes a token of its own.

    Args:
        words: how often each word occurs, a word being a tuple of tokens (at first its bytes).
        merges: how many to learn.
    """
    learnt: list[tuple[str, str]] = []
    for _ in range(merges):
        pairs = Counter()
        for word, count in words.items():
            for pair in pairwise(word):
                pairs[pair] += count
        if not pairs:
            break
        # Among equally frequent pairs the library takes the one whose tokens are older; so do we.
        age = {token: index for index, token in enumerate(sorted({t for w in words for t in w if len(t) == 1}))}
        age |= {left + right: len(age) + index for index, (left, right) in enumerate(learnt)}
        best = min(pairs, key=lambda pair: (-pairs[pair], age[pair[0]], age[pair[1]]))
        learnt.append(best)
        words = Counter({merge(word, best): count for word, count in words.items()})
    return learnt


def merge(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """Return the word with each occurrence of the pair, from left to right, as one token."""
    merged: list[str] = []
    for token in word:
        if merged and (merged[-1], token) == pair:
            merged[-1] += token
        else:
            merged.append(token)
    return tuple(merged)


def library_merges(tokenizer: Tokenizer) -> list[tuple[str, str]]:
    """Return the merges of a trained tokenizer in the order in which they were learnt."""
    return [tuple(pair) for pair in json.loads(tokenizer.backend.to_str())["model"]["merges"]]


def main(config: Config) -> Results:
    cookbook = Cookbook()
    texts = [cookbook.recipe("train", index).text for index in range(config.recipes)]
    began = time.perf_counter()
    library = train_bpe(texts, 257 + config.merges)
    seconds_library = time.perf_counter() - began
    pieces = library.backend.pre_tokenizer.pre_tokenize_str
    words = Counter(tuple(piece) for text in texts for piece, _ in pieces(text))
    began = time.perf_counter()
    by_hand = learn_merges(words, config.merges)
    seconds_by_hand = time.perf_counter() - began
    equal = sum(ours == theirs for ours, theirs in zip(by_hand, library_merges(library), strict=True))
    print(f"{equal} of {len(by_hand)} merges learnt by hand are the library's, the first of them:")
    print("  " + "  ".join(f"{left}+{right}" for left, right in by_hand[:12]).replace("Ġ", "_"))

    sizes = [300, 500, 1000, 2048, 4096]
    held_out = [cookbook.recipe("test", index).text for index in range(200)]
    lengths = []
    for size in sizes:
        tokens = cookbook_tokenizer(size, recipes=500).encode_batch(held_out)
        lengths.append(sum(map(len, held_out)) / sum(map(len, tokens)))

    tokenizers = {"ours": cookbook_tokenizer()}
    if config.gpt2:
        tokenizers["GPT-2"] = gpt2_tokenizer(fetch("gpt2"))
    shown = {"recipe": held_out[0], **TEXTS}
    counts = {"characters": {kind: len(text) for kind, text in shown.items()}}
    for name, tokenizer in tokenizers.items():
        counts[name] = {kind: len(tokenizer.encode(text)) for kind, text in shown.items()}
        print(f"\n{name}: " + ", ".join(f"{kind} {count}" for kind, count in counts[name].items()))
        print("  " + "|".join(tokenizer.tokens(TEXTS["numbers"])))
    return Results(["".join(pair) for pair in by_hand], equal, seconds_by_hand, seconds_library, sizes, lengths, counts)


def plot(results: Results) -> Figure:
    """Draw characters per token: by the size of the vocabulary, or beside GPT-2's where it was compared."""
    figure, axes = new_figure(6.4, 3.4)
    if "GPT-2" not in results.tokens:
        axes.plot(results.vocabulary_sizes, results.characters_per_token, marker="o")
        axes.set(xlabel="entries of the vocabulary", ylabel="characters per token", xlim=(0, None), ylim=(0, None))
        return figure
    characters = results.tokens["characters"]
    for row, (kind, count) in enumerate(characters.items()):
        ours, theirs = (count / results.tokens[name][kind] for name in ("ours", "GPT-2"))
        axes.plot([ours, theirs], [row, row], color="#bbbbbb", zorder=1)
        for value, other, colour, name in ((ours, theirs, COLOURS[0], "ours"), (theirs, ours, COLOURS[1], "GPT-2's")):
            axes.scatter(value, row, color=colour, zorder=2)
            if row == 0:
                side = -0.08 if value < other else 0.08
                axes.text(value + side, row, name, color=colour, va="center", ha="right" if side < 0 else "left")
    axes.set_yticks(range(len(characters)), list(characters))
    axes.set(xlabel="characters per token", xlim=(0, 4.5), ylim=(len(characters) - 0.5, -0.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
