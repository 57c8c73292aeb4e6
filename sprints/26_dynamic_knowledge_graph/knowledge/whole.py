"""What is known, worked out at once from the set of all arrivals: slow, simple, and what every store must equal."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from knowledge.faults import fault
from knowledge.periods import Said, log_odds, periods
from knowledge.sql_entities import DECIDED
from knowledge.sql_store import RELIABILITY
from knowledge.store import Arrival, Decision, Linker, Node, Reading

Claims = list[tuple[Reading, int, Node, Node]]  # a reading, which of its claims, subject and object


def known(
    arrivals: Iterable[Arrival],
    linker: Linker,
    sources: Mapping[str, float],
    single: Collection[str] | Mapping[str, int],
) -> dict[str, Any]:
    """Return what `Store.dump(times=False)` returns after these arrivals, whatever their order and number.

    Args:
        arrivals: all of them; records of one key must be equal.
        linker, sources, single: as in a store.
    """
    usable = [one for one in arrivals if isinstance(one, Reading | Decision) and not fault(one)]
    readings = {one.record.key: one for one in usable if isinstance(one, Reading)}
    decisions = {one.key: one for one in usable if isinstance(one, Decision)}
    gone = {reading.record.retracts for reading in readings.values()}
    living = [reading for key, reading in sorted(readings.items()) if key not in gone]
    claims = [
        (one, number, linker.node(one.record, claim.subject), linker.node(one.record, claim.object))
        for one in living
        for number, claim in enumerate(one.claims)
    ]
    nodes = {node.name: node for _, _, *pair in claims for node in pair}
    entities = sorted(sorted(cluster) for cluster in _entities(nodes, decisions.values(), linker))
    called = {name: names[0] for names in entities for name in names}
    return {"facts": _facts(claims, called, sources, single), "entities": entities}


def _entities(nodes: Mapping[str, Node], decisions: Iterable[Decision], linker: Linker) -> list[Collection[str]]:
    names = sorted(nodes)
    weights = {
        (one, other): linker.weight(nodes[one], nodes[other])
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if set(nodes[one].keys) & set(nodes[other].keys)
    }
    for decision in sorted(decisions, key=lambda one: (one.day, not one.same)):
        one, other = sorted((decision.one, decision.other))
        if one in nodes and other in nodes:
            weights[one, other] = DECIDED if decision.same else -DECIDED
    weights = {pair: weight for pair, weight in weights.items() if weight}
    clusters, left = [], set(names)
    while left:
        connected, waiting = set(), [min(left)]
        while waiting:
            name = waiting.pop()
            if name not in connected:
                connected.add(name)
                pairs = [pair for pair, weight in weights.items() if weight > 0 and name in pair]
                waiting += [other for pair in pairs for other in pair]
        left -= connected
        inside = {pair: weight for pair, weight in sorted(weights.items()) if connected.issuperset(pair)}
        clusters += linker.clusters(sorted(connected), inside) if len(connected) > 1 else [connected]
    return clusters


def _facts(
    claims: Claims, called: Mapping[str, str], sources: Mapping[str, float], single: Collection[str] | Mapping[str, int]
) -> list:
    groups: dict[tuple, list[Said]] = {}
    numbers = {name: number for number, name in enumerate(sorted(called.values()))}
    names = {number: name for name, number in numbers.items()}
    for reading, number, subject, object in claims:
        claim, about, thing = reading.claims[number], called[subject.name], called[object.name]
        group = (about, claim.relation, None if claim.relation in single else thing)
        said = Said(numbers[thing], claim.day, claim.holds, reading.record.source, reading.record.key)
        groups.setdefault(group, []).append(said)
    facts = []
    for (about, relation, _), said in groups.items():
        options = single.get(relation, 2) if isinstance(single, Mapping) else 2
        for one in periods(said, lambda source: log_odds(sources.get(source, RELIABILITY)), options):
            facts.append([about, relation, names[one.object], one.since, one.until, list(one.records)])
    return sorted(facts, key=lambda fact: fact[:4])
