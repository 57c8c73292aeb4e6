"""A world of packages that need each other, whose law is known: a topic is hidden, words and needs give it away.

Package i has one of some topics. Each of its words is one of the topic with a known probability, and any other word
otherwise. It needs each older package with a known probability, higher within its topic, and independent of the
others. So what is known of a package says by Bayes' rule what else it needs, and nobody can rank better.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from knowledge.hidden_links import LinkTask, Questions
from knowledge.sage import Links

TOPIC_WORDS, COMMON_WORDS, WORDS = 10, 200, 6  # of a topic, of all topics, of a package
TOPICAL = 0.4  # probability that a word is one of the topic
WITHIN, ACROSS = 6.0, 2.0  # packages that a package needs on average: of its topic, of any


@dataclass(frozen=True, eq=False)
class Packages:
    """A drawn world.

    Args:
        topics: (packages), the hidden ones.
        words: (packages, WORDS), by number: those of topic t are t * TOPIC_WORDS and the next, then the common ones.
        odds: (2, core), log-odds that a package needs one of the core: of another topic, and of its own.
        nobody: (topics), log-probability that a package of a topic needs none of the core.
        needs: all links.
        core: the first so many packages; the others are new, and need packages of the core only.
    """

    topics: Int[Tensor, " packages"]
    words: Int[Tensor, "packages words"]
    odds: Float[Tensor, "2 core"]
    nobody: Float[Tensor, " topics"]
    needs: Links
    core: int

    @property
    def texts(self) -> list[str]:
        """The packages' words as texts."""
        return [" ".join(f"w{word}" for word in row) for row in self.words.tolist()]


def draw_packages(packages: int, topics: int, generator: torch.Generator, core: float = 0.8) -> Packages:
    """Draw a world.

    Args:
        packages: how many, in the order in which they come.
        topics: how many.
        generator: draws all of it.
        core: share of the packages that new ones may need.
    """
    old = int(core * packages)
    topic = torch.randint(topics, (packages,), generator=generator)
    own = topic[:, None] * TOPIC_WORDS + torch.randint(TOPIC_WORDS, (packages, WORDS), generator=generator)
    common = topics * TOPIC_WORDS + torch.randint(COMMON_WORDS, (packages, WORDS), generator=generator)
    words = torch.where(torch.rand(packages, WORDS, generator=generator) < TOPICAL, own, common)
    weight = 1 / (2.0 + torch.randperm(old, generator=generator))  # a few are needed often, most hardly ever
    of_topic = torch.zeros(topics).index_add(0, topic[:old], weight)
    other = ACROSS * weight / weight.sum()
    same = (other + WITHIN * weight / of_topic[topic[:old]]).clamp(max=0.9)
    needed = torch.where(topic[:, None] == topic[:old], same, other)  # (packages, core): probabilities
    drawn = torch.rand(packages, old, generator=generator) < needed
    drawn &= torch.arange(packages)[:, None] > torch.arange(old)
    nobody = (-other).log1p().sum() + torch.zeros(topics).index_add(0, topic[:old], (-same).log1p() - (-other).log1p())
    return Packages(topic, words, torch.stack([other, same]).logit(), nobody, drawn.nonzero().T, old)


def best_scores(world: Packages, task: LinkTask, questions: Questions) -> Float[Tensor, "questions candidates"]:
    """Return the log-probability, up to a constant of the question, that a candidate is the hidden one.

    By Bayes' rule, for one who knows the law, the topics of the core, and how the wrong candidates were drawn:

        log sum over t of P(words | t) * prod over the known needs of odds(t) * P(none | t) * odds of the candidate(t)
        - log P(candidate is drawn as a wrong one) - wrong ones * log P(a draw is none that the package needs)
    """
    topics = len(world.nobody)
    of_core = world.topics[: world.core]
    is_word = world.words[questions.askers] // TOPIC_WORDS  # (questions, WORDS): the topic of a word of a topic
    by_topic = is_word[:, :, None] == torch.arange(topics)
    from_common = (world.words[questions.askers] >= topics * TOPIC_WORDS).double()[:, :, None] / COMMON_WORDS
    of_words = (TOPICAL / TOPIC_WORDS * by_topic + (1 - TOPICAL) * from_common).clamp(min=1e-300).log().sum(dim=1)
    rows, known = questions.known
    is_known = torch.zeros(len(questions.askers), topics, dtype=torch.double)
    odds = world.odds.double()
    lift = odds[1] - odds[0]  # what the own topic adds
    is_known.index_put_((rows, of_core[known]), lift[known], accumulate=True)
    posterior = of_words + is_known + world.nobody.double()  # (questions, topics), up to a constant
    of_candidate = odds[0][questions.candidates][:, :, None] + lift[questions.candidates][:, :, None] * (
        of_core[questions.candidates][:, :, None] == torch.arange(topics)
    )
    chance = task.popularity.double() / task.popularity.sum()
    needed = torch.zeros(len(questions.askers), dtype=torch.double).index_add(0, rows, chance[known])
    left = (1 - needed[:, None] - chance[questions.candidates]).clamp(min=1e-12)
    wrong = questions.candidates.shape[1] - 1
    drawn_wrong = chance[questions.candidates].clamp(min=1e-12).log() + wrong * left.log()
    return (posterior[:, None] + of_candidate).logsumexp(dim=2) - drawn_wrong
