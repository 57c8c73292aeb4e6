"""A path with two kinds of time, as one statement of SQL.

Fill in `compiled`. Then look how far you are:

    uv run sprints check 26.7
    uv run sprints hint 26.7

Theory: notes/14_asking_a_graph.md
"""


def compiled(start: str, steps: list[tuple[str, bool]], day: int, known: int) -> tuple[str, list]:
    """Return a statement that gives the ends of a path, each once, and the values of its ?.

    The only table is `facts (subject, relation, object, since, until, known_from, known_until)`. Things are called by
    their names there. A fact holds from `since` until the day before `until`, and was known from `known_from` until
    before `known_until`; both ends may be NULL, which is: not yet.

    Args:
        start: the name of a thing. Names and relations stand in the values, not in the statement.
        steps: relations, and whether the step goes from subject to object (True) or back; at least one.
        day: each fact of the path holds on this day.
        known: each fact of the path was known after so many arrivals.

    Returns:
        A SELECT of one column, in any order of rows, and a value for each of its ?.
    """
    raise NotImplementedError
