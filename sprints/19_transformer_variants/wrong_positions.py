"""What if a RoBERTa is read with the positions of a BERT? Each rule of numbering beside the library's own model.

    uv run sprints/19_transformer_variants/wrong_positions.py

The weights are random and the same for all rules, so that any difference is one of positions. Theory:
notes/03_roberta_and_electra.md
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo
from shared.lab.run import run
from shared.nn.bert import BertConfig, MaskedLanguageModel, number_places

VOCAB, PAD, FIRST = 40, 1, 2


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: AtLeastTwo = 8  # places of a row, padding among them
    padding: AtLeastTwo = 3  # of which so many are padding

    def check(self) -> None:
        if self.padding >= self.tokens:
            raise ValueError(f"a row needs a real token; got --padding {self.padding} of --tokens {self.tokens}")


@dataclass(frozen=True)
class Rule:
    """Positions of a row by a rule, for padding on each side, and how far the logits are from the library's."""

    positions: dict[str, list[int]]
    difference: dict[str, float]


@dataclass(frozen=True)
class Results:
    rules: dict[str, Rule]
    longest: int
    table: int


def by_rule(name: str, real: Tensor) -> Tensor:
    """Return the positions of each token (batch, tokens)."""
    places = torch.arange(real.shape[1]).expand(real.shape)
    return {
        "count real tokens from 2": number_places(places, real, FIRST),
        "0, 1, 2, ... as BERT": places,
        "2, 3, 4, ..., padding counted": places + FIRST,
        "count real tokens from 1": number_places(places, real, FIRST - 1),
    }[name]


def main(config: Config) -> Results:
    from transformers import RobertaConfig, RobertaForMaskedLM

    generator = torch.Generator().manual_seed(config.seed)
    sizes = BertConfig(VOCAB, config.tokens, layers=2, heads=2, d_model=16, segments=1, first_position=FIRST)
    theirs = RobertaForMaskedLM(
        RobertaConfig(
            vocab_size=VOCAB, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
            max_position_embeddings=FIRST + config.tokens, type_vocab_size=1, pad_token_id=PAD, layer_norm_eps=1e-12,
        )
    ).eval()  # fmt: skip
    for parameter in theirs.parameters():
        parameter.data.normal_(generator=generator)
    ours = MaskedLanguageModel.from_transformers(theirs)
    assert ours.config.context == sizes.context
    rules: dict[str, Rule] = {}
    for name in ("count real tokens from 2", "0, 1, 2, ... as BERT", "2, 3, 4, ..., padding counted",
                 "count real tokens from 1"):  # fmt: skip
        positions, difference = {}, {}
        for side in ("right", "left"):
            places = torch.arange(config.tokens)
            real = (places < config.tokens - config.padding if side == "right" else places >= config.padding)[None]
            tokens = torch.randint(2, VOCAB, (1, config.tokens), generator=generator).where(real, PAD)
            positions[side] = by_rule(name, real)[0].tolist()
            expected = theirs(tokens, attention_mask=real.long()).logits[real]
            read = theirs(tokens, attention_mask=real.long(), position_ids=by_rule(name, real)).logits[real]
            difference[side] = (read - expected).abs().max().item()
            if name == "count real tokens from 2":
                difference[side] = max(difference[side], (ours(tokens, real)[real] - expected).abs().max().item())
        rules[name] = Rule(positions, difference)
        print(f"{name}: {positions['left']} with padding on the left, logits differ by {difference}")
    return Results(rules, 512, 512 + FIRST)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": Tolerance(relative=1e-3, absolute=1e-4)})
