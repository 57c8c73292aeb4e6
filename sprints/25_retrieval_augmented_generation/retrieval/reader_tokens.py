"""The tokens of a reader: one for each word, and for each of them the place that it has on the sheet.

    place     0        1 to 24      25 to 48  ...   121 to 144                                      145 to 168
            <begin>  [1] As of ...  [2] As of ...   Question: With what ...? Answer: [2] prawns     Question: ...

Every passage begins at a place of its own, however long those before it are; so do the questions. A model with learned
positions can then see from the position alone which passage a word is of, and which question.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from retrieval.pantry_grammar import KINDS, TABLES, YEARS, words_of
from retrieval.reader_sheets import Finding, Sheet
from retrieval.reading import UNKNOWN, Example

WORD = re.compile(r"\w+|[^\w\s]")
PIECE = re.compile(r"\[\d+\]|(?:question|answer):|i do not know|\w+|[^\w\s]")
MOST_PASSAGES = MOST_QUESTIONS = 5
SLOT = 24  # places for a passage, or a question with its answer: the longest ones have 23
CONTEXT = 256
PADDING, BEGIN, OTHER = "<padding>", "<begin>", "<other>"


class Rows(NamedTuple):
    """Token ids, the place of each on its sheet, and which are answers: (sheets, tokens) all three."""

    tokens: Int[Tensor, "sheets tokens"]
    positions: Int[Tensor, "sheets tokens"]
    answers: Bool[Tensor, "sheets tokens"]


class ReaderTokens:
    """One token for each word that a pantry and its questions may use, each citation, and each name.

    Args:
        names: further words.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        fixed = " ".join(part for form in KINDS for part in (*form.said, *form.asked)).replace("{}", "")
        words = {word for table in TABLES for meaning, others in words_of(table).items() for word in (meaning, *others)}
        words |= {*WORD.findall(fixed), *map(str, YEARS), *WORD.findall("as of are is something likes the , . ?")}
        places = [f"[{place}]" for place in range(1, MOST_PASSAGES + 1)]
        special = [PADDING, BEGIN, OTHER, "question:", "answer:", UNKNOWN, *places]
        self.words = [*special, *sorted(words), *names]
        self.first_name = len(self.words) - len(names)
        self.ids = {word.lower(): number for number, word in enumerate(self.words)}
        self.unknown = self.ids[UNKNOWN.lower()]
        self.places = [self.ids[place] for place in places]

    @property
    def vocab_size(self) -> int:
        """Return the number of tokens."""
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, whatever its case; a word that is none of ours is "other"."""
        other = self.ids[OTHER]
        return [self.ids.get(word, other) for word in PIECE.findall(text.lower())]

    def target(self, example: Example | Finding) -> list[int]:
        """Return what should be written: a citation and a word, or "I do not know"; without passages, a word.

        Behind a question of one word it is a citation alone, or "I do not know".
        """
        if isinstance(example, Finding):
            return self.encode(example.target)
        return self.encode(example.answer if example.place is None else f"[{example.place}] {example.answer}")

    def prompts(self, examples: Sequence[Example]) -> Rows:
        """Return a row for each task: up to where its answer begins, and one token of padding for a citation."""
        return self._rows([[example] for example in examples], [[self.ids[PADDING]] for _ in examples])

    def sheets(self, sheets: Sequence[Sheet]) -> Rows:
        """Return a row for each sheet; behind its end it is padded.

        A sheet's tasks show the same passages, so these stand there once, and questions with their answers behind them.

        Raises:
            ValueError: a sheet of too many passages or questions.
        """
        return self._rows(sheets, None)

    def _rows(self, sheets: Sequence[Sheet], written: Sequence[list[int]] | None) -> Rows:
        ids, positions, answers = [], [], []
        for number, sheet in enumerate(sheets):
            first = sheet[0].passages if isinstance(sheet[0], Finding) else sheet[0]
            *passages, _, _ = first.prompt.splitlines()
            if len(passages) > MOST_PASSAGES or len(sheet) > MOST_QUESTIONS:
                raise ValueError(
                    f"a sheet has at most {MOST_PASSAGES} passages and {MOST_QUESTIONS} questions; got {len(passages)} "
                    f"and {len(sheet)}"
                )
            row, places, scored = [self.ids[BEGIN]], [0], [False]
            slots = [(place, self.encode(text), []) for place, text in enumerate(passages)]
            for place, task in enumerate(sheet, start=MOST_PASSAGES):
                answer = self.target(task) if written is None else written[number]
                said = task.word if isinstance(task, Finding) else f"{task.question.text} Answer:"
                slots.append((place, self.encode(f"Question: {said}"), answer))
            for place, read, answer in slots:
                row += read + answer
                places += range(1 + SLOT * place, 1 + SLOT * place + len(read) + len(answer))
                scored += [False] * len(read) + [True] * len(answer)
            ids.append(torch.tensor(row))
            positions.append(torch.tensor(places))
            answers.append(torch.tensor(scored))
        return Rows(*(pad_sequence(rows, batch_first=True) for rows in (ids, positions, answers)))
