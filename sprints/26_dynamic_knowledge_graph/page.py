"""Look at a graph that grows: an entity as of any time, why two mentions were merged, and undo; a page on this machine.

    uv run sprints/26_dynamic_knowledge_graph/page.py
    uv run sprints/26_dynamic_knowledge_graph/page.py --data FILE

A line of a file is a record as JSON with its claims, as `knowledge/arriving.py::read_line` reads it. Open the printed
address; Ctrl-C ends the server. Theory: notes/16_a_page_of_the_graph.md
"""

from dataclasses import dataclass

from knowledge.arriving import read_line
from knowledge.desk import Desk
from knowledge.example_news import SINGLE, SOURCES, example_news
from knowledge.page import serve
from shared.lab.config import ScriptConfig, refuse
from shared.lab.ranges import ExistingFile, Port, Seconds
from shared.lab.run import run, run_folder


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: ExistingFile | None = None  # lines that arrive (default: fifteen pieces of kitchen news)
    port: Port | None = None  # port to listen on (default: the first free one from 7860 on)
    seconds: Seconds | None = None  # serve so long (default: until Ctrl-C)


@dataclass(frozen=True)
class Results:
    url: str
    arrivals: int
    kept_aside: int
    entities: int


def main(config: Config) -> Results:
    if config.record is not None:
        refuse("a page that is served has nothing to record")
    lines = config.data.read_text(encoding="utf-8").splitlines() if config.data else []
    arrivals = [read_line(line) for line in lines if line.strip()] if config.data else example_news()
    folder = run_folder(config, __file__)
    folder.mkdir(parents=True, exist_ok=True)
    stream = str(config.data.resolve()) if config.data else "example"
    desk = Desk(folder / f"{config.data.stem if config.data else 'example'}.db", SOURCES, SINGLE)
    with desk.open() as store:
        # A second start reads nothing twice, and decisions of the first are still there.
        store.add(arrivals, stream, start=0)
        tick, aside = store.tick, store.aside()
    for _, reason, _ in aside[:5]:
        print(f"kept aside: {reason}")
    server = serve(desk, port=config.port)
    server.keep_open(config.seconds)
    return Results(server.url, tick, len(aside), len(desk.entities()))


if __name__ == "__main__":
    run(main, Config)
