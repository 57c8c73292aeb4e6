"""What does a language model consider before each word? A web page on this machine, for several users at once.

    uv run sprints/10_pretrained_generation_demo/demo.py
    uv run sprints/10_pretrained_generation_demo/demo.py --model smollm2
    uv run sprints/10_pretrained_generation_demo/demo.py --model gpt2 --port 8000

Open the printed address; Ctrl-C ends the server. Theory: notes/08_streaming.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field

from decoding_demo.demo_page import serve
from shared.lab.config import ScriptConfig, refuse
from shared.lab.ranges import Port, PositiveInt, Seconds
from shared.lab.run import run
from shared.lab.runtime import pick_device
from shared.nn.pretrained import SHIPPED

Threads = Annotated[int, Field(ge=1, le=256)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (shipped), smollm2, a folder, or a name of the hub such as gpt2: GPT-2 or Llama
    chat: bool | None = None  # take the prompt as a message to be answered (default: if the model was taught to chat)
    port: Port | None = None  # port to listen on (default: the first free one from 7860 on)
    users: PositiveInt = 8  # texts that compute at the same time; others wait for their turn
    threads: Threads = 1  # threads that each text computes with
    seconds: Seconds | None = None  # serve so long (default: until Ctrl-C)


@dataclass(frozen=True)
class Results:
    url: str


def main(config: Config) -> Results:
    if config.record is not None:
        refuse("a page that is served has nothing to record; screenshot.py and load_test.py do")
    torch.set_num_threads(config.threads)
    device = str(pick_device(config.device))
    server = serve(config.model, users=config.users, port=config.port, device=device, chat=config.chat)
    server.keep_open(config.seconds)
    return Results(server.url)


if __name__ == "__main__":
    run(main, Config)
