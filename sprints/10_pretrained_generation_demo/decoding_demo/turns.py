"""How texts share a model: each may compute a token when it is its turn.

A queue of whole texts would let a few slow ones keep everybody waiting. Here all texts are open at the same time, and
of those that wait the next turn goes to whoever had the fewest, so a newcomer sees its first words at once. One who
opens many texts has one share, not many.
"""

import threading
import time
from collections import Counter


class Turn:
    """A text's place among those that are being written; see `Turns.open`."""

    def __init__(self, turns: "Turns", user: object, seconds: int | float | None) -> None:
        self._turns, self.user = turns, user
        self._changed = threading.Condition(turns.lock)
        self._end = None if seconds is None else time.monotonic() + seconds
        self._mine, self._stopped = False, False
        self.reason: str | None = None  # why it was ended before its text was

    @property
    def is_over(self) -> bool:
        """Whether the text has to end: it was stopped, or its time is up."""
        if self._end is not None and time.monotonic() >= self._end and self.reason is None:
            self.reason = "its time was up"
        return self._stopped or self.reason is not None

    def take(self) -> None:
        """Wait until it is this text's turn, or the text is over."""
        with self._turns.lock:
            self._turns.waiting.append(self)
            self._turns.hand_out()
            self._changed.wait_for(lambda: self._mine or self.is_over, self._left())

    def give_back(self) -> None:
        """Let the next one compute."""
        with self._turns.lock:
            if self in self._turns.waiting:
                self._turns.waiting.remove(self)
            if self._mine:
                self._mine = False
                self._turns.free += 1
                self._turns.hand_out()

    def rest(self, seconds: int | float) -> None:
        """Wait without keeping others from computing; a stop wakes it."""
        with self._turns.lock:
            left = self._left()
            self._changed.wait_for(lambda: self._stopped, seconds if left is None else min(seconds, left))

    def stop(self, reason: str | None = None) -> None:
        """End the text, whatever it is waiting for."""
        with self._turns.lock:
            self._stopped, self.reason = True, self.reason or reason
            self._changed.notify()

    def close(self) -> None:
        """Leave the others alone."""
        self.give_back()
        with self._turns.lock:
            self._turns.texts.remove(self)
            if self.user not in [text.user for text in self._turns.texts]:
                del self._turns.had[self.user]

    def grant(self) -> None:
        """Begin the turn; the lock is held."""
        self._mine = True
        self._changed.notify()

    def _left(self) -> float | None:
        return None if self._end is None else max(0.0, self._end - time.monotonic())


class Turns:
    """Hands out turns.

    Args:
        places: texts that compute at the same time.
        most: open texts; one more ends the oldest of whoever has the most.
    """

    def __init__(self, places: int = 1, most: int = 100) -> None:
        self.free, self.most = places, most
        self.lock = threading.RLock()
        self.texts: list[Turn] = []
        self.waiting: list[Turn] = []
        self.had: Counter[object] = Counter()  # turns of each user's open texts

    def open(self, user: object = None, seconds: int | float | None = None) -> Turn:
        """Return the place of a new text.

        Args:
            user: whose text it is; the texts of one user share a turn among them.
            seconds: how long it may take at most, waiting included (None: for ever).
        """
        turn = Turn(self, user, seconds)
        with self.lock:
            going = [text for text in self.texts if not text.is_over]
            texts = Counter(text.user for text in going)
            if len(going) >= self.most:
                max(going, key=lambda text: texts[text.user]).stop("others were waiting")
            self.texts.append(turn)
        return turn

    def hand_out(self) -> None:
        """Let those compute that had the fewest turns, the first to come among equals; the lock is held."""
        while self.free and self.waiting:
            turn = min(self.waiting, key=lambda text: self.had[text.user])
            self.waiting.remove(turn)
            self.had[turn.user] += 1
            self.free -= 1
            turn.grant()
