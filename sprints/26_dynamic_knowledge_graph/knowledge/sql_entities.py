"""Nodes and entities in SQL: a node is born, compared, joined with others, and dies with its last mention."""

import json
from collections.abc import Iterable

from knowledge.sql_base import SqlBase
from knowledge.store import Linker, Node

DECIDED = 1e6  # the weight of a decision: more than any evidence
Touched = set[tuple[int, str, int]]  # subject, relation and object of claims, as entities


class SqlEntities(SqlBase):
    """What a store does with nodes."""

    linker: Linker

    def _mention(self, node: Node) -> tuple[int, bool]:
        """Count a mention of a node; return its number, and whether it is new or has come back."""
        found = self._rows("SELECT id, mentions FROM nodes WHERE name = ?", node.name)
        if found and found[0][1]:
            self._run("UPDATE nodes SET mentions = mentions + 1 WHERE id = ?", found[0][0])
            return found[0][0], False
        if found:
            number = found[0][0]
            self._run("UPDATE nodes SET mentions = 1 WHERE id = ?", number)
        else:
            number, fields = self._next("nodes"), json.dumps(dict(node.fields), sort_keys=True)
            self._run("INSERT INTO nodes VALUES (?, ?, ?, ?, NULL, 1)", number, node.name, node.kind, fields)
        for key in dict.fromkeys(node.keys):
            self._run("INSERT INTO node_keys VALUES (?, ?)", key, number)
        for other, name, kind, fields in self._candidates(number):
            weight = self.linker.weight(node, Node(name, kind, json.loads(fields)))
            if weight:
                self._run("INSERT INTO links VALUES (?, ?, ?), (?, ?, ?)", number, other, weight, other, number, weight)
        return number, True

    def _candidates(self, node: int) -> list[tuple]:
        return self._rows(
            "SELECT DISTINCT n.id, n.name, n.kind, n.fields FROM node_keys mine JOIN node_keys theirs "
            "ON theirs.key = mine.key JOIN nodes n ON n.id = theirs.node WHERE mine.node = ? AND n.id <> ? "
            "ORDER BY n.id",
            node, node,
        )  # fmt: skip

    def _no_mention(self, node: int) -> list[int]:
        """Take back a mention; if it was the last the node dies: return those it was compared with."""
        self._run("UPDATE nodes SET mentions = mentions - 1 WHERE id = ?", node)
        if self._rows("SELECT mentions FROM nodes WHERE id = ?", node)[0][0]:
            return []
        others = list(self._neighbours(node))
        self._run("DELETE FROM node_keys WHERE node = ?", node)
        self._run("DELETE FROM links WHERE one = ?", node)
        self._run("DELETE FROM links WHERE other = ?", node)
        self._run("UPDATE nodes SET entity = NULL WHERE id = ?", node)
        self._close_member(node)
        return others

    def _entity(self, node: int) -> int:
        return self._rows("SELECT entity FROM nodes WHERE id = ?", node)[0][0]

    def _neighbours(self, node: int) -> dict[int, float]:
        """Return the weight of evidence between a node and every other: a decision counts in its place."""
        weights = dict(self._rows("SELECT other, weight FROM links WHERE one = ?", node))
        said = self._rows(
            "SELECT n.id, d.same, d.day FROM nodes mine JOIN decisions d ON d.one = mine.name "
            "JOIN nodes n ON n.name = d.other WHERE mine.id = ? AND n.mentions > 0 "
            "UNION ALL SELECT n.id, d.same, d.day FROM nodes mine JOIN decisions d ON d.other = mine.name "
            "JOIN nodes n ON n.name = d.one WHERE mine.id = ? AND n.mentions > 0",
            node, node,
        )  # fmt: skip
        said.sort(key=lambda one: (one[2], -one[1]))  # of several the last one counts
        return weights | {other: DECIDED if same else -DECIDED for other, same, _ in said}

    def _cluster(self, seeds: Iterable[int]) -> Touched:
        """Cut what is connected with these nodes into entities again; return the claims whose entities are others."""
        touched: Touched = set()
        done: set[int] = set()
        for seed in seeds:
            if seed in done or not self._rows("SELECT 1 FROM nodes WHERE id = ? AND mentions > 0", seed):
                continue
            weights = self._connected(seed)
            done |= weights.keys()
            for cluster in self._cut(weights):
                for node in sorted(cluster):
                    touched |= self._move(node, min(cluster))
        return touched

    def _connected(self, seed: int) -> dict[int, dict[int, float]]:
        """Return all nodes that weights above 0 connect with this one, each with its weights."""
        weights, waiting = {}, [seed]
        while waiting:
            node = waiting.pop()
            if node not in weights:
                weights[node] = self._neighbours(node)
                waiting += [other for other, weight in weights[node].items() if weight > 0]
        return weights

    def _cut(self, weights: dict[int, dict[int, float]]) -> list[list[int]]:
        """Return the clusters of connected nodes.

        Raises:
            ValueError: the linker's clusters are not the nodes, each once.
        """
        if len(weights) == 1:
            return [list(weights)]
        marks = ", ".join("?" * len(weights))
        number = dict(self._rows(f"SELECT name, id FROM nodes WHERE id IN ({marks})", *weights))
        name = {node: called for called, node in number.items()}
        pairs = {
            (name[one], name[other]): weight
            for one, mine in weights.items()
            for other, weight in mine.items()
            if other in name and name[one] < name[other]
        }
        clusters = [list(cluster) for cluster in self.linker.clusters(sorted(number), dict(sorted(pairs.items())))]
        if sorted(called for cluster in clusters for called in cluster) != sorted(number):
            raise ValueError(f"clusters must hold each of {sorted(number)[:5]}... once; got {clusters[:5]}")
        return [[number[called] for called in cluster] for cluster in clusters]

    def _move(self, node: int, entity: int) -> Touched:
        """Let a node belong to an entity; return the claims about it, with the entities of before and of now."""
        before = self._entity(node)
        if before == entity:
            return set()
        self._run("UPDATE nodes SET entity = ? WHERE id = ?", entity, node)
        if before is not None:
            self._close_member(node)
        self._run("INSERT INTO members VALUES (?, ?, ?, NULL)", node, entity, self._arrival)
        if before is None:
            return set()  # nothing is said about it yet
        about = (
            "SELECT subject_entity, relation, object_entity FROM claims WHERE subject = ? "
            "UNION SELECT subject_entity, relation, object_entity FROM claims WHERE object = ?"
        )
        touched = set(self._rows(about, node, node))
        self._run("UPDATE claims SET subject_entity = ? WHERE subject = ?", entity, node)
        self._run("UPDATE claims SET object_entity = ? WHERE object = ?", entity, node)
        return touched | set(self._rows(about, node, node))

    def _close_member(self, node: int) -> None:
        """Say until when a node belonged to its entity; for what began with this arrival there was no such time."""
        self._run("DELETE FROM members WHERE node = ? AND known_until IS NULL AND known_from = ?", node, self._arrival)
        self._run("UPDATE members SET known_until = ? WHERE node = ? AND known_until IS NULL", self._arrival, node)
