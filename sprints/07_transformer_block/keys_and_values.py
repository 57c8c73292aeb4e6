"""Is a feed-forward network a memory? What its keys look for, and what its values write.

    uv run sprints/07_transformer_block/keys_and_values.py

Geva et al. (2021): the first matrix holds keys, patterns in the text; the second one values, which push the prediction
towards what follows such a pattern. Checked in the model that the repository ships: for the most selective neuron of
each class, and by counting over all. Theory: notes/09_what_neurons_do.md
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from block_study.labelled_recipes import LABELS
from block_study.neuron_reading import ABOUT, Half, load, rank_neurons, read_half, record
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import ExistingFolder, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.text.tokenizers import Tokenizer


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: ExistingFolder = SHIPPED_FOLDER  # folder in the format of transformers
    recipes: PositiveInt = 30  # recipes of each half
    examples: PositiveInt = 4  # strongest examples of a neuron to show


@dataclass(frozen=True)
class Neuron:
    """The neuron that was the most selective one for the token to come, on the first half.

    Args:
        layer, number: which one, both counted from 1.
        selectivity: on the second half.
        examples: the texts of the second half that it responds to most, the token that it reads in [brackets].
        promotes: the tokens whose logits its value raises most.
    """

    layer: int
    number: int
    selectivity: float
    examples: list[str]
    promotes: list[str]


@dataclass(frozen=True)
class Results:
    """What neurons look for and write.

    Args:
        neurons: by class.
        agreement: of each layer, the share of neurons whose value raises most the token that does follow where the
            neuron is most active.
        agreement_shuffled: the same with the values of a layer's neurons exchanged among them.
        agreement_untrained: the same in an untrained model.
    """

    neurons: dict[str, Neuron]
    agreement: list[float]
    agreement_shuffled: list[float]
    agreement_untrained: list[float]


def raised(model: GPT, layer: int) -> Tensor:
    """Return how much each neuron's value raises the logit of each token, (neurons, vocab).

    The value goes to the head as it is: the gain of the last norm is applied, what later layers make of it is not.
    """
    values = model.blocks[layer].get_parameter("feed_forward.contract.weight").T
    return (values * model.get_parameter("norm.weight")) @ model.head.weight.T


def agreement(tops: Tensor, activations: Tensor, half: Half) -> float:
    """Return the share of neurons whose top token is the one that follows where they are most active."""
    following = half.recipes.tokens[:, 1:][half.places]
    return (tops == following[activations.argmax(dim=0)]).float().mean().item()


def readable(tokenizer: Tokenizer, tokens: list[int]) -> str:
    """Return the text of tokens in one line."""
    return tokenizer.decode(tokens).replace("\n", "⏎")


def show(tokenizer: Tokenizer, half: Half, activations: Tensor, count: int) -> list[str]:
    """Return the places at which a neuron is most active, with what stands before, no two of them alike."""
    rows, columns = half.places.nonzero(as_tuple=True)
    texts: dict[str, None] = {}
    for index in activations.argsort(descending=True).tolist():
        tokens, column = half.recipes.tokens[rows[index]].tolist(), int(columns[index])
        before, read = tokens[max(1, column - 4) : column], tokens[column : column + 1]
        texts[f"{readable(tokenizer, before)}[{readable(tokenizer, read)}]"] = None
        if len(texts) == count:
            break
    return list(texts)


@torch.no_grad()
def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    model, tokenizer = load(config.model)
    untrained = GPT(model.config, generator).eval()
    first, second = (read_half(tokenizer, start, config.recipes) for start in (0, config.recipes))

    def hidden(model: GPT, half: Half) -> list[Tensor]:
        return [layer[half.places] for layer in record(model, half.recipes.tokens[:, :-1]).hidden]

    others = hidden(model, second)
    choice, test = rank_neurons(hidden(model, first), first, ABOUT[1]), rank_neurons(others, second, ABOUT[1])
    neurons = {}
    for index, label in enumerate(LABELS):
        neuron = int(choice[:, index].argmax())
        layer, number = divmod(neuron, others[0].shape[1])
        neurons[label] = Neuron(
            layer=layer + 1,
            number=number + 1,
            selectivity=test[neuron, index].item(),
            examples=show(tokenizer, second, others[layer][:, number], config.examples),
            promotes=[readable(tokenizer, [token]) for token in raised(model, layer)[number].topk(5).indices.tolist()],
        )
        print(f"\n{label}: neuron {number + 1} of layer {layer + 1}, selectivity {neurons[label].selectivity:.2f}")
        print(f"  looks for {neurons[label].examples}\n  promotes  {neurons[label].promotes}")
    tops = [raised(model, layer).argmax(dim=1) for layer in range(len(others))]
    shuffled = [top[torch.randperm(len(top), generator=generator)] for top in tops]
    empty = hidden(untrained, second)
    results = Results(
        neurons=neurons,
        agreement=[agreement(top, layer, second) for top, layer in zip(tops, others, strict=True)],
        agreement_shuffled=[agreement(top, layer, second) for top, layer in zip(shuffled, others, strict=True)],
        agreement_untrained=[
            agreement(raised(untrained, layer).argmax(dim=1), activations, second)
            for layer, activations in enumerate(empty)
        ],
    )
    for name in ("agreement", "agreement_shuffled", "agreement_untrained"):
        print(f"{name:<22}" + "".join(f"{share:8.1%}" for share in getattr(results, name)))
    return results


if __name__ == "__main__":
    # Rankings of activations, many of which are nearly equal.
    run(main, Config, tolerance={"*": Tolerance(relative=0.001, absolute=0.002)})
