"""EdgeBank: a pair is predicted if it has been seen before. And wrong pairs to test with: random, or seen before.

Poursafaei, Huang, Pelrine and Rabbany 2022, "Towards Better Evaluation for Dynamic Link Prediction", sections 4 and 5.
"""

import torch
from torch import Tensor

from downstream.streams import Stream, check_times


class EdgeBank:
    """Remembers when each directed pair was last seen.

    Args:
        num_nodes: how many nodes there are.
        window: a pair counts as seen if that is at most so long ago; None: however long.
    """

    def __init__(self, num_nodes: int, window: int | None = None) -> None:
        self.num_nodes, self.window = num_nodes, window
        self.seen: dict[int, int] = {}
        self.latest: int | None = None

    def last_seen(self, source: Tensor, target: Tensor) -> Tensor:
        """Return when each pair was last seen, -1 for never: (pairs,)."""
        keys = (source * self.num_nodes + target).tolist()
        return torch.tensor([self.seen.get(key, -1) for key in keys], dtype=torch.long)

    def score(self, source: Tensor, target: Tensor, time: Tensor) -> Tensor:
        """Return 1 for each pair that the bank holds at its time, 0 for others: (pairs,)."""
        last = self.last_seen(source, target)
        held = last >= 0
        return (held if self.window is None else held & (time - last <= self.window)).float()

    def update(self, messages: Stream) -> None:
        """Learn messages, which come after all earlier ones.

        Raises:
            ValueError: their times go back.
        """
        check_times(messages.time, self.latest)
        for key, time in zip((messages.source * self.num_nodes + messages.target).tolist(), messages.time.tolist(),
                             strict=True):  # fmt: skip
            self.seen[key] = time
            self.latest = time


class Negatives:
    """Wrong pairs, as many as there are messages in a batch; none of them is a message of the batch.

    Args:
        targets: nodes that a random wrong pair may end at.
        num_nodes: how many nodes there are.
    """

    def __init__(self, targets: Tensor, num_nodes: int) -> None:
        self.targets, self.num_nodes = targets, num_nodes
        self.history: list[int] = []
        self.known: set[int] = set()

    def learn(self, messages: Stream) -> None:
        """Add the pairs of messages to those seen before, each once."""
        for key in (messages.source * self.num_nodes + messages.target).tolist():
            if key not in self.known:
                self.known.add(key)
                self.history.append(key)

    def random(self, batch: Stream, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the sources of a batch, each with a random target: two of (messages,)."""
        return self._redrawn(batch, generator, historical=False)

    def historical(self, batch: Stream, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return pairs that were seen before: two of (messages,).

        Raises:
            ValueError: there is no such pair.
        """
        return self._redrawn(batch, generator, historical=True)

    def _redrawn(self, batch: Stream, generator: torch.Generator, *, historical: bool) -> tuple[Tensor, Tensor]:
        true = batch.source * self.num_nodes + batch.target
        history = torch.tensor(self.history, dtype=torch.long) if historical else None
        if history is not None and not (~torch.isin(history, true)).any():
            raise ValueError(
                f"historical negatives are pairs seen before and not in the batch; of {len(history)} seen none is "
                "left: learn earlier messages first, or draw random ones"
            )
        keys, wanted = torch.empty_like(true), torch.ones_like(true, dtype=torch.bool)
        while wanted.any():
            count = int(wanted.sum())
            if history is not None:
                keys[wanted] = history[torch.randint(len(history), (count,), generator=generator)]
            else:
                drawn = self.targets[torch.randint(len(self.targets), (count,), generator=generator)]
                keys[wanted] = batch.source[wanted] * self.num_nodes + drawn
            wanted = torch.isin(keys, true)
        return keys // self.num_nodes, keys % self.num_nodes


def same_sender(batch: Stream, circle: dict[int, list[int]], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return for each message another target that its sender wrote to before: two of (messages,).

    Raises:
        ValueError: a sender has written to nobody else.
    """
    targets = []
    for source, target in zip(batch.source.tolist(), batch.target.tolist(), strict=True):
        others = [other for other in circle.get(source, []) if other != target]
        if not others:
            raise ValueError(f"sender {source} has written to nobody but {target}: it has no historical negative")
        targets.append(others[int(torch.randint(len(others), (), generator=generator))])
    return batch.source, torch.tensor(targets)
