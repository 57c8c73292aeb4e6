"""What does the page look like? Opens it in a browser without a window, writes a recipe and takes a picture.

    uv run sprints/10_pretrained_generation_demo/screenshot.py
    uv run sprints/10_pretrained_generation_demo/screenshot.py --preset smollm2

Needs Chromium or Chrome on the machine. Theory: notes/08_streaming.md
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from decoding_demo.chosen_model import load
from decoding_demo.demo_page import SECONDS, serve
from decoding_demo.prompts import EXAMPLES, QUESTIONS
from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.streaming import write
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import MOST_BYTES
from shared.lab.files import replacing
from shared.lab.paths import shown
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


@dataclass(frozen=True)
class Results:
    bytes: int
    foreign_requests: list[str]


def find_browser() -> str:
    """Return the path of Chromium or Chrome.

    Raises:
        ValueError: there is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    raise ValueError("there is no chromium or google-chrome on the path: install one of them")


def main(config: Config) -> Results:
    from playwright.sync_api import Error, sync_playwright

    torch.set_num_threads(1)
    browser_path = find_browser()
    write(load(config.model), config.prompt, SamplingSettings())  # says whether the page will take the prompt
    folder = run_folder(config, __file__) if config.record is None else Path(__file__).parent / "figures"
    target = folder / ("demo.png" if config.model == SHIPPED else f"demo_{Path(config.model).name}.png")
    server, addresses = serve(config.model), []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 1130})
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
            browser.close()
    except Error as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"the browser gave up ({reason}): try again when the machine is less busy") from None
    finally:
        server.close()
    if len(picture) > MOST_BYTES:
        raise ValueError(
            f"a figure must be at most {MOST_BYTES:,} bytes, this one has {len(picture):,}: make it smaller"
        )
    with replacing(target) as temporary:
        temporary.write_bytes(picture)
    foreign = [address for address in addresses if not address.startswith((server.url, "data:", "blob:"))]
    print(f"{shown(target)}: {len(picture):,} bytes; requests to other machines: {foreign or 'none'}")
    return Results(len(picture), foreign)


TOLERANCE = {"bytes": Tolerance(compared=False), "foreign_requests": EXACT}  # fonts differ between machines

if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance=TOLERANCE)
