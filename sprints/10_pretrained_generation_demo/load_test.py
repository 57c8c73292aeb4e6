"""Does the demo serve fifty users at once, and is each text the one that its seed gives alone?

    uv run sprints/10_pretrained_generation_demo/load_test.py

Starts the page's server on a free port and talks to it as a browser would. Theory: notes/09_many_users.md
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import torch
from pydantic import Field

from decoding_demo.chosen_model import load
from decoding_demo.demo_page import MOST_TEXTS, serve
from decoding_demo.prompts import EXAMPLES
from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.streaming import write
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import SHIPPED
from shared.web.serving import import_gradio

if TYPE_CHECKING:
    from gradio_client import Client

Requests = Annotated[int, Field(ge=1, le=MOST_TEXTS)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (shipped), smollm2, a folder, or a name of the hub such as gpt2: GPT-2 or Llama
    requests: Requests = 50  # users at the same time, each with a request
    users: PositiveInt = 8  # texts that compute at the same time
    max_new_tokens: PositiveInt = 60  # tokens to write at most
    alone: PositiveInt = 10  # requests one after the other, to compare

    def check(self) -> None:
        request(0, self)


@dataclass(frozen=True)
class Answer:
    """What a user got: the text, tokens, seconds to the first token and to the last; or an error."""

    text: str
    tokens: int
    first: float
    last: float
    error: str | None


@dataclass(frozen=True)
class Results:
    answered: int
    errors: list[str]
    equal_to_alone: int
    alone_first_token: float
    alone_first_token_worst: float
    together_first_token: float
    together_first_token_worst: float
    alone_tokens_per_second: float
    together_tokens_per_second: float


def connect(url: str) -> "Client":
    """Return a client of the page, as gradio provides it; on a busy machine fifty of them need their time."""
    import_gradio()
    from gradio_client import Client

    return Client(url, verbose=False, analytics_enabled=False, httpx_kwargs={"timeout": 60})


def request(seed: int, config: Config) -> tuple[str, SamplingSettings]:
    """Return the prompt and the settings of user number `seed`."""
    settings = SamplingSettings(temperature=0.9, top_p=0.95, max_new_tokens=config.max_new_tokens, seed=seed)
    return EXAMPLES[seed % len(EXAMPLES)], settings


def ask(client: "Client", seed: int, config: Config) -> Answer:
    """Send a request and read the answer as it arrives."""
    prompt, settings = request(seed, config)
    values = [vars(settings)[name] for name in SamplingSettings.LIMITS]
    began, first = time.perf_counter(), 0.0
    try:
        job = client.submit(prompt, *values, api_name="/write")
        # Iterating over the job would poll with its lock held, which keeps the answer out: that measures the client.
        while not first and not job.done():
            time.sleep(0.005)
            first = time.perf_counter() - began if job.outputs() else 0.0
        text, _, status = job.result()
    except Exception as error:  # whatever it is, it is what the test is about
        return Answer("", 0, first, 0.0, f"{type(error).__name__}: {error}")
    last = time.perf_counter() - began
    return Answer(text, int(status.partition(" ")[0]), first or last, last, None)


def timed(work: Callable[[], list[Answer]]) -> tuple[list[Answer], float]:
    """Return answers and their tokens per second, all together."""
    began = time.perf_counter()
    answers = work()
    return answers, sum(answer.tokens for answer in answers) / (time.perf_counter() - began)


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    chosen = load(config.model)
    for prompt in EXAMPLES:
        write(chosen, prompt, request(0, config)[1], chat=False)  # says whether they fit into the model's context
    server = serve(config.model, users=config.users, chat=False)
    print(f"{server.url}: {config.requests} users")
    try:
        first, seeds = connect(server.url), range(config.requests)
        ask(first, 0, config)  # loads what is loaded late
        alone, alone_rate = timed(lambda: [ask(first, seed, config) for seed in range(config.alone)])
        with ThreadPoolExecutor(config.requests) as pool:
            clients = [first, *pool.map(connect, [server.url] * (config.requests - 1))]
            together, rate = timed(lambda: list(pool.map(ask, clients, seeds, [config] * config.requests)))
    finally:
        server.close()
    equal = 0
    for seed, answer in enumerate(together):
        prompt, settings = request(seed, config)
        *_, written = write(chosen, prompt, settings, chat=False)
        equal += answer.text == prompt + written.text
    errors = [answer.error for answer in [*alone, *together] if answer.error]
    results = Results(
        answered=sum(answer.error is None for answer in together),
        errors=errors,
        equal_to_alone=equal,
        alone_first_token=statistics.median(answer.first for answer in alone),
        alone_first_token_worst=max(answer.first for answer in alone),
        together_first_token=statistics.median(answer.first for answer in together),
        together_first_token_worst=max(answer.first for answer in together),
        alone_tokens_per_second=alone_rate,
        together_tokens_per_second=rate,
    )
    print(f"{results.answered} of {config.requests} answered, {equal} as alone; errors: {errors or 'none'}")
    print(
        f"first token: alone {results.alone_first_token:.3f} s, worst {results.alone_first_token_worst:.3f} s;", end=" "
    )
    print(f"together {results.together_first_token:.3f} s, worst {results.together_first_token_worst:.3f} s")
    print(f"tokens per second: alone {alone_rate:.0f}, together {rate:.0f}")
    return results


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "*first_token*": TIMING, "*per_second*": TIMING})
