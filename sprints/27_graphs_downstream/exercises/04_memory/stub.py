"""A bank that remembers pairs, with a window; and a stream that is scored before it is learned.

Fill in both parts. Then look how far you are:

    uv run sprints check 27.4
    uv run sprints hint 27.4

A message is (source, target, time), three whole numbers.
"""

Message = tuple[int, int, int]


class Bank:
    """Remembers when each directed pair was last seen.

    Args:
        window: a pair counts as seen if that is at most so long ago.
    """

    def __init__(self, window: int) -> None:
        raise NotImplementedError

    def score(self, message: Message) -> int:
        """Return 1 if the pair was seen at most `window` before the message's time, else 0. Nothing is learned."""
        raise NotImplementedError

    def learn(self, message: Message) -> None:
        """Remember a message.

        Raises:
            ValueError: it is earlier than one that was learned before. Equal times are allowed.
        """
        raise NotImplementedError


def score_stream(bank: Bank, messages: list[Message], batch_size: int) -> list[int]:
    """Return the score of each message; a batch is learned when all of it has been scored."""
    raise NotImplementedError
