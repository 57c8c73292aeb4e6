"""What does a Llama know whose rotary positions turn the pairs of the other family? And what repairs it?

    uv run sprints/19_transformer_variants/wrong_pairing.py

The cook of sprint 16, which is shipped, answers questions about quantities: as it was trained, with the pairs of the
other family, and with the rows of its query and key matrices reordered as well. Theory: notes/10_queries_and_keys.md
"""

from dataclasses import dataclass, replace

import torch
from tokenizers import Tokenizer

from shared.checks.intervals import share_interval
from shared.generation.decoding import stream
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.paths import ROOT
from shared.lab.provenance import note_read
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.decoder import Decoder, DecoderConfig
from shared.nn.llama_files import load_llama
from shared.text.quantity_problems import problem
from shared.training.losses import token_losses
from variants.pairing import reordered

FOLDER = ROOT / "data" / "models" / "kitchen-llama"


@dataclass(frozen=True)
class Config(ScriptConfig):
    questions: PositiveInt = 200  # questions that are asked
    new_tokens: PositiveInt = 48  # tokens of the longest answer


@dataclass(frozen=True)
class Answers:
    """Right answers, the 95 % interval of their share, and the nats of a token of what the right model wrote."""

    right: int
    low: float
    high: float
    nats: float
    first_nats: float


@dataclass(frozen=True)
class Results:
    models: dict[str, Answers]
    chance_nats: float


def variants() -> dict[str, Decoder]:
    """Return the shipped model three times."""
    llama = load_llama(note_read(FOLDER))
    sizes = vars(llama.config)
    halves = Decoder(DecoderConfig.llama(**sizes))
    halves.load_state_dict(llama.state_dict())
    config = replace(halves.config, pairing="interleaved")
    wrong, mended = Decoder(config), Decoder(config)
    wrong.load_state_dict(halves.state_dict())
    mended.load_state_dict(reordered(halves))
    named = {"pairs i and i + head_dim / 2, as trained": halves, "pairs 2i and 2i + 1": wrong}
    return {name: model.eval() for name, model in (named | {"the same, rows reordered": mended}).items()}


@torch.no_grad()
def main(config: Config) -> Results:
    torch.set_num_threads(1)
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    generator = torch.Generator().manual_seed(config.seed)
    problems = [problem(generator) for _ in range(config.questions)]
    prompts = [tokenizer.encode(f"<user>{one.question}<cook>").ids for one in problems]
    found: dict[str, Answers] = {}
    said: list[list[int]] = []
    for name, model in variants().items():
        steps = list(stream(model, prompts, max_new_tokens=config.new_tokens, temperature=0.0))
        rows = [list(row) for row in zip(*steps, strict=True)]
        said = said or rows  # the first model is the right one
        texts = (tokenizer.decode(row, skip_special_tokens=False).split("<end>")[0] for row in rows)
        answers = [text.partition("<answer>")[2].partition("</answer>")[0] for text in texts]
        right = sum(one.is_correct(answer) for one, answer in zip(problems, answers, strict=True))
        nats = [nats_of(model, prompt, row) for prompt, row in zip(prompts, said, strict=True)]
        spent, tokens, first = (sum(part) for part in zip(*nats, strict=True))
        low, high = share_interval(right, config.questions)
        found[name] = Answers(right, low, high, spent / tokens, first / config.questions)
        print(f"{name}: {right} of {config.questions} right, {found[name].nats:.3f} nats a token; {answers[0]!r}")
    vocabulary = torch.tensor(float(tokenizer.get_vocab_size()))
    return Results(found, vocabulary.log().item())


def nats_of(model: Decoder, prompt: list[int], said: list[int]) -> tuple[float, int, float]:
    """Return the nats of what was said up to its end, its tokens, and the nats of the row's second token."""
    said = said[: said.index(1) + 1] if 1 in said else said
    row = torch.tensor([prompt + said])
    losses = token_losses(model(row[:, :-1]), row)[0]
    return losses[len(prompt) - 1 :].sum().item(), len(said), losses[0].item()


if __name__ == "__main__":
    run(main, Config, tolerance={"models.*": Tolerance(relative=0.02, absolute=2)})
