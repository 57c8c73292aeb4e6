"""What the page shows: an entity with its neighbours as a drawing, facts with their sources, and why names are one."""

import html
import math
from collections.abc import Sequence

from knowledge.desk import Compared, Seen
from knowledge.kinds import Fact, Record

WIDTH, HEIGHT, MOST = 760, 400, 14  # pixels, and neighbours that are drawn
LONGEST = 24  # letters of a name in the drawing
TIP = (
    '<defs><marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
    '<path d="M0,0 L9,4 L0,8 z"/></marker></defs>'
)


def called(name: str) -> str:
    """Return a node's name without its kind, as HTML."""
    return html.escape(name.partition(":")[2])


def _short(name: str) -> str:
    text = name.partition(":")[2]
    return html.escape(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def drawing(entity: str, facts: Sequence[Fact]) -> str:
    """Return an SVG: the entity in the middle, its neighbours around it, an arrow for each fact."""
    others = list(dict.fromkeys(fact.object if fact.subject == entity else fact.subject for fact in facts))[:MOST]
    places = {}
    for number, name in enumerate(others):
        angle = 2 * math.pi * number / len(others) - math.pi / 2
        places[name] = (WIDTH / 2 + 290 * math.cos(angle), HEIGHT / 2 + 160 * math.sin(angle))
    middle, parts = (WIDTH / 2, HEIGHT / 2), []
    between: dict[str, int] = {}
    for fact in facts:
        other = fact.object if fact.subject == entity else fact.subject
        if other not in places:
            continue
        start, end = (middle, places[other]) if fact.subject == entity else (places[other], middle)
        line = between[other] = between.get(other, 0) + 1  # several facts with one neighbour: labels below each other
        (x1, y1), (x2, y2) = (_along(start, end, share) for share in (0.24, 0.76))
        parts.append(f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" marker-end="url(#tip)"/>')
        x, y = _along(middle, places[other], 0.52)
        parts.append(
            f'<text class="relation" x="{x:.0f}" y="{y - 6 + 14 * (line - 1):.0f}">{html.escape(fact.relation)}</text>'
        )
    for name, (x, y) in {entity: middle, **places}.items():
        kind = html.escape(name.partition(":")[0], quote=True)
        mine = " mine" if name == entity else ""
        parts.append(f'<ellipse class="{kind}{mine}" cx="{x:.0f}" cy="{y:.0f}" rx="72" ry="22"/>')
        parts.append(f'<text x="{x:.0f}" y="{y + 5:.0f}">{_short(name)}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{called(entity)}">{TIP}{"".join(parts)}</svg>'


def _along(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def facts_table(facts: Sequence[Fact], records: dict[str, Record]) -> str:
    """Return the facts, each with the sentences that say it."""
    rows = []
    for fact in facts:
        until = "…" if fact.until is None else str(fact.until - 1)
        said = "<br>".join(
            f"{html.escape(record.source)}, day {record.day}: <q>{html.escape(record.text)}</q>"
            for record in (records[key] for key in fact.records if key in records)
        )
        sentence = f"{called(fact.subject)} <b>{html.escape(fact.relation)}</b> {called(fact.object)}"
        rows.append(f"<tr><td>{sentence}</td><td>{fact.since} to {until}</td><td>{said}</td></tr>")
    head = "<tr><th>fact</th><th>days</th><th>who says so</th></tr>"
    return f'<table class="facts">{head}{"".join(rows)}</table>' if rows else '<p class="none">No fact on this day.</p>'


def why_table(pairs: Sequence[Compared]) -> str:
    """Return which names were compared, what speaks for and against, and what came of it."""
    rows = []
    for pair in pairs:
        reasons = "<br>".join(f"{html.escape(reason)}: {bits:+g}" for reason, bits in pair.reasons)
        verdict = "one" if pair.same else "two"
        rows.append(
            f'<tr class="{verdict}"><td>{called(pair.one)}<br>{called(pair.other)}</td><td>{reasons}</td>'
            f"<td>{pair.bits:+g}</td><td>{verdict}{', as somebody said' if pair.decided else ''}</td></tr>"
        )
    head = "<tr><th>names</th><th>evidence in bits</th><th>sum</th><th>now</th></tr>"
    return f'<table class="why">{head}{"".join(rows)}</table>' if rows else '<p class="none">Compared with nothing.</p>'


def shown(seen: Seen | None, pairs: Sequence[Compared]) -> str:
    """Return the whole page of an entity."""
    if seen is None:
        return '<div class="graph"><p class="none">Nobody had heard of it by then.</p></div>'
    names = ", ".join(called(name) for name in seen.names)
    return (
        f'<div class="graph">{drawing(seen.entity, seen.facts)}<p class="names">Known as: {names}</p>'
        f"{facts_table(seen.facts, seen.records)}<h3>Why these names are one or two, as of now</h3>"
        f"{why_table(pairs)}</div>"
    )
