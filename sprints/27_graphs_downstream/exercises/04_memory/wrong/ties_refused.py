"""Equal times are refused."""

Message = tuple[int, int, int]


class Bank:
    """Remembers when each directed pair was last seen."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.seen: dict[tuple[int, int], int] = {}
        self.latest: int | None = None

    def score(self, message: Message) -> int:
        """Return 1 if the pair was seen at most `window` before the message's time, else 0."""
        source, target, time = message
        last = self.seen.get((source, target))
        return int(last is not None and time - last <= self.window)

    def learn(self, message: Message) -> None:
        """Remember a message."""
        source, target, time = message
        if self.latest is not None and time <= self.latest:
            raise ValueError(f"messages must come in the order of their times; got {time} after {self.latest}")
        self.latest = time
        self.seen[source, target] = time


def score_stream(bank: Bank, messages: list[Message], batch_size: int) -> list[int]:
    """Return the score of each message; a batch is learned when all of it has been scored."""
    scores = []
    for start in range(0, len(messages), batch_size):
        batch = messages[start : start + batch_size]
        scores += [bank.score(message) for message in batch]
        for message in batch:
            bank.learn(message)
    return scores
