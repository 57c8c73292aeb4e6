"""Text that arrives token by token, with what the model considered for each: shared by the page and the terminal.

transformers generates in a thread of its own and hands text over through a queue. Each generation has its own seed and
its own turns to compute (`turns.py`), so any number of them can share a model.
"""

import contextlib
import math
import queue
import threading
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
)

from decoding_demo.prompts import MOST_CHARACTERS, check_fits, encode
from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.turns import Turn, Turns
from shared.generation.sampling import sample
from shared.nn.pretrained import context_length

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SHOWN = 5  # alternatives of a token


@dataclass(frozen=True)
class Alternative:
    """A token that the model considered, and its probability for the model and after the settings."""

    text: str
    model: float
    drawn: float


@dataclass(frozen=True)
class Considered:
    """A token that was drawn, and the most probable ones at its place (which may contain it)."""

    token: Alternative
    alternatives: list[Alternative]


@dataclass(frozen=True)
class Written:
    """What has been written so far, without the prompt; the text may lag behind the tokens by an unfinished word."""

    text: str
    considered: list[Considered]


class Drawing(LogitsProcessor):
    """Draws the next token with a generator of its own, notes what else there was, and leaves no other choice.

    `generate(do_sample=True)` would draw from PyTorch's global generator, which all threads share: then a user's text
    depends on who else is writing. With one token left, greedy decoding follows this draw.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", settings: SamplingSettings, turn: Turn) -> None:
        self.tokenizer, self.settings, self.turn = tokenizer, settings, turn
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.considered: list[Considered] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # (1, tokens), (1, vocab)
        self.turn.give_back()
        if self.considered and self.settings.pace:
            self.turn.rest(1 / self.settings.pace)
        filtered = self.settings.apply(scores, input_ids)
        token = sample(filtered, generator=self.generator)  # (1,)
        model, drawn = scores[0].softmax(-1), filtered[0].softmax(-1)
        best = model.topk(min(SHOWN, len(model))).indices
        found = [
            Alternative(str(self.tokenizer.decode([index])), model[index].item(), drawn[index].item())
            for index in [*token.tolist(), *best.tolist()]
        ]
        self.considered.append(Considered(found[0], found[1:]))
        return torch.full_like(scores, -math.inf).scatter(1, token[:, None], 0.0)


class StopSignal(StoppingCriteria):
    """Ends the generation when the text is over, or has all its tokens; the library asks after each token."""

    def __init__(self, turn: Turn, ends: set[int], most: int) -> None:
        self.turn, self.ends, self.most = turn, ends, most
        self.is_last = False  # no token will be computed after this one

    def __call__(self, input_ids: Tensor, scores: Tensor | None, **_: object) -> Tensor:  # noqa: ARG002 (their interface)
        self.is_last = self.turn.is_over or input_ids.shape[1] >= self.most or int(input_ids[0, -1]) in self.ends
        return torch.full((input_ids.shape[0],), self.is_last, device=input_ids.device)


class Pieces(TextIteratorStreamer):
    """Takes each token from the library, hands its text over, and waits for the turn to compute the next."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", stop: StopSignal) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self.text_queue = queue.Queue(maxsize=2)  # nobody writes far ahead of a reader
        self.stop = stop

    def put(self, value: Tensor) -> None:
        """Take a token; the first time, the prompt."""
        super().put(value)
        if not self.stop.is_last:
            self.stop.turn.take()


def write(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompt: object,
    settings: SamplingSettings,
    turn: Turn | None = None,
) -> Generator[Written, None, None]:
    """Return an iterator over what is written so far; closing it stops the generation.

    Args:
        model, tokenizer: as by `load_causal_model`.
        prompt: a text; what comes over the network may be anything else, which is refused.
        settings: how to draw.
        turn: the text's place among others that share the model (default: there are no others).

    Raises:
        ValueError: a prompt that is no text, too long, or leaves too little of the model's context.
    """
    if not isinstance(prompt, str) or len(prompt) > MOST_CHARACTERS:
        got = f"{len(prompt):,} characters" if isinstance(prompt, str) else type(prompt).__name__
        raise ValueError(f"the prompt must be a text of at most {MOST_CHARACTERS:,} characters; got {got}")
    prompt.encode()  # half of a surrogate pair, which JSON can hold, is no text: UnicodeEncodeError is a ValueError
    tokens = encode(tokenizer, prompt)
    check_fits(len(tokens), settings.max_new_tokens, context_length(model))
    return _stream(model, tokenizer, torch.tensor([tokens], device=model.device), settings, turn or Turns().open())


def _stream(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    tokens: Tensor,
    settings: SamplingSettings,
    turn: Turn,
) -> Generator[Written, None, None]:
    end = model.generation_config.eos_token_id
    stop = StopSignal(turn, set(end) if isinstance(end, list) else {end}, tokens.shape[1] + settings.max_new_tokens)
    pieces, drawing, failures = Pieces(tokenizer, stop), Drawing(tokenizer, settings, turn), []

    def generate() -> None:
        try:
            model.generate(  # ty: ignore[not-callable] (PreTrainedModel does not declare it)
                tokens,
                attention_mask=torch.ones_like(tokens),
                do_sample=False,
                num_beams=1,
                max_new_tokens=settings.max_new_tokens,
                pad_token_id=tokenizer.pad_token_id,
                logits_processor=LogitsProcessorList([drawing]),
                stopping_criteria=StoppingCriteriaList([stop]),
                streamer=pieces,
            )
        except Exception as error:  # it has to reach the reader, who would wait for ever otherwise
            failures.append(error)
            pieces.end()
        finally:
            turn.give_back()

    thread = threading.Thread(target=generate, name="generation", daemon=True)
    thread.start()
    text = ""
    try:
        # A token puts one piece into the queue, empty while a word is unfinished; the end puts one more.
        for count, piece in enumerate(pieces, start=1):
            text += piece
            if pieces.text_queue.empty():  # else the reader is behind: show both at once
                yield Written(text, drawing.considered[:count])
    finally:
        turn.stop()
        while thread.is_alive():  # at most the time of a token
            with contextlib.suppress(queue.Empty):
                pieces.text_queue.get_nowait()
            thread.join(0.01)
    if failures:
        raise failures[0]
    yield Written(text, drawing.considered)
