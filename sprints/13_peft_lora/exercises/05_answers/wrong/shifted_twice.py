"""The mask is shifted here, and once more in the loss."""


def write_chat(turns: list[tuple[str, list[int]]], marks: dict[str, int], end: int) -> tuple[list[int], list[bool]]:
    tokens: list[int] = []
    scored: list[bool] = []
    for speaker, said in turns:
        tokens += [marks[speaker], *said, end]
        scored += [False, *[speaker == "assistant"] * (len(said) + 1)]
    return tokens, [*scored[1:], False]
