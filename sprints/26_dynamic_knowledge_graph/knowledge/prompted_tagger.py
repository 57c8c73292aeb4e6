"""A reader that nobody trained to mark a name: a language model sees a few sentences with their mentions, and goes on.

As lines                                        A tag for each word
    Sentence: Ava Reed works at the Blue Fork.      Sentence: Ava Reed works at the Blue Fork.
    person: Ava Reed                                Ava: person
    shop: Blue Fork                                 Reed: person
                                                    works: -  ...

The examples are read once. Their keys and values are kept, and every sentence begins behind them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from knowledge.news import Piece
from knowledge.spans import tokens_of
from knowledge.writing import LineWriting, TagWriting, Written, mention_lines, tag_lines
from shared.nn.pretrained import context_length

SHOTS = -1  # in a row of tokens: whose are those of the shots; the sentences count from 0
MOST_NEW = 40  # times that a model is asked for a token in a sentence
ROOM = 100  # tokens of the context that are left for a sentence
TASKS = {
    "lines": "Write each person, shop, dish and town of the sentence, one a line.",
    "tags": "Write behind each word of the sentence whether it names a person, a shop, a dish, a town, or nothing.",
}


class Form(NamedTuple):
    """What stands before all sentences, before and behind each one, and the line that closes its mentions."""

    heading: str
    before: str
    behind: str
    end: str


FORMS = {
    "plain": Form("", "Sentence: ", "\n", "\n"),
    "task": Form("{task}\n\n", "Sentence: ", "\n", "\n"),
    "chat": Form(
        "<|im_start|>system\n{task}<|im_end|>\n", "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n",
        "<|im_end|>\n",
    ),
}  # fmt: skip


class PromptedTagger:
    """Reads sentences as the shots show it.

    Args:
        model: a causal language model of transformers.
        tokenizer: its.
        shots: sentences with their mentions.
        way: "lines" or "tags".
        form: one of `FORMS`; "chat" is for models with SmolLM2's marks.

    Raises:
        ValueError: no shot has a mention, the model cannot look at so many, or an unknown way or form.
    """

    def __init__(
        self, model: Any, tokenizer: Any, shots: Sequence[Piece], way: str = "tags", form: str = "plain"
    ) -> None:
        if way not in TASKS or form not in FORMS:
            raise ValueError(f"way and form must be of {', '.join(TASKS)} and of {', '.join(FORMS)}; got {way}, {form}")
        self.kinds = sorted({mention.kind for shot in shots for mention in shot.mentions})
        if not self.kinds:
            raise ValueError(f"a mention must be shown before one can be read; got {len(shots)} sentences without any")
        self.model, self.tokenizer, self.way, self.form = model, tokenizer, way, FORMS[form]
        shown = self._encode(self.form.heading.format(task=TASKS[way]))
        for shot in shots:
            text = shot.record.text
            answer = mention_lines(shot.mentions) if way == "lines" else tag_lines(text, shot.mentions)
            # Piece by piece, as it is written later: a tokenizer may not put two pieces into one token.
            for piece in (self._asked(text), *answer, self.form.end):
                shown += self._encode(piece)
        if len(shown) + ROOM > (most := context_length(model)):
            raise ValueError(
                f"shots and a sentence must fit into the {most} tokens that the model looks at; got {len(shots)} shots "
                f"of {len(shown)} tokens and want {ROOM} more: show fewer"
            )
        self.shown = torch.tensor([shown])  # (1, tokens)
        self.kept = self._read_shots()

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> list[Written]:
        """Return what is written for sentences; all are read in one row, and each sees the shots and itself alone."""
        from transformers import DynamicCache

        cache = DynamicCache(config=self.model.config)
        for layer, (keys, values) in enumerate(self.kept):
            cache.update(keys, values, layer)
        writings = [self._writing(text) for text in texts]
        new = [self._encode(self._asked(text)) + one.begin for text, one in zip(texts, writings, strict=True)]
        owners = torch.full((self.shown.shape[1],), SHOTS)  # whose each token of the row is
        for _ in range(MOST_NEW):
            tokens = torch.tensor([token for row in new for token in row])
            mine = torch.arange(len(new)).repeat_interleave(torch.tensor([len(row) for row in new]))
            owners = torch.cat((owners, mine))
            may_look = may_look_at(owners, len(mine))
            going = [number for number, one in enumerate(writings) if not one.done]
            last = torch.tensor([int((mine == number).nonzero().max()) for number in going], dtype=torch.long)
            logits = self.model(
                input_ids=tokens[None],
                attention_mask=may_look[None, None],
                cache=cache,
                logits_to_keep=last,
                position_ids=may_look.sum(dim=1)[None] - 1,
            ).logits[0]  # (sentences that go on, vocab)
            new = [list[int]() for _ in texts]
            for number, row in zip(going, logits, strict=True):
                new[number] = writings[number].write(row)
            if all(one.done for one in writings):
                break
        return [one.written() for one in writings]

    @torch.no_grad()
    def _read_shots(self) -> list[tuple[Tensor, Tensor]]:
        """Return keys and values of the shots in each layer, (1, heads, tokens, head_dim)."""
        cache = self.model(input_ids=self.shown, use_cache=True, logits_to_keep=1).cache
        return [(layer.keys, layer.values) for layer in cache.layers]

    def _writing(self, text: str) -> LineWriting | TagWriting:
        if not tokens_of(text):
            raise ValueError(f"there must be something to read; got the text {text!r}")
        if self.way == "lines":
            return LineWriting(text, self.kinds, self.tokenizer.decode, self.form.end)
        return TagWriting(text, self.kinds, self._encode)

    def _asked(self, text: str) -> str:
        return f"{self.form.before}{text}{self.form.behind}"

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids


def may_look_at(owners: Int[Tensor, " tokens"], new: int) -> Bool[Tensor, "new tokens"]:
    """Return which tokens of a row each of the last `new` ones may look at: shots and its own, as far as it stands."""
    places = torch.arange(len(owners))
    earlier = places <= places[-new:, None]
    return earlier & ((owners == SHOTS) | (owners == owners[-new:, None]))
