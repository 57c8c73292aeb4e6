"""A dictionary that is drawn: names that differ in their capitals only, and a law by which the best answer is known.

Each entry has a topic. An entry's text is a description and some mentions, each in the middle of words that depend on
the entry that is meant: some are the entry's own, some its topic's, and the others anybody's. Whom a text mentions
depends on the topic of its own entry, and on how popular the others are. Given the law, a mention's source and its
words say all that can be known of the entry that is meant.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from knowledge.candidate_choice import Scores
from knowledge.linking import Dictionary, Reference
from knowledge.linking_exam import LinkExam

TOPIC_WORDS, COMMON_WORDS, OWN_WORDS = 30, 300, 6  # of a topic, of all, of an entry
OWN, TOPICAL = 0.08, 0.12  # shares of the words around a mention, and of a description
POPULARITY = 0.7  # the entry of rank r is meant in proportion to r to the power of minus this
WITHIN = 0.5  # share of mentions that are drawn from the source's own topic
SIDE, DESCRIPTION = 5, 40  # words on each side of a mention, words of a description
SPELLINGS = (str.lower, str.capitalize, str.upper)  # of one name: as many entries share it


@dataclass(frozen=True, eq=False)
class World:
    """A drawn dictionary, and its law.

    Args:
        dictionary: what can be read.
        topics: (entries), hidden.
        words: (entries, vocabulary), the logarithm of how likely each word is near a mention of each entry.
        targets: (topics, entries), the logarithm of how likely each entry is meant in a text of a topic.
    """

    dictionary: Dictionary
    topics: Int[Tensor, " entries"]
    words: Float[Tensor, "entries vocabulary"]
    targets: Float[Tensor, "topics entries"]

    def posterior(self, exam: LinkExam) -> Scores:
        """Return the logarithm of each test candidate's probability, given the law and the words around the mention.

        The words beyond those that belong to the mention say nothing more: what is drawn for other mentions does not
        depend on who is meant here.
        """
        found, options = [], exam.options[2]
        for question, entries in zip(exam.parts[2], options.entries, strict=True):
            near = [int(word[1:]) for word in question.context(SIDE)]
            fits = self.words[entries][:, near].sum(dim=1) + self.targets[self.topics[question.source], entries]
            found.append(fits)
        scores = torch.stack(found).masked_fill(~options.allowed, -math.inf)
        return scores.log_softmax(dim=1)


def draw_world(names: int, topics: int, mentions: int, generator: torch.Generator) -> World:
    """Draw a world of three entries for each name.

    Args:
        names: how many names, each in three spellings.
        topics: how many; the three entries of a name are drawn among all of them.
        mentions: in each text.
        generator: draws all of it.

    Raises:
        ValueError: fewer than two names.
    """
    if names < 2:
        raise ValueError(f"a text mentions entries of other names: there must be two names or more; got {names}")
    entries, vocabulary = len(SPELLINGS) * names, topics * TOPIC_WORDS + COMMON_WORDS
    topic = torch.randint(topics, (entries,), generator=generator)
    words = torch.zeros(entries, vocabulary, dtype=torch.double)
    rarity = 1 / torch.arange(1, COMMON_WORDS + 1, dtype=torch.double)
    words[:, topics * TOPIC_WORDS :] = (1 - OWN - TOPICAL) * rarity / rarity.sum()
    for entry, number in enumerate(topic.tolist()):
        words[entry, number * TOPIC_WORDS : (number + 1) * TOPIC_WORDS] += TOPICAL / TOPIC_WORDS
        own = torch.randperm(vocabulary, generator=generator)[:OWN_WORDS]
        words[entry, own] += OWN / OWN_WORDS
    popular = (1 + torch.randperm(entries, generator=generator)).double().pow(-POPULARITY)
    of_topic = (topic == torch.arange(topics)[:, None]).double() * popular
    inside = of_topic / of_topic.sum(dim=1, keepdim=True).clamp(min=1e-12)
    targets = WITHIN * inside + (1 - WITHIN) * popular / popular.sum()
    texts, references = [], []
    for source in range(entries):
        text = torch.multinomial(words[source], DESCRIPTION, replacement=True, generator=generator).tolist()
        text = [f"w{word}" for word in text]
        # Nobody mentions an entry of the same name: its name would stand in the source's title.
        likely = targets[topic[source]].clone()
        likely[source // len(SPELLINGS) * len(SPELLINGS) :][: len(SPELLINGS)] = 0
        for meant in torch.multinomial(likely, mentions, replacement=True, generator=generator).tolist():
            near = torch.multinomial(words[meant], 2 * SIDE, replacement=True, generator=generator).tolist()
            text += [f"w{word}" for word in near[:SIDE]]
            name = spelling(meant)
            references.append(Reference(source, len(text), len(text) + 1, name, meant))
            text += [name.lower(), *(f"w{word}" for word in near[SIDE:])]
        texts.append(text)
    dictionary = Dictionary([(spelling(entry),) for entry in range(entries)], texts, references)
    return World(dictionary, topic, words.log(), targets.log())


def spelling(entry: int) -> str:
    """Return the name of an entry: "name7", "Name7" and "NAME7" are three entries."""
    return SPELLINGS[entry % len(SPELLINGS)](f"name{entry // len(SPELLINGS)}")
