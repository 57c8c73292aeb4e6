"""Two messages and a memory of one number: what does each node remember? And EdgeBank on the same list of messages.

    uv run sprints/27_graphs_downstream/memory_by_hand.py
    uv run sprints/27_graphs_downstream/memory_by_hand.py --share 0.9

Theory: notes/07_a_memory_for_each_node.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from downstream.edge_bank import EdgeBank
from downstream.memory import NodeMemory
from downstream.streams import Stream
from shared.lab import drawings
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import Fraction
from shared.lab.run import run

PEOPLE = ("Ann", "Bob", "Cid")
# Who writes to whom and when; a 1 is sent, then a -1.
MESSAGES = Stream(torch.tensor([0, 1]), torch.tensor([1, 2]), torch.tensor([1, 3]), 3)
ASKED = ((0, 1), (1, 0), (0, 2))


@dataclass(frozen=True)
class Config(ScriptConfig):
    share: Fraction = 0.714  # of true pairs that were seen before, for the AUC of EdgeBank
    seen_wrong: Fraction = 0.0  # of random wrong pairs that were seen before


@dataclass(frozen=True)
class Results:
    memories: list[list[float]]  # of the three people: at first, after the first message, after the second
    bank: dict[str, float]
    auc: dict[str, float]  # EdgeBank, by the share of pairs that were seen


def simple_memory() -> NodeMemory:
    """Return a memory of one number: half of the old one, and half of tanh(what was sent)."""
    memory = NodeMemory(3, 1, 1, 1).eval()
    with torch.no_grad():
        for weight in memory.gru.parameters():
            weight.zero_()
        # Rows of a GRU's weights: reset, update, new. Columns: own, other, sent, code of the time.
        memory.gru.weight_ih[2, 2] = 1.0
    return memory


def main(config: Config) -> Results:
    memory = simple_memory()
    states = [memory.memory.flatten().tolist()]
    for number, sent in enumerate((1.0, -1.0)):
        one = MESSAGES.part(number, number + 1)
        memory.update(one.source, one.target, one.time, torch.tensor([[sent]]))
        states.append(memory.memory.flatten().tolist())
        print(f"after message {number + 1}: " + "   ".join(
            f"{name} {value:+.3f}" for name, value in zip(PEOPLE, states[-1], strict=True)
        ))  # fmt: skip
    bank = EdgeBank(3)
    bank.update(MESSAGES)
    source, target = (torch.tensor(column) for column in zip(*ASKED, strict=True))
    held = bank.score(source, target, torch.full((len(ASKED),), 4)).tolist()
    named = {f"{PEOPLE[a]} to {PEOPLE[b]}": value for (a, b), value in zip(ASKED, held, strict=True)}
    auc = {"random": (1 + config.share - config.seen_wrong) / 2, "historical": config.share / 2}
    print(f"EdgeBank: {named}; AUC if {config.share:.1%} of the true pairs were seen: {auc}")
    return Results(states, named, auc)


def plot(results: Results) -> Figure:
    """Draw the memories before, between and after the messages."""
    figure, axes = drawings.canvas(7.2, 2.2)
    for place, (values, title) in enumerate(zip(results.memories, ("at first", "", ""), strict=True)):
        x = 0.9 + place * 2.6
        drawings.cells(
            axes, [[f"{value:.3f}"] for value in values], x, 1.75, size=0.55, colour=COLOURS[2],
            row_names=PEOPLE, title=title,
        )  # fmt: skip
    # The rows of a message's ends: the middle of a cell is 0.275 below its upper end.
    for x, first, second, words in ((1.65, 1.475, 0.925, "Ann to Bob: 1"), (4.25, 0.925, 0.375, "Bob to Cid: −1")):
        axes.annotate(
            "",
            (x + 0.1, second),
            (x + 0.1, first),
            arrowprops={"arrowstyle": "-|>", "connectionstyle": "arc3,rad=-0.5"},
        )
        drawings.text(axes, words, x + 0.65, 1.95)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING})
