"""Ask a folder in a browser: a page on this machine with the answer, and its sources highlighted where they stand.

    uv run sprints/25_retrieval_augmented_generation/demo.py
    uv run sprints/25_retrieval_augmented_generation/demo.py --folder DIR --model minilm

Open the printed address; Ctrl-C ends the server. Theory: notes/14_a_page_that_shows_its_sources.md
"""

from dataclasses import dataclass

from tqdm import tqdm

from retrieval.asking import Asker, ModelName, encoder_named
from retrieval.folder import find_files
from retrieval.page import serve
from retrieval.store import Store, index_name
from retrieval.thresholds import ENOUGH
from shared.lab.config import ScriptConfig, refuse
from shared.lab.paths import SPRINTS
from shared.lab.ranges import ExistingFolder, Port, Seconds
from shared.lab.run import run, run_folder


@dataclass(frozen=True)
class Config(ScriptConfig):
    folder: ExistingFolder = SPRINTS  # the folder with your files
    model: ModelName = "words"  # words: BM25 alone; minilm: BM25 and vectors (group models)
    port: Port | None = None  # port to listen on (default: the first free one from 7860 on)
    seconds: Seconds | None = None  # serve so long (default: until Ctrl-C)


@dataclass(frozen=True)
class Results:
    url: str
    pieces: int


def main(config: Config) -> Results:
    if config.record is not None:
        refuse("a page that is served has nothing to record; own_questions.py does")
    encoder = encoder_named(config.model)
    store = Store(run_folder(config, __file__) / index_name(config.folder, config.model), encoder)
    for sentence in store.update(find_files(config.folder), lambda names: tqdm(names, unit="file")).left_out:
        print(sentence)
    asker = Asker(store.load(), encoder, ENOUGH[config.model])
    server = serve(asker, config.folder.resolve().name, port=config.port)
    server.keep_open(config.seconds)
    return Results(server.url, len(asker.indexed.chunks))


if __name__ == "__main__":
    run(main, Config)
