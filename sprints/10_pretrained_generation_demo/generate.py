"""How does one turn probabilities into text? Greedy, sampled, beam search and a penalty on repetition, side by side.

    uv run sprints/10_pretrained_generation_demo/generate.py
    uv run sprints/10_pretrained_generation_demo/generate.py --model gpt2 --prompt "The meaning of life is"

The model comes from transformers. What is drawn is drawn by `shared/generation/sampling.py`; the library's own
`generate` does the rest and has to agree where nothing is random. Theory: notes/01_decoding.md
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from decoding_demo.prompts import check_fits, encode
from decoding_demo.sampling_settings import SamplingSettings
from shared.generation.sampling import sample
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.pretrained import SHIPPED, context_length, load_causal_model
from shared.text.cookbook import Cookbook

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OURS: dict[str, dict[str, Any]] = {
    "greedy": {"top_k": 1},
    "temperature 1": {},
    "temperature 0.7": {"temperature": 0.7},
    "top-k 10": {"top_k": 10},
    "top-p 0.9": {"top_p": 0.9},
}
THEIRS: dict[str, dict[str, Any]] = {
    "greedy, library": {},
    # Without length_penalty=0 beams are ranked by probability per token, and a long text may beat a more probable one.
    "beam search": {"num_beams": 4, "length_penalty": 0.0},
    "repetition penalty 1.2": {"repetition_penalty": 1.2},
    "repetition penalty 2": {"repetition_penalty": 2.0},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), a folder, or a model of the hub such as gpt2
    prompt: str | None = None  # continue this text (default: titles of validation recipes)
    prompts: PositiveInt = 12  # titles to continue
    max_new_tokens: PositiveInt = 220  # tokens to write at most

    def check(self) -> None:
        SamplingSettings(max_new_tokens=self.max_new_tokens)


@dataclass(frozen=True)
class DecodingMethod:
    log_prob: float
    tokens: float
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


@torch.no_grad()
def decode(model: "PreTrainedModel", prompt: list[int], settings: SamplingSettings, end: int) -> list[int]:
    """Return the prompt and what is drawn after it, up to the end token: the loop that `generate` hides."""
    generator = torch.Generator().manual_seed(settings.seed)
    tokens = torch.tensor([prompt], device=model.device)  # (1, tokens)
    new, cache = tokens, None
    for _ in range(settings.max_new_tokens):
        output = model(new, cache=cache, use_cache=True)
        cache = output.cache
        new = sample(settings.apply(output.logits[:, -1], tokens), generator=generator)[:, None]
        tokens = torch.cat([tokens, new], dim=1)
        if new.item() == end:
            break
    return tokens[0].tolist()


def generate(model: "PreTrainedModel", prompt: list[int], end: int, **options: Any) -> list[int]:
    """Return what the library decodes without drawing."""
    tokens = torch.tensor([prompt], device=model.device)
    mask = torch.ones_like(tokens)
    options = {"attention_mask": mask, "do_sample": False, "pad_token_id": end, "eos_token_id": end} | options
    return model.generate(tokens, **options)[0].tolist()  # ty: ignore[not-callable] (PreTrainedModel does not declare it)


@torch.no_grad()
def log_prob(model: "PreTrainedModel", tokens: list[int], start: int) -> float:
    """Return the log-probability, in nats, that the model gives to the tokens from `start` on."""
    row = torch.tensor(tokens, device=model.device)
    log_probs = model(row[None]).logits[0].log_softmax(-1)  # (tokens, vocab)
    return log_probs[start - 1 : -1].gather(1, row[start:, None]).sum().item()


def main(config: Config) -> Results:
    seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    model.to(pick_device(config.device))
    end, judge = tokenizer.eos_token_id, Cookbook() if config.model == SHIPPED else None
    if config.prompt is None:
        titles = [Cookbook().recipe("validation", index).text.partition("\n")[0] for index in range(config.prompts)]
    prompts = [encode(tokenizer, text) for text in (titles if config.prompt is None else [config.prompt])]
    check_fits(max(map(len, prompts)), config.max_new_tokens, context_length(model))
    written: dict[str, list[list[int]]] = {}
    for name in tqdm([*OURS, *THEIRS], unit="method"):
        if name in OURS:
            settings = SamplingSettings(**OURS[name], max_new_tokens=config.max_new_tokens, seed=config.seed)
            written[name] = [decode(model, prompt, settings, end) for prompt in prompts]
        else:
            options = THEIRS[name] | {"max_new_tokens": config.max_new_tokens}
            written[name] = [generate(model, prompt, end, **options) for prompt in prompts]
    log_probs, methods = {}, {}
    for name, rows in written.items():
        log_probs[name] = [log_prob(model, row, len(prompt)) for row, prompt in zip(rows, prompts, strict=True)]
        texts = [str(tokenizer.decode(row, skip_special_tokens=True)) for row in rows]
        faults = [judge.fault(text) for text in texts] if judge else []
        methods[name] = DecodingMethod(
            log_prob=sum(log_probs[name]) / len(rows),
            tokens=sum(len(row) - len(prompt) for row, prompt in zip(rows, prompts, strict=True)) / len(rows),
            valid=faults.count(None) / len(faults) if judge else None,
            first_text=texts[0],
            invalid_text=next((text for text, fault in zip(texts, faults, strict=False) if fault), None),
            fault=next((str(fault) for fault in faults if fault), None),
        )
        valid = "" if methods[name].valid is None else f"  {methods[name].valid:.0%} valid"
        print(f"{name:<24}{methods[name].log_prob:9.2f} nats{valid}")
        if config.prompt is not None:
            print(f"\n{texts[0]}\n")
    greedy, beams = log_probs["greedy"], log_probs["beam search"]
    equal = [ours == theirs for ours, theirs in zip(written["greedy"], written["beam search"], strict=True)]
    return Results(
        methods=methods,
        prompts=len(prompts),
        greedy_equals_library=sum(map(list.__eq__, written["greedy"], written["greedy, library"])),
        beam_beats_greedy=sum(theirs > ours for ours, theirs in zip(greedy, beams, strict=True)),
        beam_equals_greedy=sum(equal),
    )


def plot(results: Results) -> Figure:
    """Draw how probable the texts of each method are and, where the grammar can judge, how many are valid."""
    figure, (left, right) = new_figure(width=9, height=4, columns=2)
    names = list(results.methods)[::-1]
    left.barh(names, [-results.methods[name].log_prob for name in names])
    left.set(xlabel="-log probability for the model, nats per text")
    shares = [results.methods[name].valid for name in names]
    if None in shares:
        right.remove()
        return figure
    right.barh(names, shares, color="C2")
    right.set(xlabel="valid recipes", xlim=(0, 1))
    right.tick_params("y", labelleft=False)
    return figure


# Greedy decoding is determined; what is drawn turns with the last digit of a logit.
TOLERANCE = {
    "methods.t*": Tolerance(relative=0.2, absolute=0.2),
    "methods.t*.invalid_text": Tolerance(compared=False),
    "methods.t*.fault": Tolerance(compared=False),
}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
