"""How does one turn probabilities into text? Greedy, sampled, beam search and a penalty on repetition, side by side.

    uv run sprints/10_pretrained_generation_demo/generate.py
    uv run sprints/10_pretrained_generation_demo/generate.py --model smollm2 --prompt "Why do onions make me cry?"
    uv run sprints/10_pretrained_generation_demo/generate.py --model gpt2 --prompt "The meaning of life is"

The model is ours, with the weights of the pre-trained one, and so is the loop; beam search is the library's. The
library's greedy text has to be the same. Theory: notes/01_one_token_after_the_other.md
"""

import math
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from tqdm import tqdm

from decoding_demo.chosen_model import ChosenModel, load
from decoding_demo.decoding import decode, library, log_prob
from decoding_demo.prompts import QUESTIONS, check_fits
from decoding_demo.sampling_settings import SamplingSettings
from shared.checks.intervals import share_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.pretrained import SHIPPED, SMOLLM2, load_causal_model
from shared.text.cookbook import Cookbook

OURS: dict[str, dict[str, Any]] = {
    "greedy": {"top_k": 1},
    "temperature 1": {},
    "temperature 0.7": {"temperature": 0.7},
    "top-k 10": {"top_k": 10},
    "top-p 0.9": {"top_p": 0.9},
    "repetition penalty 1.2": {"top_k": 1, "repetition_penalty": 1.2},
    "repetition penalty 2": {"top_k": 1, "repetition_penalty": 2.0},
}
THEIRS: dict[str, dict[str, Any]] = {
    "greedy, library": {},
    # Without length_penalty=0 beams are ranked by probability per token, and a long text may beat a more probable one.
    "beam search": {"num_beams": 4, "length_penalty": 0.0},
}
PRESETS: dict[str, dict[str, Any]] = {"smollm2": {"model": SMOLLM2, "prompts": 3, "max_new_tokens": 96}}
NGRAM = 4  # tokens; a run of so many that came before counts as repeated


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (shipped), smollm2, a folder, or a name of the hub such as gpt2: GPT-2 or Llama
    prompt: str | None = None  # continue or answer this (default: titles of recipes; questions, if the model can chat)
    prompts: PositiveInt = 12  # of the default ones
    chat: bool | None = None  # take a prompt as a message to be answered (default: if the model was taught to chat)
    max_new_tokens: PositiveInt = 220  # tokens to write at most

    def check(self) -> None:
        SamplingSettings(max_new_tokens=self.max_new_tokens)


@dataclass(frozen=True)
class DecodingMethod:
    """What a method wrote: means over the prompts, and each text's log-probability in nats.

    tokens: new ones. repeated: share of runs of four tokens that stood before in the same answer.
    """

    log_prob: float
    log_probs: list[float]
    tokens: float
    repeated: float
    valid: float | None
    first_text: str
    invalid_text: str | None
    fault: str | None


@dataclass(frozen=True)
class Results:
    methods: dict[str, DecodingMethod]
    prompts: PositiveInt
    greedy_equals_library: int
    beam_beats_greedy: int
    beam_equals_greedy: int


