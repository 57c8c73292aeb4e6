"""Does the page keep anything of the pictures that it has seen? A thousand in a row, and the memory that it holds.

    uv run sprints/22_pictures_and_words/flat_memory.py --pictures 200 --every 50

Starts the page's server on a free port and sends pictures as a program does. Theory: notes/12_a_page_that_sees.md
"""

import json
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from seeing.demo_page import serve
from seeing.drawing import pictures, render
from seeing.page_pictures import to_uri
from seeing.saying import captions_by
from seeing.scenes import scenes
from seeing.table_gpt import TABLE_GPT, load_table_gpt
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import load_tokenizer

MEGABYTE = 2**20

PRESETS = {"full": {"pictures": 1000, "every": 50, "compared": 50}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: Path = TABLE_GPT  # folder of a model that describe.py wrote (default: the shipped one)
    pictures: PositiveInt = 200  # one after the other, each another table
    every: PositiveInt = 20  # pictures between two looks at the memory
    compared: PositiveInt = 10  # captions, the first ones, that are compared with what the model writes without a page

    def check(self) -> None:
        if self.pictures < 4 * self.every:
            raise ValueError(
                f"a trend needs four looks at the memory; got {self.pictures} pictures and a look every {self.every}"
            )


@dataclass(frozen=True)
class Results:
    answered: int
    equal: int  # of the captions that were compared
    megabytes: list[tuple[int, float]]  # pictures so far, and the memory that the process holds
    grown: float  # megabytes from a quarter of the pictures to the end
    seconds_each: float


def ask(url: str, picture: str) -> str:
    """Send a picture to a page, wait until the caption is complete, and return it."""
    address = f"{url}gradio_api/call/look"
    body = json.dumps({"data": [picture]}).encode()
    request = urllib.request.Request(address, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}/{event}", timeout=60) as answer:
        last = answer.read().decode().strip().split("\n\n")[-1]  # the pieces of an answer that streams
    kind, data = last.split("\n", 1)
    if kind != "event: complete":
        raise ValueError(f"the page did not answer: {last[:200]}")
    return json.loads(data.removeprefix("data: "))[1]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    model, tokenizer = load_table_gpt(config.model), load_tokenizer()
    first = scenes("test", 0, min(config.compared, config.pictures))
    alone = captions_by(model, pictures(first), tokenizer)
    server, process, said, megabytes = serve(model, tokenizer), psutil.Process(), [], []
    began = time.perf_counter()
    try:
        for number in tqdm(range(config.pictures), desc="pictures", leave=False):
            caption = ask(server.url, to_uri(render(scenes("test", number, 1)[0])))
            said += [caption] if number < len(first) else []
            if (number + 1) % config.every == 0:
                megabytes.append((number + 1, process.memory_info().rss / MEGABYTE))
    finally:
        server.close()
    seconds = (time.perf_counter() - began) / config.pictures
    equal = sum(one == other.strip() for one, other in zip(said, alone, strict=True))
    grown = megabytes[-1][1] - megabytes[len(megabytes) // 4 - 1][1]
    print(f"{config.pictures} pictures, {equal} of {len(first)} captions as without the page")
    print(f"{megabytes[-1][1]:.0f} MB at the end; {grown:+.1f} MB after the first quarter; {seconds:.2f} s each")
    return Results(config.pictures, equal, megabytes, grown, seconds)


def plot(results: Results) -> Figure:
    """Draw the memory by the number of pictures, from zero up."""
    figure, axes = new_figure(6.4, 3.2)
    axes.plot(*zip(*results.megabytes, strict=True), "o-", markersize=4)
    axes.set(xlabel="pictures so far", ylabel="memory of the process (MB)")
    axes.set_ylim(0, 1.2 * max(held for _, held in results.megabytes))
    return figure


TOLERANCE = {"*": EXACT, "megabytes*": TIMING, "grown": TIMING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
