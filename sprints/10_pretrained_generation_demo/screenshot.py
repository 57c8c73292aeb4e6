"""What does the page look like? Opens it in a browser without a window, writes a recipe and takes a picture.

    uv run sprints/10_pretrained_generation_demo/screenshot.py
    uv run sprints/10_pretrained_generation_demo/screenshot.py --preset smollm2

Needs Chromium or Chrome on the machine. Theory: notes/08_streaming.md
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from decoding_demo.chosen_model import load
from decoding_demo.demo_page import SECONDS, serve
from decoding_demo.prompts import EXAMPLES, QUESTIONS
from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.streaming import write
from shared.lab.browser import find_browser, open_page, save_picture
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeInt, PositiveFloat
from shared.lab.run import run, run_folder
from shared.nn.pretrained import SHIPPED, SMOLLM2

PRESETS: dict[str, dict[str, Any]] = {
    "smollm2": {"model": SMOLLM2, "prompt": QUESTIONS[0], "temperature": 0.7, "point_at": 3}
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (shipped), smollm2, a folder, or a name of the hub such as gpt2: GPT-2 or Llama
    prompt: str = EXAMPLES[0]  # text to continue, or message to answer
    temperature: PositiveFloat = 1.0  # divides the logits
    point_at: NonNegativeInt = 11  # number of the token to point at
    dark: bool = False  # the dark theme

    def check(self) -> None:
        find_browser()


@dataclass(frozen=True)
class Results:
    bytes: int
    foreign_requests: list[str]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    write(load(config.model), config.prompt, SamplingSettings())  # says whether the page will take the prompt
    folder = run_folder(config, __file__) if config.record is None else Path(__file__).parent / "figures"
    target = folder / ("demo.png" if config.model == SHIPPED else f"demo_{Path(config.model).name}.png")
    server, addresses = serve(config.model), []
    try:
        with open_page(1280, 1130) as page:
            page.on("request", lambda request: addresses.append(request.url))
            page.goto(f"{server.url}?__theme={'dark' if config.dark else 'light'}")
            page.locator("#prompt textarea").fill(config.prompt)
            page.locator("#seed input").fill(str(config.seed))
            page.locator("#temperature input[type=number]").fill(str(config.temperature))
            page.locator("#pace input[type=number]").fill("0")
            page.locator("#write").click()
            page.locator("#status", has_text="seed").wait_for(timeout=1000 * SECONDS)
            if (tokens := page.locator("#words .token").count()) <= config.point_at:
                raise ValueError(f"there are {tokens} tokens, the first has the number 0; got {config.point_at}")
            page.locator("#words .token").nth(config.point_at).hover()
            page.evaluate("window.scrollTo(0, 0)")
            picture = page.screenshot()
    finally:
        server.close()
    save_picture(picture, target)
    foreign = [address for address in addresses if not address.startswith((server.url, "data:", "blob:"))]
    print(f"requests to other machines: {', '.join(foreign) or 'none'}")
    return Results(len(picture), foreign)


TOLERANCE = {"bytes": Tolerance(compared=False), "foreign_requests": EXACT}  # fonts differ between machines

if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance=TOLERANCE)
