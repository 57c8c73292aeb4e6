"""What does the page look like? Opens it in a browser without a window, and takes a picture of an entity.

    uv run sprints/26_dynamic_knowledge_graph/picture_of_page.py
    uv run sprints/26_dynamic_knowledge_graph/picture_of_page.py --entity "shop:Luna" --day 8

Needs Chromium or Chrome on the machine. Theory: notes/16_a_page_of_the_graph.md
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from knowledge.desk import Desk
from knowledge.example_news import SINGLE, SOURCES, example_news
from knowledge.page import serve
from shared.lab.browser import find_browser, open_page, save_picture
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeInt
from shared.lab.run import run, run_folder


@dataclass(frozen=True)
class Config(ScriptConfig):
    entity: str = "person:A. Berg"  # any name of it
    day: NonNegativeInt = 9  # for which its facts hold

    def check(self) -> None:
        find_browser()


@dataclass(frozen=True)
class Results:
    bytes: int
    foreign_requests: list[str]


def main(config: Config) -> Results:
    folder = run_folder(config, __file__) if config.record is None else Path(__file__).parent / "figures"
    addresses: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        desk = Desk(Path(temporary) / "page.db", SOURCES, SINGLE)
        with desk.open() as store:
            store.add(example_news(), "example", start=0)
        server = serve(desk)
        try:
            with open_page(1000, 1400) as page:
                page.on("request", lambda request: addresses.append(request.url))
                page.goto(f"{server.url}?__theme=light")
                page.locator("#entity input").fill(config.entity)
                page.locator("#entity input").press("Enter")
                page.locator("#day input[type=number]").fill(str(config.day))
                page.locator("#day input[type=number]").press("Enter")
                page.locator("#page svg ellipse").first.wait_for()
                page.wait_for_timeout(2000)  # for what the last change asked
                page.evaluate("window.scrollTo(0, 0)")
                picture = page.screenshot()
        finally:
            server.close()
    save_picture(picture, folder / "page.png")
    foreign = [address for address in addresses if not address.startswith((server.url, "data:", "blob:"))]
    print(f"requests to other machines: {', '.join(foreign) or 'none'}")
    return Results(len(picture), foreign)


if __name__ == "__main__":
    # Fonts differ between machines.
    run(main, Config, tolerance={"bytes": Tolerance(compared=False), "foreign_requests": EXACT})
