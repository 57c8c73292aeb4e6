"""What trained models make of scenes that they never saw, of grey pictures, and of the pictures of other scenes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seeing.captions import entropy, entropy_given_scene
from seeing.describing import Eyes, Told
from seeing.facts import FACTS
from seeing.saying import captions_by, in_batches, nats_a_text, shares_right, worth_used
from seeing.vision_language import PictureReader
from shared.checks.intervals import MeanInterval, mean_interval, show_interval

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class CaptionRun:
    """What one model is worth: nats a caption, shares of facts that are right, and what it writes.

    `facts_of_others` are those of captions that it writes with the picture of another scene before it.
    """

    loss: float
    facts: dict[str, float]
    facts_of_others: dict[str, float]
    texts: list[str]


@dataclass(frozen=True)
class Said:
    """What one kind of model is worth, with intervals over seeds; `used` is the share of what a picture is worth."""

    losses: list[float]
    loss: MeanInterval
    used: MeanInterval
    above: MeanInterval  # H(caption | scene), as a share of it
    facts: dict[str, MeanInterval]
    facts_of_others: dict[str, MeanInterval]


def measure_captions(
    model: PictureReader, tokenizer: "PreTrainedTokenizerBase", told: Told, see: Eyes, written: int
) -> CaptionRun:
    """Return what a model is worth on these scenes; it writes captions of the first `written` ones."""
    scenes = [scene for scene, _ in told[:written]]
    seen = see(scenes)
    texts = captions_by(model, seen, tokenizer)
    others = captions_by(model, seen.roll(1, dims=0), tokenizer)  # every picture goes to the next scene
    loss = nats_a_text(model, in_batches(told, tokenizer, see))
    return CaptionRun(loss, shares_right(texts, scenes), shares_right(others, scenes), texts)


def over_seeds(runs: Sequence[CaptionRun]) -> Said:
    """Return the means and intervals of several runs."""
    losses, least = [run.loss for run in runs], entropy_given_scene()
    return Said(
        losses,
        mean_interval(losses),
        mean_interval([worth_used(loss, entropy(), least) for loss in losses]),
        mean_interval([loss / least - 1 for loss in losses]),
        {fact: mean_interval([run.facts[fact] for run in runs]) for fact in FACTS},
        {fact: mean_interval([run.facts_of_others[fact] for run in runs]) for fact in FACTS},
    )


def show_said(name: str, said: Said) -> str:
    """Return one line about a kind of model."""
    facts = ", ".join(f"{fact} {mean:.1%}" for fact, (mean, _) in said.facts.items())
    return f"{name}: {show_interval(*said.loss, '.3f')} nats a caption; right: {facts}"
