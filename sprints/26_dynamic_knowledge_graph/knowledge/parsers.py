"""Two parsers of questions: one that has the list of all wordings, and an encoder-decoder that is trained on some."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

import torch
from torch import Tensor, nn

from knowledge.news_graph import typed_paths
from knowledge.queries import Path
from knowledge.questions import DAY, KNOWN, Names, in_words, target_of, token_of, wordings
from shared.nn.seq2seq import EncoderDecoder, Seq2SeqConfig
from shared.training.loop import train_steps
from shared.training.losses import count_targets, token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

PAD, BEGIN, END, UNKNOWN = range(4)
HOPS = (1, 2, 3)
KINDS = Names({kind.upper(): f"{kind}:" for kind in ("person", "shop", "town", "dish")})
Example = tuple[list[str], tuple[str, ...]]  # tokens of the question and of its path


def draw_path(rng: Random, hops: int, last_day: int = 300, last_report: int = 2500) -> tuple[str, Path]:
    """Return a kind and a path from a thing of it; each time is asked for in half of them."""
    kind, steps = rng.choice(typed_paths(hops))
    day = rng.randrange(1, last_day) if rng.random() < 0.5 else None
    known = rng.randrange(last_day, last_report) if rng.random() < 0.5 else None
    return kind, Path(f"{kind}:", steps, day, known)


def draw_example(rng: Random, hops: int, unseen: int = 0) -> Example:
    """Return a question about no name in particular, and its path."""
    kind, path = draw_path(rng, hops)
    source, values = KINDS.without(in_words(path, kind.upper(), rng, unseen))
    return source, target_of(path, values)


class Grammar:
    """Reads a question by its list of wordings, with all that is known of kinds: exact, and helpless beyond its list.

    Args:
        unseen: whether the list has those wordings, too, that training does not have.
    """

    def __init__(self, unseen: bool = False) -> None:
        self.patterns = {
            of: [_pattern(words) for words in (*one.words, *(one.unseen if unseen else ()))]
            for of, one in wordings().items()
        }
        typed = {(kind, *map(token_of, steps)) for hops in HOPS for kind, steps in typed_paths(hops)}
        self.typed = {one[:end] for one in typed for end in range(1, len(one) + 1)}

    def readings(self, source: Sequence[str]) -> set[tuple[str, ...]]:
        """Return all that a question can mean, as targets."""
        return {
            (*steps[1:], *times)
            for rest, times in self._times(" ".join(source).replace(" ,", ","), ())
            for found in _inside(self.patterns["ask"], rest)
            for steps in self._steps(found) if len(steps) > 1
        }  # fmt: skip

    def _times(self, said: str, times: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield what is left without its times, and the times, day before known."""
        yield said, times
        for of in (DAY, KNOWN):
            if of in times:
                continue
            for pattern in self.patterns[of]:
                for placed in (f"{pattern}, (?P<rest>.+)", f"(?P<rest>.+) {pattern}"):
                    if found := re.fullmatch(placed, said):
                        both = (*times, of, found["n"]) if of == KNOWN else (of, found["n"], *times)
                        yield from self._times(found["rest"], both)

    def _steps(self, said: str) -> Iterator[tuple[str, ...]]:
        """Yield the kind of a start and the steps from it that a phrase can mean."""
        if said.lower() in ("person", "shop", "town", "dish"):
            yield (said.lower(),)
        for of, patterns in self.patterns.items():
            for inside in _inside(patterns, said) if of not in ("ask", DAY, KNOWN) else ():
                yield from (longer for steps in self._steps(inside) if (longer := (*steps, of)) in self.typed)


def _pattern(words: str) -> str:
    return re.escape(words).replace(r"\{x\}", "(?P<x>.+)").replace(r"\{n\}", r"(?P<n>NUMBER\d)")


def _inside(patterns: Sequence[str], said: str) -> Iterator[str]:
    return (found["x"] for pattern in patterns if (found := re.fullmatch(pattern, said)))


class Parser:
    """An encoder-decoder from the tokens of a question to those of its path.

    Args:
        generator: draws the weights, and the words that are hidden in training.
        d_model: features of a token.
    """

    def __init__(self, generator: torch.Generator, d_model: int = 64) -> None:
        every = [wording for one in wordings().values() for wording in one.words]
        words = sorted({token for wording in every for token in re.sub(r"\{.\}", "", wording).split()} | {","})
        placeholders = ["PERSON", "SHOP", "TOWN", "DISH", "NUMBER1", "NUMBER2"]
        self.source = {word: place for place, word in enumerate([*words, *placeholders], UNKNOWN + 1)}
        targets = [of for of in wordings() if of != "ask"] + placeholders[4:]
        self.target = {token: place for place, token in enumerate(targets, END + 1)}
        self.answers = ["", "", "", *targets]
        size = Seq2SeqConfig(
            UNKNOWN + 1 + len(self.source), END + 1 + len(self.target), target_context=12, d_model=d_model
        )
        self.generator, self.model = generator, EncoderDecoder(size, generator)

    def train(self, rng: Random, steps: int, batch_size: int, learning_rate: float, hidden: float) -> Iterator[float]:
        """Train on questions that are drawn anew for each batch, and yield the losses; `hidden` words are unknown."""

        def batches() -> Iterator[tuple[Tensor, Tensor]]:
            while True:
                examples = [draw_example(rng, rng.choice(HOPS)) for _ in range(batch_size)]
                rows, targets = self.rows([one for one, _ in examples]), [one for _, one in examples]
                hide = (torch.rand(rows.shape, generator=self.generator) < hidden) & (rows != PAD)
                yield rows.masked_fill(hide, UNKNOWN), self._target_rows(targets)

        progress = train_steps(
            self.model, batches(), loss_function=_loss, steps=steps,
            optimizers=make_optimizers(self.model, learning_rate=learning_rate),
            schedule=partial(warmup_linear, steps=steps, warmup=max(1, steps // 20)),
        )  # fmt: skip
        for _, loss in progress:
            yield loss

    @torch.no_grad()
    def parse(self, sources: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """Return the most probable token after each other, until the end or ten tokens."""
        self.model.eval()
        rows = self.rows(sources)
        decoder = self.model.incremental(rows, rows != PAD, max_tokens=11)
        tokens, found = torch.full((len(rows),), BEGIN), []
        for _ in range(10):
            tokens = decoder(tokens).argmax(dim=-1)
            found.append(tokens)
        answers = torch.stack(found, dim=1).tolist()
        ends = [row.index(END) if END in row else len(row) for row in answers]
        return [tuple(self.answers[one] for one in row[:end]) for row, end in zip(answers, ends, strict=True)]

    def rows(self, sources: Sequence[Sequence[str]]) -> Tensor:
        """Return token ids (batch, tokens) of questions, padded on the right."""
        return _padded([[self.source.get(word, UNKNOWN) for word in source] for source in sources])

    def _target_rows(self, targets: Sequence[Sequence[str]]) -> Tensor:
        return _padded([[BEGIN, *(self.target[token] for token in target), END] for target in targets])


def _loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
    source, target = batch
    losses = token_losses(model(source, target[:, :-1], source != PAD), target, target != PAD)
    return losses.sum(), count_targets(target, target != PAD)


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=PAD)
