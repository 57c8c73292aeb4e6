"""Messages in the order of their times: who, to whom, when. CollegeMsg, and a made stream whose optimum is known.

CollegeMsg: private messages at a university in 2004 (Panzarasa, Opsahl and Carley 2009), with times to the minute.
"""

import csv
import io
from dataclasses import dataclass
from datetime import datetime

import torch
from torch import Tensor

from shared.lab.datasets import DataError
from shared.text.packed_text import packed_text

HOME = "the network CollegeMsg (Panzarasa et al. 2009; SNAP has it too) as lines of Source,Target,Timestamp"
FORM = "%m/%d/%y %I:%M %p"


@dataclass(frozen=True)
class Stream:
    """Messages: sources, targets and times, each (messages,), times never going back."""

    source: Tensor
    target: Tensor
    time: Tensor
    num_nodes: int

    def __post_init__(self) -> None:
        check_times(self.time)

    def __len__(self) -> int:
        return len(self.source)

    def part(self, start: int, end: int) -> "Stream":
        """Return the messages from number `start` up to number `end`."""
        return Stream(self.source[start:end], self.target[start:end], self.time[start:end], self.num_nodes)


def check_times(time: Tensor, earliest: int | None = None) -> None:
    """Check that times never go back; equal ones may follow one another.

    Raises:
        ValueError: a message is earlier than the one before it, or than `earliest`.
    """
    back = (time[1:] < time[:-1]).nonzero().flatten()
    if len(back):
        place = int(back[0]) + 1
        raise ValueError(
            f"messages must come in the order of their times: message {place} has time {time[place].item()} after "
            f"{time[place - 1].item()}; sort the stream by time, or what is learned is the future"
        )
    if earliest is not None and len(time) and time[0] < earliest:
        raise ValueError(
            f"messages up to time {earliest} were learned, and one of time {time[0].item()} comes now; "
            "reset the memory to begin again"
        )


def read_college_messages() -> Stream:
    """Return CollegeMsg, people numbered from 0, times in minutes from the first message.

    Raises:
        DataError: the file is not there, or not what it should be.
    """
    rows = list(csv.reader(io.StringIO(packed_text("collegemsg", "collegemsg.csv.gz", HOME))))[1:]
    try:
        pairs = torch.tensor([[int(row[0]), int(row[1])] for row in rows])
        moments = [datetime.strptime(row[2], FORM) for row in rows]
    except (ValueError, IndexError) as error:
        raise DataError(
            f"collegemsg.csv.gz: a line is a source, a target and a time like 4/15/04 2:56 PM; {error}"
        ) from None
    minutes = torch.tensor([int((moment - moments[0]).total_seconds()) // 60 for moment in moments])
    people, numbers = pairs.unique(return_inverse=True)
    return Stream(numbers[:, 0], numbers[:, 1], minutes, len(people))


def circles(
    senders: int, receivers: int, contacts: int, switch: float, messages: int, generator: torch.Generator
) -> Stream:
    """Return a made stream: each sender has some contacts and writes to its latest one again, or switches.

    A random sender writes at each time. With probability 1 - switch to whom it wrote last, else to another of its
    contacts, all equally probable. Nodes: senders first, then receivers. At first each contact is written to once.

    Raises:
        ValueError: fewer than two contacts, or more contacts than receivers.
    """
    if not 2 <= contacts < receivers:
        raise ValueError(f"contacts must be from 2 to {receivers - 1}, fewer than there are receivers; got {contacts}")
    circle = torch.stack([torch.randperm(receivers, generator=generator)[:contacts] for _ in range(senders)])
    source = [sender for _ in range(contacts) for sender in range(senders)]
    place = [number for number in range(contacts) for _ in range(senders)]
    latest = [contacts - 1] * senders
    chosen = torch.randint(senders, (messages,), generator=generator).tolist()
    switches = (torch.rand(messages, generator=generator) < switch).tolist()
    steps = torch.randint(1, contacts, (messages,), generator=generator).tolist()
    for sender, switched, step in zip(chosen, switches, steps, strict=True):
        latest[sender] = (latest[sender] + step * switched) % contacts
        source.append(sender)
        place.append(latest[sender])
    sources = torch.tensor(source)
    return Stream(
        sources, senders + circle[sources, torch.tensor(place)], torch.arange(len(source)), senders + receivers
    )


def circles_optimum(receivers: int, contacts: int, switch: float) -> dict[str, float]:
    """Return the highest AUC on `circles`, for random negatives and for those among the sender's other contacts.

    The likelihood ratio takes three values: for the latest contact, another contact, none. It orders pairs so. Of two
    independent draws, one true and one wrong, those with equal ratios count one half.
    """
    others, latest = receivers - 1, 1 - switch
    true = [latest, switch, 0.0]
    random = [switch / others, (contacts - 1 - switch) / others, (receivers - contacts) / others]
    historical = [switch / (contacts - 1), 1 - switch / (contacts - 1), 0.0]

    def auc(wrong: list[float]) -> float:
        # By ratio, the highest first; what is never wrong has an infinite one, and what never occurs any.
        order = sorted(zip(true, wrong, strict=True), key=lambda pair: pair[0] / max(pair[1], 1e-300), reverse=True)
        below = [sum(lower for _, lower in order[place + 1 :]) for place in range(len(order))]
        return sum(share * (rest + level / 2) for (share, level), rest in zip(order, below, strict=True))

    return {"random": auc(random), "historical": auc(historical)}
