"""What does the model see? A web page on this machine: lay a table or drop a picture, and watch the caption come.

    uv run sprints/22_pictures_and_words/demo.py
    uv run sprints/22_pictures_and_words/demo.py --port 8000

Open the printed address; Ctrl-C ends the server. Theory: notes/12_a_page_that_sees.md
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field

from seeing.demo_page import serve
from seeing.table_gpt import TABLE_GPT, load_table_gpt
from shared.lab.config import ScriptConfig, refuse
from shared.lab.run import run
from shared.nn.pretrained import load_tokenizer

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=1e8)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: Path = TABLE_GPT  # folder of a model that describe.py wrote (default: the shipped one)
    port: Port | None = None  # port to listen on (default: the first free one from 7860 on)
    seconds: Seconds | None = None  # serve so long (default: until Ctrl-C)


@dataclass(frozen=True)
class Results:
    url: str


def main(config: Config) -> Results:
    if config.record is not None:
        refuse("a page that is served has nothing to record; flat_memory.py and where_it_looks.py do")
    torch.set_num_threads(1)
    server = serve(load_table_gpt(config.model), load_tokenizer(), port=config.port)
    print(f"Open {server.url}", flush=True)
    try:
        time.sleep(1e8 if config.seconds is None else config.seconds)
    except KeyboardInterrupt:
        print()
    server.close()
    return Results(server.url)


if __name__ == "__main__":
    run(main, Config)
