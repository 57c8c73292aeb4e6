"""Do our masks have the same frequencies as those of transformers? Counted, and put to a chi-square test.

    uv run sprints/19_transformer_variants/masked_counts.py

Both mask the same padded rows. Two faults stand beside them, to see whether the test would notice.
Theory: notes/01_masked_language_models.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.stats import chi2_contingency, chisquare
from torch import Tensor

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.text.masking import mask_tokens

SPECIALS = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
PAD, START, SEPARATOR, MASK = range(4)
FATES = ("not chosen", "mask token", "random token", "the same")
Masker = Callable[[Tensor], tuple[Tensor, Tensor]]  # padded rows to inputs and chosen places


@dataclass(frozen=True)
class Config(ScriptConfig):
    rows: PositiveInt = 20_000  # texts that are masked
    longest: AtLeastTwo = 24  # words of the longest text
    words: AtLeastTwo = 96  # distinct words, besides four special tokens


@dataclass(frozen=True)
class Counts:
    """How often each fate befell a word, how often a special token was touched, and p-values of two tests."""

    fates: dict[str, int]
    specials_touched: int
    against_the_rule: float
    against_transformers: float


@dataclass(frozen=True)
class Results:
    words: int
    expected: dict[str, float]
    maskers: dict[str, Counts]


def draw_rows(config: Config, generator: torch.Generator) -> Tensor:
    """Return rows [CLS] word ... word [SEP] [PAD] ..."""
    lengths = torch.randint(1, config.longest + 1, (config.rows, 1), generator=generator)
    places = torch.arange(config.longest + 2)
    words = torch.randint(len(SPECIALS), config.words + len(SPECIALS), (config.rows, len(places)), generator=generator)
    rows = torch.where(places <= lengths, words, torch.where(places == lengths + 1, SEPARATOR, PAD))
    return rows.masked_fill(places == 0, START)


def ours(vocab_size: int, generator: torch.Generator, careless: bool = False, masked: float = 0.8) -> Masker:
    """Return our masking; a careless one takes padding for words."""

    def mask(rows: Tensor) -> tuple[Tensor, Tensor]:
        eligible = (rows >= len(SPECIALS)) | ((rows == PAD) & careless)
        return mask_tokens(rows, eligible, MASK, vocab_size, generator, masked=masked, random=min(0.1, 1 - masked))

    return mask


def theirs(words: int, seed: int) -> Masker:
    """Return the collator of transformers, which also finds out itself which tokens are special."""
    import transformers
    from tokenizers import Tokenizer, models

    names = [*SPECIALS, *(f"word{index}" for index in range(words))]
    backend = Tokenizer(models.WordLevel({name: index for index, name in enumerate(names)}, unk_token="[PAD]"))
    roles = dict(zip(("pad_token", "cls_token", "sep_token", "mask_token"), SPECIALS, strict=True))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **roles)
    collate = transformers.DataCollatorForLanguageModeling(tokenizer, seed=seed)

    def mask(rows: Tensor) -> tuple[Tensor, Tensor]:
        batch = collate([{"input_ids": row[row != PAD].tolist()} for row in rows])
        return batch["input_ids"], batch["labels"] != -100

    return mask


def count(rows: Tensor, mask: Masker) -> tuple[list[int], int]:
    """Return how often each fate befell a word, and how many special tokens were chosen or changed."""
    inputs, chosen = mask(rows)
    word, same, masked = rows >= len(SPECIALS), inputs == rows, inputs == MASK
    fates = (word & ~chosen, word & chosen & masked, word & chosen & ~masked & ~same, word & chosen & same)
    return [int(fate.sum()) for fate in fates], int((~word & (chosen | ~same)).sum())


def main(config: Config) -> Results:
    generator = torch.Generator().manual_seed(config.seed)
    rows, vocab = draw_rows(config, generator), config.words + len(SPECIALS)
    words = int((rows >= len(SPECIALS)).sum())
    # One random token in `vocab` is the mask token, and one is the old token.
    shares = (0.85, 0.15 * (0.8 + 0.1 / vocab), 0.15 * 0.1 * (1 - 2 / vocab), 0.15 * (0.1 + 0.1 / vocab))
    maskers = {
        "transformers": theirs(config.words, config.seed + 1),
        "ours": ours(vocab, generator),
        "never a random token": ours(vocab, generator, masked=1.0),
        "padding masked too": ours(vocab, generator, careless=True),
    }
    counted = {name: count(rows, masker) for name, masker in maskers.items()}
    reference, results = counted["transformers"][0], {}
    for name, (fates, touched) in counted.items():
        rule = chisquare(fates, [share * words for share in shares]).pvalue
        met = [index for index, pair in enumerate(zip(fates, reference, strict=True)) if any(pair)]
        pair = chi2_contingency([[row[index] for index in met] for row in (fates, reference)]).pvalue
        results[name] = Counts(dict(zip(FATES, fates, strict=True)), touched, float(rule), float(pair))
        print(f"{name}: {results[name].fates}, special tokens touched {touched}, p by the rule {rule:.3g}")
    return Results(words, {name: share * words for name, share in zip(FATES, shares, strict=True)}, results)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})
