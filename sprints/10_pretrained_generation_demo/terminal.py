"""Text from a pre-trained model in the terminal, as it is written.

    uv run sprints/10_pretrained_generation_demo/terminal.py
    uv run sprints/10_pretrained_generation_demo/terminal.py --prompt "Smoky Soup with" --temperature 0.8
    uv run sprints/10_pretrained_generation_demo/terminal.py --model smollm2 --temperature 0.7
    echo "Herby" | uv run sprints/10_pretrained_generation_demo/terminal.py > recipe.txt

Without --prompt it asks again and again, or takes each line that is piped in; the text goes to the output, all else to
the error stream. Ctrl-C ends a text, Ctrl-D the program. Theory: notes/08_streaming.md
"""

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from decoding_demo.chosen_model import load
from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.streaming import Considered, write
from shared.lab.config import ScriptConfig, refuse
from shared.lab.ranges import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveFraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device
from shared.nn.pretrained import SHIPPED, SMOLLM2

PRESETS: dict[str, dict[str, Any]] = {
    "soup": {"prompt": "Smoky Soup with"},
    "smollm2": {
        "model": SMOLLM2, "prompt": "Why do onions make me cry?", "temperature": 0.7, "top_p": 0.9, "max_new_tokens": 60
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (shipped), smollm2, a folder, or a name of the hub such as gpt2: GPT-2 or Llama
    chat: bool | None = None  # take the prompt as a message to be answered (default: if the model was taught to chat)
    prompt: str | None = None  # continue this text and end (default: ask)
    temperature: PositiveFloat = 1.0  # below 1 safer, above 1 wilder
    top_k: NonNegativeInt = 0  # keep the k most probable tokens; 0 keeps all, 1 is greedy
    top_p: PositiveFraction = 1.0  # keep the most probable tokens that together have this probability
    repetition_penalty: PositiveFloat = 1.0  # above 1 avoids tokens that the text contains
    max_new_tokens: PositiveInt = 200  # tokens to write at most
    pace: NonNegativeFloat = 0.0  # tokens per second at most, from 1 on; 0 is as fast as possible
    alternatives: bool = False  # list, after each text, what the model considered for each token

    def settings(self) -> SamplingSettings:
        """Return how to draw."""
        return SamplingSettings(**{name: vars(self)[name] for name in SamplingSettings.LIMITS})

    def check(self) -> None:
        self.settings()


@dataclass(frozen=True)
class Results:
    texts: list[str]
    tokens: list[int]
    seconds_to_first_token: list[float]


def prompts(config: Config) -> Iterator[str]:
    """Yield the prompt of the options, or what a person types or a pipe delivers, line by line."""
    if config.prompt is not None:
        yield config.prompt
        return
    asks = sys.stdin.isatty()
    while True:
        if asks:
            print("\nprompt> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        yield line.rstrip("\n")


def show(considered: list[Considered]) -> None:
    """List the alternatives of each token on the error stream."""
    for choice in considered:
        others = "  ".join(f"{other.text!r} {other.model:.0%}" for other in choice.alternatives if other.model > 0.005)
        print(f"{choice.token.text!r:>16} {choice.token.model:4.0%}   of   {others}", file=sys.stderr)


def main(config: Config) -> Results:
    if config.record is not None and config.prompt is None:
        refuse(f"what a person types is not recorded; --record takes one of {', '.join(PRESETS)}")
    torch.set_num_threads(1)
    settings = config.settings()
    chosen = load(config.model, pick_device(config.device))
    chosen.encode("", config.chat)  # says whether it can chat, before anybody types
    answers = chosen.can_chat if config.chat is None else config.chat
    texts, tokens, waits = [], [], []
    for prompt in prompts(config):
        began, first, written = time.perf_counter(), None, None
        print(f"{prompt}\n\n" if answers else prompt, end="", flush=True)
        try:
            with contextlib.closing(write(chosen, prompt, settings, chat=config.chat)) as stream:
                for update in stream:
                    first = first or time.perf_counter() - began
                    print(update.text[len(written.text) if written else 0 :], end="", flush=True)
                    written = update
        except KeyboardInterrupt:
            print("\n(stopped)", file=sys.stderr)
        except ValueError as error:
            if config.prompt is not None:
                raise
            print(f"\n{error}", file=sys.stderr)
        print("\n")
        if written is not None:
            if config.alternatives:
                show(written.considered)
            texts.append(("" if answers else prompt) + written.text)
            tokens.append(len(written.considered))
            waits.append(first)
    return Results(texts, tokens, waits)


if __name__ == "__main__":
    run(main, Config, presets=PRESETS, report=sys.stderr)
