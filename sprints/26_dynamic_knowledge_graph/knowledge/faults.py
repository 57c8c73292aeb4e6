"""What can be wrong with what arrives: a sentence for it, or nothing."""

from knowledge.kinds import Claim, Record
from knowledge.store import Decision, Reading

LONGEST_NAME, LONGEST_TEXT, MOST_DAYS = 200, 1_000_000, 10_000_000


def fault(arrival: Reading | Decision) -> str | None:
    """Return what is wrong with an arrival, as the rule and the value that breaks it; None if nothing is."""
    if isinstance(arrival, Decision):
        names = {"the key": arrival.key, "the first node": arrival.one, "the second node": arrival.other}
        if arrival.one == arrival.other:
            return f"a decision is about two nodes; both are {arrival.one[:40]!r}"
        return _bad_names(names) or _bad_day(arrival.day)
    record = arrival.record
    found = _bad_names({"the key": record.key, "the source": record.source}) or _bad_day(record.day)
    found = found or _bad_text("the text", record.text, LONGEST_TEXT)
    found = found or (record.retracts != "" and _bad_text("the key of what is taken back", record.retracts)) or None
    if record.retracts == record.key:
        found = found or f"a record cannot take itself back; {record.key[:40]!r} does"
    if record.retracts and arrival.claims:
        found = found or f"what takes a record back says nothing else; this has {len(arrival.claims)} claims"
    for claim in arrival.claims:
        found = found or _bad_claim(record, claim)
    return found


def _bad_claim(record: Record, claim: Claim) -> str | None:
    if claim.record != record.key:
        return f"a claim belongs to its record; this is of {claim.record[:40]!r}"
    for mention in (claim.subject, claim.object):
        if record.text[mention.start : mention.end] != mention.text or mention.start < 0:
            return f"the text has no {mention.text[:40]!r} from {mention.start} to {mention.end}"
    names = {"the relation": claim.relation, "a name": claim.subject.text, "a name ": claim.object.text}
    return _bad_names(names | {"a kind": claim.subject.kind, "a kind ": claim.object.kind}) or _bad_day(claim.day)


def _bad_names(names: dict[str, str]) -> str | None:
    for what, name in names.items():
        if not isinstance(name, str) or not name:
            return f"{what.strip()} must be letters; got {name!r}"
        if found := _bad_text(what.strip(), name):
            return found
    return None


def _bad_text(what: str, text: str, most: int = LONGEST_NAME) -> str | None:
    """Say what is wrong with a text: too long, or with characters that databases refuse."""
    if not isinstance(text, str):
        return f"{what} must be text; got {text!r}"[:200]
    if len(text) > most:
        return f"{what} has at most {most} characters; got {len(text)}: {text[:20]!r}..."
    if "\x00" in text:
        return f"{what} must not hold the character 0: {text[:40]!r}"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return f"{what} must be Unicode without half characters: {text[:40]!r}"
    return None


def _bad_day(day: int) -> str | None:
    if isinstance(day, bool) or not isinstance(day, int) or abs(day) > MOST_DAYS:
        return f"a day is a whole number from {-MOST_DAYS} to {MOST_DAYS}; got {day!r}"[:200]
    return None
