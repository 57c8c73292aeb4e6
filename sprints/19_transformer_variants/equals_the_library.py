"""Are our encoders those of transformers? Outputs and all gradients, with padding on either side.

    uv run sprints/19_transformer_variants/equals_the_library.py

Tiny models; every parameter of theirs is moved by a random number, so that no zero or one hides a part that is left
out, and taken over. Both compute in double precision (the rotation of the library's ModernBERT is in single). Theory:
notes/02_bert.md, 03_roberta_and_electra.md, 04_modernbert.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn import bert_weights, modern_bert_weights
from shared.nn.bert import MaskedLanguageModel
from shared.nn.bert_classifier import SequenceClassifier
from shared.nn.bert_weights import BERT_PARTS, FAMILIES
from shared.nn.electra import ReplacedTokenDetector
from shared.nn.modern_bert import ModernBert

VOCAB, PAD = 40, 1
OURS = {
    "BertForMaskedLM": MaskedLanguageModel,
    "BertForNextSentencePrediction": SequenceClassifier,
    "BertForSequenceClassification": SequenceClassifier,
    "RobertaForMaskedLM": MaskedLanguageModel,
    "ElectraForMaskedLM": MaskedLanguageModel,
    "ElectraForPreTraining": ReplacedTokenDetector,
    "ModernBertForMaskedLM": ModernBert,
}
CLASSIFIERS = {"BertForNextSentencePrediction": "cls.seq_relationship", "BertForSequenceClassification": "classifier"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 3  # blocks; ModernBERT's first is global, the other two are local
    tokens: PositiveInt = 9  # of the longest row


@dataclass(frozen=True)
class Equality:
    """Our class, its parameters, and the largest difference of outputs at real tokens and of gradients.

    Over both sides of padding; as shares of the largest of theirs, where that is above 1.
    """

    ours: str
    parameters: int
    outputs: float
    gradients: float


@dataclass(frozen=True)
class Results:
    classes: dict[str, Equality]


def make_theirs(name: str, config: Config, generator: torch.Generator) -> Any:
    """Return a tiny model of transformers with random parameters."""
    import transformers

    family = name.split("For")[0]
    settings: dict[str, Any] = {
        "vocab_size": VOCAB, "hidden_size": 24, "num_hidden_layers": config.layers, "num_attention_heads": 3,
        "intermediate_size": 40, "max_position_embeddings": config.tokens + 2, "pad_token_id": PAD,
    }  # fmt: skip
    settings |= {"embedding_size": 16} if family == "Electra" else {}
    none = dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"))
    settings |= {"local_attention": 4} | none if family == "ModernBert" else {}
    model = getattr(transformers, name)(getattr(transformers, f"{family}Config")(**settings)).eval()
    for parameter in model.parameters():
        parameter.data.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


def as_ours(name: str, ours: nn.Module, theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors by their names under ours."""
    names = ours.state_dict()
    if name.startswith("Modern"):
        return modern_bert_weights.as_ours(names, theirs)
    parts = FAMILIES[name.split("For")[0].lower()]
    parts = BERT_PARTS | {"classifier": CLASSIFIERS[name]} if name in CLASSIFIERS else parts
    return bert_weights.as_ours(names, theirs, parts)


def compare(name: str, side: str, config: Config, generator: torch.Generator) -> tuple[int, float, float]:
    """Return the parameters of a model, and the differences of outputs and gradients with padding on one side."""
    theirs = make_theirs(name, config, generator)
    ours: Any = OURS[name].from_transformers(theirs).double()
    theirs.double()
    lengths = torch.tensor([config.tokens, max(1, config.tokens // 2), 1])[:, None]
    places = torch.arange(config.tokens)
    real = places < lengths if side == "right" else places >= config.tokens - lengths
    tokens = torch.randint(2, VOCAB, real.shape, generator=generator).where(real, PAD)
    outputs = [ours(tokens, real), theirs(tokens, attention_mask=real.long()).logits]
    if name in CLASSIFIERS:
        real = real[:, 0]  # one answer a row, which is compared where the first token is real
    outputs = [output[real] for output in outputs]
    mixture = torch.randn(outputs[0].shape, generator=generator, dtype=torch.float64) / outputs[0].numel() ** 0.5
    for output in outputs:
        (output * mixture).sum().backward()
    expected = as_ours(name, ours, {key: p.grad for key, p in theirs.named_parameters() if p.grad is not None})
    gradients = [difference(p.grad, expected[key]) for key, p in ours.named_parameters()]
    return sum(parameter.numel() for parameter in ours.parameters()), difference(*outputs), max(gradients)


def difference(ours: Tensor | None, theirs: Tensor) -> float:
    """Return the largest difference, as a share of the largest number of theirs if that is above 1."""
    assert ours is not None
    return ((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1)).item()


def main(config: Config) -> Results:
    generator = torch.Generator().manual_seed(config.seed)
    classes = {}
    for name, kind in OURS.items():
        found = [compare(name, side, config, generator) for side in ("right", "left")]
        classes[name] = Equality(kind.__name__, found[0][0], max(f[1] for f in found), max(f[2] for f in found))
        print(f"{name}: {kind.__name__}, outputs {classes[name].outputs:.0e}, gradients {classes[name].gradients:.0e}")
    return Results(classes)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": Tolerance(absolute=1e-5)})
