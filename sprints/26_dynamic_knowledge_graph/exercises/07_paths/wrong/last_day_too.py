"""A path with two kinds of time, as one statement of SQL."""


def compiled(start: str, steps: list[tuple[str, bool]], day: int, known: int) -> tuple[str, list]:
    """Return a statement that gives the ends of a path, each once, and the values of its ?."""
    tables = ["t0 (thing) AS (SELECT ?)"]
    values: list = [start]
    for number, (relation, forward) in enumerate(steps):
        here, end = ("subject", "object") if forward else ("object", "subject")
        tables.append(
            f"t{number + 1} (thing) AS (SELECT DISTINCT f.{end} FROM t{number} t JOIN facts f ON f.{here} = t.thing "
            "WHERE f.relation = ? AND f.since <= ? AND (f.until IS NULL OR f.until >= ?) "
            "AND f.known_from <= ? AND (f.known_until IS NULL OR f.known_until > ?))"
        )
        values += [relation, day, day, known, known]
    return f"WITH {', '.join(tables)} SELECT thing FROM t{len(steps)}", values