def repeated(tokens: list[int]) -> float:
    """Return the share of runs of tokens that came before, 0 if there is none."""
    runs = [tuple(tokens[start : start + NGRAM]) for start in range(len(tokens) - NGRAM + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def default_prompts(config: Config, chosen: ChosenModel) -> list[str]:
    """Return the prompt of the options, questions, or titles of recipes."""
    if config.prompt is not None:
        return [config.prompt]
    if chosen.can_chat and config.chat is not False:
        return QUESTIONS[: config.prompts]
    return [Cookbook().recipe("validation", index).text.partition("\n")[0] for index in range(config.prompts)]


def measure(chosen: ChosenModel, rows: list[list[int]], prompts: list[list[int]]) -> DecodingMethod:
    """Return what texts of one method are like; the shipped model's are judged by the grammar."""
    log_probs = [log_prob(chosen, row, len(prompt)) for row, prompt in zip(rows, prompts, strict=True)]
    new = [row[len(prompt) :] for row, prompt in zip(rows, prompts, strict=True)]
    texts = [str(chosen.tokenizer.decode(row, skip_special_tokens=True)) for row in rows]
    faults = [Cookbook().fault(text) for text in texts] if chosen.name == SHIPPED else []
    return DecodingMethod(
        log_prob=math.fsum(log_probs) / len(rows),
        log_probs=log_probs,
        tokens=sum(map(len, new)) / len(rows),
        repeated=math.fsum(map(repeated, new)) / len(rows),
        valid=faults.count(None) / len(faults) if faults else None,
        first_text=texts[0],
        invalid_text=next((text for text, fault in zip(texts, faults, strict=False) if fault), None),
        fault=next((str(fault) for fault in faults if fault), None),
    )


def main(config: Config) -> Results:
    seed_everything(config.seed)
    device = pick_device(config.device)
    chosen, theirs = load(config.model, device), load_causal_model(config.model)[0].to(device)
    prompts = [chosen.encode(text, config.chat) for text in default_prompts(config, chosen)]
    check_fits(max(map(len, prompts)), config.max_new_tokens, chosen.model.config.context)
    written: dict[str, list[list[int]]] = {}
    for name in tqdm([*OURS, *THEIRS], unit="method"):
        if name in OURS:
            settings = SamplingSettings(**OURS[name], max_new_tokens=config.max_new_tokens, seed=config.seed)
            written[name] = [decode(chosen, prompt, settings) for prompt in prompts]
        else:
            options = THEIRS[name] | {"max_new_tokens": config.max_new_tokens}
            written[name] = [library(theirs, prompt, chosen.ends, **options) for prompt in prompts]
    methods = {name: measure(chosen, rows, prompts) for name, rows in written.items()}
    for name, method in methods.items():
        valid = "" if method.valid is None else f"  {method.valid:.0%} valid"
        print(f"{name:<24}{method.log_prob:9.2f} nats{method.repeated:7.1%} repeated{valid}")
        if config.prompt is not None:
            print(f"\n{method.first_text}\n")
    greedy, beams = methods["greedy"].log_probs, methods["beam search"].log_probs
    return Results(
        methods=methods,
        prompts=len(prompts),
        greedy_equals_library=sum(map(list.__eq__, written["greedy"], written["greedy, library"])),
        beam_beats_greedy=sum(theirs > ours + 1e-3 for ours, theirs in zip(greedy, beams, strict=True)),
        beam_equals_greedy=sum(map(list.__eq__, written["greedy"], written["beam search"])),
    )


def plot(results: Results) -> Figure:
    """Draw how probable each text is, and how many are valid; where nobody can judge, how much is repeated."""
    figure, (left, right) = new_figure(width=8, height=4, columns=2)
    methods = {name: method for name, method in list(results.methods.items())[::-1] if name != "greedy, library"}
    for height, method in enumerate(methods.values()):
        left.plot(method.log_probs, [height] * len(method.log_probs), "o", color="C0", alpha=0.35, markersize=5)
        left.plot(method.log_prob, height, "|", color="black", markersize=16, markeredgewidth=2)
    left.set_yticks(range(len(methods)), list(methods))
    left.set(xlabel="log-probability of a text, nats\n(a dot a text, the bar their mean)")
    shares = [method.valid if method.valid is not None else method.repeated for method in methods.values()]
    is_judged = all(method.valid is not None for method in methods.values())
    right.barh(range(len(methods)), shares, color="C2" if is_judged else "C1", height=0.6)
    label = f"runs of {NGRAM} tokens that came before, share"
    if is_judged:
        ends = [share_interval(round(share * results.prompts), results.prompts) for share in shares]
        errors = [[abs(share - end[side]) for share, end in zip(shares, ends, strict=True)] for side in (0, 1)]
        right.errorbar(shares, range(len(methods)), xerr=errors, fmt="none", color="black", capsize=3)
        label = f"valid of {results.prompts}, with 95 % intervals"
    right.set(xlim=(0, 1.02), xlabel=label)
    right.tick_params("y", labelleft=False)
    for axes in (left, right):
        axes.set_ylim(-0.5, len(methods) - 0.5)
    return figure


# Greedy decoding is determined; what is drawn turns with the last digit of a logit.
TOLERANCE = {
    "methods.t*": Tolerance(relative=0.2, absolute=0.2),
    "methods.t*.log_probs": Tolerance(compared=False),
    "methods.t*.*_text": Tolerance(compared=False),
    "methods.t*.fault": Tolerance(compared=False),
}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
