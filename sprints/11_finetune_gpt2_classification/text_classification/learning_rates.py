"""Learning rates by the size of a model and by what is trained of it.

The rates for the small model were found on validation recipes; that search is not recorded. Those for a real one are
what its users begin with; a rate made for the small model would wreck all that a real one has learnt. Theory:
notes/08_what_pretraining_buys.md
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

SMALL = 20_000_000  # parameters up to which a model is small: it has learnt little that could be lost
HIGHEST = 3e-4  # AdamW's highest rate for all weights of a real model


class Rates(NamedTuple):
    """Peaks of the rates of AdamW and of Muon (0: AdamW alone)."""

    learning_rate: float
    muon_learning_rate: float


SMALL_RATES = {
    "pretrained": Rates(2e-3, 0.02),
    "scratch": Rates(2e-3, 0.02),
    "frozen": Rates(2e-3, 0.0),
    "lora": Rates(2e-3, 0.0),
}
REAL_RATES = {
    "pretrained": Rates(3e-5, 0.0),
    "scratch": Rates(3e-4, 0.0),
    "frozen": Rates(1e-3, 0.0),
    "lora": Rates(3e-4, 0.0),
}


def choose_rates(
    model: "PreTrainedModel", init: str, learning_rate: float | None = None, muon_learning_rate: float | None = None
) -> Rates:
    """Return the rates that were given, and for those that were not, the ones that suit the model.

    Args:
        model: small or real.
        init: what is trained, as in `load_classifier`.
        learning_rate, muon_learning_rate: what was given.

    Raises:
        ValueError: rates that would wreck what a real model has learnt.
    """
    small = model.num_parameters() <= SMALL
    chosen = (SMALL_RATES if small else REAL_RATES)[init]
    rates = Rates(
        chosen.learning_rate if learning_rate is None else learning_rate,
        chosen.muon_learning_rate if muon_learning_rate is None else muon_learning_rate,
    )
    if init == "pretrained" and not small and (rates.learning_rate > HIGHEST or rates.muon_learning_rate > 0):
        raise ValueError(
            f"{model.num_parameters():,} pre-trained weights bear at most {HIGHEST:g} of AdamW and no Muon; got "
            f"{rates.learning_rate:g} and {rates.muon_learning_rate:g}: leave the rates out, and they fit the model"
        )
    return rates
