"""Which words are a mention, and of what? Tags of one sentence, and what Bayes says of a word that may be two things.

    uv run sprints/26_dynamic_knowledge_graph/reading_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/reading_by_hand.py --word Marlow

Theory: notes/07_reading_a_sentence.md
"""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from knowledge.best_reading import BestReader
from knowledge.kinds import Mention
from knowledge.news_grammar import by_rank, read_grammar
from knowledge.spans import mentions_of, score, tags_of, tokens_of
from shared.lab import drawings
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run

KINDS = {"town": COLOURS[1], "person": COLOURS[0], "shop": COLOURS[2], "dish": COLOURS[4]}
SENTENCE = "News from {}: cook A. Berg has left the Blue Fork."
DOUBTFUL = ("News from {}: the Blue Fork was full last night.", "{} is famous for plum cake.")
WRONG = ("O", "O", "B-person", "O", "B-person", "I-person", "I-person", "O", "O", "O", "O", "I-shop", "O")


@dataclass(frozen=True)
class Config(ScriptConfig):
    word: str = "Lund"  # a town that is a last name, too

    def check(self) -> None:
        words = read_grammar()[0]
        both = sorted(set(words.last) & set(words.town))
        if self.word not in both:
            raise ValueError(f"--word must be a town that is a last name, too: {', '.join(both)}; got {self.word!r}")


@dataclass(frozen=True)
class Results:
    tokens: list[tuple[str, str]]  # with the tag of each
    mentions: list[tuple[int, int, str, str]]  # start, end, text, kind
    last: float  # how frequent the word is among last names
    town: float  # and among towns
    person: dict[str, dict[str, float]]  # P(person | sentence), by sentence, for each word that may be both
    repaired: list[str]  # what tags with mistakes say
    f1: float  # of them


def main(config: Config) -> Results:
    words, text = read_grammar()[0], SENTENCE.format(config.word)
    reader, tokens = BestReader(words), tokens_of(text)
    both = [word for word in words.last if word in words.town]
    mentions = _with_kind(text, config.word, "town")
    tags = tags_of(tokens, mentions)
    for token, tag in zip(tokens, tags, strict=True):
        print(f"{token.start:>3} {token.text:<6} {tag}")
    weights = by_rank(len(words.last))
    last = weights[words.last.index(config.word)] / sum(weights)
    person = {
        doubtful: {
            word: sum(
                weight
                for (seen, _), weight in reader.readings(doubtful.format(word)).items()
                if seen[0].kind == "person"
            )
            for word in both
        }
        for doubtful in DOUBTFUL
    }
    for doubtful, chances in person.items():
        print(f"{doubtful.format(config.word)} a person with probability {chances[config.word]:.3f}")
    wrong = mentions_of(text, tokens, WRONG)
    shown = [(mention.start, mention.end, mention.text, mention.kind) for mention in mentions]
    pairs = [(token.text, tag) for token, tag in zip(tokens, tags, strict=True)]
    repaired = [f"{mention.text}: {mention.kind}" for mention in wrong]
    return Results(pairs, shown, last, 1 / len(words.town), person, repaired, score([wrong], [mentions]).f1)


def _with_kind(text: str, word: str, kind: str) -> list[Mention]:
    """Return the mentions of the example."""
    parts = ((word, kind), ("A. Berg", "person"), ("Blue Fork", "shop"))
    return [Mention(text.index(part), text.index(part) + len(part), part, kind) for part, kind in parts]


def draw_tags(axes: Axes, results: Results) -> None:
    """Draw the tokens as boxes, their tags below them, and the mentions with their places."""
    x, kind, edges = 0.1, "", {}
    for place, (token, tag) in enumerate(results.tokens):
        kind = tag[2:]
        width = 0.2 + 0.085 * max(len(token), 2)
        drawings.box(axes, token, x, 1.3, width, 0.34, KINDS.get(kind, drawings.TOKEN))
        drawings.text(axes, tag[0], x + width / 2, 1.08, bold=tag != "O")
        edges[place] = (x, x + width)
        x += width + 0.07
    begin = [place for place, (_, tag) in enumerate(results.tokens) if tag[0] == "B"]
    for place, (start, end, _, kind) in zip(begin, results.mentions, strict=True):
        last = place
        while last + 1 < len(results.tokens) and results.tokens[last + 1][1][0] == "I":
            last += 1
        left, right = edges[place][0], edges[last][1]
        axes.plot([left, right], [0.88, 0.88], color=KINDS[kind], linewidth=3)
        drawings.text(axes, f"{kind} {start}:{end}", (left + right) / 2, 0.68)
    axes.set(xlim=(0, x + 0.1), ylim=(0.5, 1.8))
    axes.axis("off")


def draw_doubts(axes: Axes, results: Results) -> None:
    """Draw the probability of a person for each word, in both sentences."""
    for colour, (sentence, chances) in enumerate(results.person.items()):
        axes.plot(
            list(chances),
            list(chances.values()),
            "os"[colour],
            color=COLOURS[(3, 5)[colour]],
            label=sentence.format("…"),
        )
    axes.axhline(0.5, color="#444444", linewidth=1, linestyle="--")
    axes.set(ylim=(-0.03, 1.03), ylabel="P(person | sentence)")
    axes.tick_params(axis="x", rotation=30)
    axes.legend(fontsize=8)


def plot(results: Results) -> Figure:
    """Draw the tags above, and below what each of the words is likely to be."""
    figure, axes = new_figure(7.2, 4.6, rows=2)
    draw_tags(axes[0], results)
    draw_doubts(axes[1], results)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING})
