"""Cut out the graph around a pair of nodes, and label its nodes by where they stand to the pair, as SEAL does."""


def steps(edges: list[tuple[int, int]], start: int, without: int | None = None) -> dict[int, int]:
    """Return how many steps each node is away that can be reached without a node."""
    found, rim = {start: 0}, {start}
    while rim:
        near = {other for edge in edges for one, other in (edge, edge[::-1]) if one in rim}
        distance = 1 + max(found.values())
        rim = {node for node in near if node not in found and node != without}
        found |= dict.fromkeys(rim, distance)
    return found


def around(edges: list[tuple[int, int]], first: int, second: int, hops: int) -> list[tuple[int, int]]:
    """Return the edges, in their order, that join two nodes near a pair; the edge of the pair itself is left out."""
    near = {node for end in (first, second) for node, distance in steps(edges, end).items() if distance <= hops}
    return [edge for edge in edges if near.issuperset(edge)]


def labels(num_nodes: int, edges: list[tuple[int, int]], first: int, second: int) -> list[int]:
    """Return the double-radius label of each node."""
    from_first, from_second = steps(edges, first, second), steps(edges, second, first)
    found = [0] * num_nodes
    for node in from_first.keys() & from_second.keys():
        x, y = from_first[node], from_second[node]
        half, odd = divmod(x + y, 2)
        found[node] = 1 + min(x, y) + half * (half + odd - 1)
    found[first] = found[second] = 1
    return found
