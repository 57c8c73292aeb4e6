"""Which tokens do the answers of a group share, and who may look at whom in their tree? One prompt, three answers.

    uv run sprints/16_grpo_cooking/tree_on_paper.py
    uv run sprints/16_grpo_cooking/tree_on_paper.py --answers 5*4=20 6*4=24 7*4=28

The tree and its mask are those of the training. Theory: notes/11_sharing.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from kitchen.packed_trees import pack_trees
from kitchen.tokenizer import kitchen_tokenizer
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    prompt: str = "2+3"  # what all answers go on from
    answers: tuple[str, ...] = ("5*4=20", "5*4=21", "6*4=24")  # of the group

    def check(self) -> None:
        if not self.prompt or not self.answers or not all(self.answers):
            raise ValueError("a --prompt and --answers must not be empty: a tree has at least one token of each")


@dataclass(frozen=True)
class Results:
    tokens: list[str]
    positions: list[int]
    descendants: list[int]
    sees: list[list[bool]]
    in_rows: int
    in_tree: int


def main(config: Config) -> Results:
    tokenizer = kitchen_tokenizer()
    prompt = tokenizer(config.prompt)["input_ids"]
    answers = [tokenizer(answer)["input_ids"] for answer in config.answers]
    trees = pack_trees([prompt], answers)
    tokens = [str(tokenizer.decode([token])) for token in trees.tokens[0]]
    # The last token of an answer is predicted, not read.
    in_rows = sum(len(prompt) + len(answer) - 1 for answer in answers)
    print(f"{in_rows} tokens to read in rows of their own, {len(tokens)} in the tree: {' '.join(tokens)}")
    sees = trees.attention_mask()[0].tolist()
    return Results(tokens, trees.positions[0].tolist(), trees.descendants[0].tolist(), sees, in_rows, len(tokens))


def plot(results: Results) -> Figure:
    """Draw the tree, each token at its position, and the mask below each other in one picture."""
    size, small, count = 0.45, 0.3, len(results.tokens)
    deepest = max(results.positions) + 1
    figure, axes = drawings.canvas(size * deepest + small * count + 2.2, small * count + 1.0)
    top = small * count + 0.35
    lines, line, before = [], 0, -1
    for position in results.positions:
        line += position <= before
        lines.append(line)
        before = position
    for token, position, row in zip(results.tokens, results.positions, lines, strict=True):
        drawings.cells(axes, [[token]], 0.3 + size * position, top - 1.6 * size * row, colour=drawings.KEY, size=size)
    for position in range(deepest):
        drawings.text(axes, str(position), 0.3 + size * (position + 0.5), top + 0.15, size=8)
    drawings.text(axes, "the tree; a token's position is its depth", 0.3 + size * deepest / 2, top + 0.45, bold=True)
    x = size * deepest + 1.4
    rows = [["·" if seen else None for seen in row] for row in results.sees]
    names = results.tokens
    drawings.cells(axes, rows, x, top, colour=drawings.QUERY, size=small, row_names=names, column_names=names)
    drawings.text(axes, "each row: whom the token may look at", x + small * count / 2, top + 0.45, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
