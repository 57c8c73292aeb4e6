"""Small graphs as drawings: a circle for each node, a line for each edge, names where no edge crosses them."""

from shared.graph.drawn_graphs import draw_graph
from shared.lab import drawings


def test_each_node_and_each_edge_is_drawn_once():
    _, axes = drawings.canvas(3, 3)
    places = [(0.5, 0.5), (1.5, 0.5), (1.5, 2.0)]
    draw_graph(axes, places, [(0, 1), (1, 2)], ["1", "2", "3"], names=["a", "b", "c"], radius=0.2)
    assert len(axes.patches) == 3
    assert len(axes.lines) == 2
    heights = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert heights["a"] > 0.5, "above its node"
    assert heights["b"] < 0.5, "below, where an edge goes straight up"
