"""Text that arrives token by token, with what the model considered for each: shared by the page and the terminal.

A text is written by a generator: whoever wants the next token asks for it, and whoever closes the generator ends the
text. Each text has its own seed, its own cache and its own turns to compute (`turns.py`), so any number of them can
share a model.
"""

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from decoding_demo.chosen_model import ChosenModel
from decoding_demo.prompts import MOST_CHARACTERS, check_fits
from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.turns import Turn, Turns
from shared.generation.sampling import sample

SHOWN = 5  # alternatives of a token
HALF = "\N{REPLACEMENT CHARACTER}"  # what bytes are shown as that are no character yet


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
    """What has been written so far, without the prompt; the text may lag behind the tokens by half a character."""

    text: str
    considered: list[Considered]


def write(
    chosen: ChosenModel,
    prompt: object,
    settings: SamplingSettings,
    turn: Turn | None = None,
    *,
    chat: bool | None = None,
) -> Generator[Written, None, None]:
    """Return an iterator over what is written so far; closing it ends the text.

    Args:
        chosen: the model.
        prompt: a text; what comes over the network may be anything else, which is refused.
        settings: how to draw.
        turn: the text's place among others that share the model (default: there are no others).
        chat: whether the prompt is a message to be answered (default: if the model can chat).

    Raises:
        ValueError: a prompt that is no text, too long, or leaves too little of the model's context.
    """
    if not isinstance(prompt, str) or len(prompt) > MOST_CHARACTERS:
        got = f"{len(prompt):,} characters" if isinstance(prompt, str) else type(prompt).__name__
        raise ValueError(f"the prompt must be a text of at most {MOST_CHARACTERS:,} characters; got {got}")
    prompt.encode()  # half of a surrogate pair, which JSON can hold, is no text: UnicodeEncodeError is a ValueError
    tokens = chosen.encode(prompt, chat)
    check_fits(len(tokens), settings.max_new_tokens, chosen.model.config.context)
    return tokens_of(chosen, tokens, settings, turn or Turns().open())


def tokens_of(
    chosen: ChosenModel, prompt: list[int], settings: SamplingSettings, turn: Turn
) -> Generator[Written, None, None]:
    """Yield what is written after the tokens of a prompt, once for each token: the loop of generation."""
    model, considered = chosen.model, []
    generator = torch.Generator().manual_seed(settings.seed)  # its own: a seed gives one text, whoever else writes
    cache = model.new_cache(1, len(prompt) + settings.max_new_tokens)
    text = new = torch.tensor([prompt], device=chosen.device)  # (1, tokens)
    try:
        while True:
            turn.take()
            try:
                # Around a step, not around the loop: the reader's code runs between two steps.
                with torch.inference_mode():
                    logits = model(new, cache=cache)[:, -1]  # (1, vocab)
            finally:
                turn.give_back()
            filtered = settings.apply(logits, text)
            new = sample(filtered, generator=generator)[:, None]  # (1, 1)
            text = torch.cat([text, new], dim=1)
            considered.append(consider(chosen, int(new), logits[0], filtered[0]))
            is_last = int(new) in chosen.ends or len(considered) == settings.max_new_tokens or turn.is_over
            yield Written(readable(chosen, text[0].tolist(), len(prompt), is_last=is_last), considered)
            if is_last:
                return
            if settings.pace:
                turn.rest(1 / settings.pace)
            if turn.is_over:
                return
    finally:
        turn.stop()


def consider(chosen: ChosenModel, token: int, logits: Tensor, filtered: Tensor) -> Considered:
    """Return a token that was drawn from `filtered`, and the model's favourites, each with both probabilities."""
    model, drawn = logits.softmax(-1), filtered.softmax(-1)
    best = model.topk(min(SHOWN, len(model))).indices.tolist()
    found = [
        Alternative(str(chosen.tokenizer.decode([index])), model[index].item(), drawn[index].item())
        for index in [token, *best]
    ]
    return Considered(found[0], found[1:])


def readable(chosen: ChosenModel, tokens: list[int], prompt: int, *, is_last: bool) -> str:
    """Return what the tokens behind the prompt say; a character that lacks bytes is held back until the last token."""

    def decoded(ids: list[int]) -> str:
        options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        return str(chosen.tokenizer.decode(ids, **options))

    # With what stands before them: alone, some tokenizers take the space off the first token.
    text = decoded(tokens).removeprefix(decoded(tokens[:prompt]))
    return text if is_last else text.rstrip(HALF)
