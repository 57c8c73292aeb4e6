"""How alike two strings are: by the edits that lead from one to the other, and by the letters that they share."""

PREFIX = 4  # letters at the front that count extra in Winkler's measure
WORTH = 0.1  # what each of them counts
ALIKE = 0.7  # Jaro's similarity above which they count at all


def edit_table(first: str, second: str) -> list[list[int]]:
    """Return the table of edit distances: row i, column j is that of the first i letters and the first j letters.

    D[i][j] = min(D[i-1][j] + 1, D[i][j-1] + 1, D[i-1][j-1] + (0 if the letters are equal else 1)): a letter goes, a
    letter comes, or one takes the place of the other (Levenshtein 1966; the table is Wagner & Fischer 1974).
    """
    table = [list(range(len(second) + 1))]
    for i, letter in enumerate(first, 1):
        row, above = [i], table[-1]
        for j, other in enumerate(second, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other)))
        table.append(row)
    return table


def levenshtein(first: str, second: str) -> int:
    """Return the fewest letters to insert, delete or replace that make one string of the other."""
    return edit_table(first, second)[-1][-1]


def shared_letters(first: str, second: str) -> tuple[list[int], list[int]]:
    """Return the places of the letters that two strings share in Jaro's sense, in the order of each string.

    A letter finds the first free equal one at most max(lengths) // 2 - 1 places away.
    """
    window = max(0, max(len(first), len(second)) // 2 - 1)
    free, here = [True] * len(second), []
    for i, letter in enumerate(first):
        for j in range(max(0, i - window), min(len(second), i + window + 1)):
            if free[j] and second[j] == letter:
                free[j] = False
                here.append(i)
                break
    return here, [j for j, is_free in enumerate(free) if not is_free]


def jaro(first: str, second: str) -> float:
    """Return Jaro's similarity, from 0 to 1: (m / len a + m / len b + (m - t) / m) / 3 (Jaro 1989).

    m letters are shared; t is half the number of places at which the two rows of shared letters differ.
    """
    if not first and not second:
        return 1.0
    here, there = shared_letters(first, second)
    if not here:
        return 0.0
    m = len(here)
    t = sum(first[i] != second[j] for i, j in zip(here, there, strict=True)) // 2
    return (m / len(first) + m / len(second) + (m - t) / m) / 3


def jaro_winkler(first: str, second: str) -> float:
    """Return J + p · 0.1 · (1 - J): Jaro's similarity J, raised by p shared letters at the front, at most 4.

    As in Winkler's program nothing is raised up to J = 0.7 (Winkler 1990).
    """
    alike = jaro(first, second)
    if alike <= ALIKE:
        return alike
    prefix = 0
    for letter, other in zip(first[:PREFIX], second[:PREFIX], strict=False):
        if letter != other:
            break
        prefix += 1
    return alike + prefix * WORTH * (1 - alike)
