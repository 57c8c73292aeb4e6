"""What can one client of the demo do to the others, and does its memory stay as it is?

    uv run sprints/10_pretrained_generation_demo/attack_test.py

Starts the page's server on a free port, does to it what nobody should, and asks at once for a text of ordinary length.
Theory: notes/09_many_users.md
"""

import contextlib
import gc
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx
import torch
from pydantic import Field
from tqdm import trange

from decoding_demo.demo_page import Server, serve
from decoding_demo.prompts import EXAMPLES
from decoding_demo.sampling_settings import SamplingSettings
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeInt, PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import SHIPPED

STATM = Path("/proc/self/statm")  # Linux: pages of memory, all and those in use
Texts = Annotated[int, Field(ge=1, le=1000)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (shipped), smollm2, a folder, or a name of the hub such as gpt2: GPT-2 or Llama
    texts: Texts = 40  # that the attacker asks for
    tokens: PositiveInt = 20  # of the text that the other one asks for
    requests: NonNegativeInt = 1000  # after which memory is measured again; half of them are read
    users: PositiveInt = 8  # texts that compute at the same time

    def check(self) -> None:
        SamplingSettings(max_new_tokens=self.tokens)


@dataclass(frozen=True)
class Results:
    """Seconds until the other one has the first words and the whole text, by attack; megabytes (Linux) by requests."""

    first_words: dict[str, float]
    whole_text: dict[str, float]
    refused: dict[str, int]
    memory: dict[str, float]


def join(server: Server, session: str | None = None, **settings: float) -> str:
    """Ask for a text and return the number to read it by; an answer that is none raises an error of httpx."""
    values = [vars(SamplingSettings(**settings))[name] for name in SamplingSettings.LIMITS]  # ty: ignore[invalid-argument-type]
    body = {"data": [EXAMPLES[0], *values], "session_hash": session}
    posted = httpx.post(f"{server.url}gradio_api/call/write", json=body, timeout=60)
    posted.raise_for_status()
    return posted.json()["event_id"]


def read(server: Server, event: str) -> Iterator[list[str]]:
    """Yield what a text's page shows, piece by piece."""
    with httpx.stream("GET", f"{server.url}gradio_api/call/write/{event}", timeout=120) as answer:
        name = ""
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            name = value if key == "event" else name
            if key == "data" and name == "error":
                raise ValueError(f"the server answers {value}")
            if key == "data" and name in ("generating", "complete"):
                yield json.loads(value)


def long_texts(server: Server, config: Config, *, is_read: bool, pace: int = 0, one_page: bool = False) -> None:
    """Ask for as many and as long texts as there may be."""
    for index in range(config.texts):
        with contextlib.suppress(httpx.HTTPStatusError):  # too many are refused
            event = join(server, "one page" if one_page else None, max_new_tokens=200, pace=pace, seed=index)
            if is_read:
                threading.Thread(target=_read_all, args=(server, event), daemon=True).start()


def _read_all(server: Server, event: str) -> None:
    with contextlib.suppress(httpx.HTTPError, ValueError):
        for _ in read(server, event):
            pass


ATTACKS: dict[str, Callable[[Server, Config], None]] = {
    "nobody else": lambda _server, _config: None,
    "slow texts that nobody reads": lambda server, config: long_texts(server, config, is_read=False, pace=1),
    "long texts that nobody reads": lambda server, config: long_texts(server, config, is_read=False),
    "long texts of one page": lambda server, config: long_texts(server, config, is_read=True, one_page=True),
    "long texts of many pages": lambda server, config: long_texts(server, config, is_read=True),
}
REFUSED = {
    "an upload": ("gradio_api/upload", {}, b"x" * 1_000_000),
    "a long request": ("gradio_api/queue/join", {}, b"x" * 1_000_000),
    "another site's page": ("gradio_api/queue/join", {"origin": "http://kitchen.example"}, b"{}"),
    "another site's name": ("gradio_api/queue/join", {"host": "kitchen.example"}, b"{}"),
}


def attacked(config: Config, attack: Callable[[Server, Config], None]) -> tuple[float, float]:
    """Return the seconds until one who comes after an attack has the first words, and the whole text."""
    server = serve(config.model, users=config.users, chat=False)
    try:
        for _ in read(server, join(server, max_new_tokens=2)):  # loads what is loaded late
            pass
        attack(server, config)
        began = time.perf_counter()
        seconds = [time.perf_counter() - began for _ in read(server, join(server, max_new_tokens=config.tokens))]
        return seconds[0], seconds[-1]
    finally:
        server.close()


def memory_after(server: Server, requests: int, tokens: int) -> float:
    """Return the megabytes in use after so many requests, of which every second one is read."""
    for index in trange(requests, unit="request"):
        event = join(server, max_new_tokens=tokens, seed=index)
        if index % 2:
            _read_all(server, event)
    while server.turns.texts:
        time.sleep(0.01)
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if STATM.is_file() else 0.0


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    first_words, whole_text = {}, {}
    for name, attack in ATTACKS.items():
        first_words[name], whole_text[name] = attacked(config, attack)
        print(f"{name:<30} first words after {first_words[name]:.2f} s, all {whole_text[name]:.2f} s")
    server = serve(config.model, users=config.users, chat=False)
    try:
        refused = {
            name: httpx.post(f"{server.url}{path}", headers=headers, content=content, timeout=60).status_code
            for name, (path, headers, content) in REFUSED.items()
        }
        print(f"refused: {refused}")
        warm = min(config.requests, 200)
        memory = {f"{warm:,}": memory_after(server, warm, 5)}
        memory[f"{warm + config.requests:,}"] = memory_after(server, config.requests, 5)
        print(f"megabytes by requests: {memory}")
    finally:
        server.close()
    return Results(first_words, whole_text, refused, memory)


TOLERANCE = {name: Tolerance(compared=False) for name in ("first_words.*", "whole_text.*", "memory.*")}

if __name__ == "__main__":
    run(main, Config, tolerance=TOLERANCE)
