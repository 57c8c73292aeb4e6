"""What does the model see? A web page on this machine: lay a table or drop a picture, and watch the caption come.

    uv run sprints/22_pictures_and_words/demo.py
    uv run sprints/22_pictures_and_words/demo.py --port 8000

Open the printed address; Ctrl-C ends the server. Theory: notes/12_a_page_that_sees.md
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from seeing.demo_page import serve
from seeing.table_gpt import TABLE_GPT, load_table_gpt
from shared.lab.config import ScriptConfig, refuse
from shared.lab.ranges import Port, Seconds
from shared.lab.run import run
from shared.nn.pretrained import load_tokenizer


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
    server.keep_open(config.seconds)
    return Results(server.url)


if __name__ == "__main__":
    run(main, Config)
