"""Does a word look where its thing lies, and does it need what it looks at? Attention beside a thing that is removed.

    uv run sprints/22_pictures_and_words/where_it_looks.py --scenes 100

Attention of the words for colours and kinds to the nine places, layer by layer and head by head; then one thing is
taken off the table, and each word says how much less likely it became. Theory: notes/12_a_page_that_sees.md
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from seeing.captions import pairs
from seeing.scenes import SIDE
from seeing.table_gpt import TABLE_GPT, load_table_gpt
from seeing.where_words_look import PARTS, looks_at_own_place, lost_without, spots
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import load_tokenizer


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: Path = TABLE_GPT  # folder of a model that describe.py wrote (default: the shipped one)
    scenes: PositiveInt = 500  # test scenes with a caption each; removing takes those that have two things or more


@dataclass(frozen=True)
class Results:
    evenly: float  # the share of a place if all places got the same
    own_place: dict[str, MeanInterval]  # share of the own place, mean over layers and heads, interval over scenes
    heads: dict[str, list[list[float]]]  # of each layer and head
    lost_own: dict[str, MeanInterval]  # nats, if the word's own thing is removed
    lost_other: dict[str, MeanInterval]  # if another one is


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    model, tokenizer = load_table_gpt(config.model), load_tokenizer()
    shares: dict[str, list] = {part: [] for part in PARTS}
    lost: dict[tuple[str, bool], list[float]] = {(part, own): [] for part in PARTS for own in (True, False)}
    for scene, caption in tqdm(pairs("test", 0, config.scenes), desc="scenes", leave=False):
        ids, found = spots(scene, caption, tokenizer)
        for part, looked in looks_at_own_place(model, scene, ids, found).items():
            shares[part].append(looked.mean(dim=0))  # (layers, heads): the words of a scene are no independent draws
        if len(scene.items) > 1:
            for part, words in lost_without(model, scene, ids, found, gone=scene.items[0]).items():
                for own in (True, False):
                    nats = [lost_nats for is_own, lost_nats in words if is_own == own]
                    lost[part, own].append(sum(nats) / len(nats))
    results = Results(
        1 / SIDE**2,
        {part: mean_interval([one.mean().item() for one in of_part]) for part, of_part in shares.items()},
        {part: torch.stack(of_part).mean(dim=0).tolist() for part, of_part in shares.items()},
        {part: mean_interval(lost[part, True]) for part in PARTS},
        {part: mean_interval(lost[part, False]) for part in PARTS},
    )
    for part in PARTS:
        print(
            f"{part}: own place {show_interval(*results.own_place[part], '.1%')} of the attention to the picture, ",
            end="",
        )
        print(f"best head {max(map(max, results.heads[part])):.1%}; evenly {results.evenly:.1%}")
        print(f"  without its thing {show_interval(*results.lost_own[part], '.2f')} nats less likely, ", end="")
        print(f"without another {show_interval(*results.lost_other[part], '.2f')}")
    return results


def plot(results: Results) -> Figure:
    """Draw the share of the own place for each head, and what each word loses if a thing is removed."""
    figure, axes = new_figure(9.0, 3.2, 1, 3)
    for axis, (part, shares) in zip(axes, results.heads.items(), strict=False):
        shown = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axis.set(title=f"words for the {part}", xlabel="head", ylabel="layer")
        axis.set_xticks(range(len(shares[0])), range(1, len(shares[0]) + 1))
        axis.set_yticks(range(len(shares)), range(1, len(shares) + 1))
        axis.grid(visible=False)
    figure.colorbar(shown, ax=axes[1], label="share of the own place")
    for place, (name, lost) in enumerate((("its own thing", results.lost_own), ("another", results.lost_other))):
        heights = [mean for mean, _ in lost.values()]
        halves = error_bars([half for _, half in lost.values()])
        where = [number + 0.36 * place for number in range(len(heights))]
        axes[2].bar(where, heights, 0.34, yerr=halves, capsize=3, color=COLOURS[place], label=f"without {name}")
    axes[2].set_xticks([0.18, 1.18], list(results.lost_own))
    axes[2].set(ylabel="nats less likely")
    axes[2].legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})
