"""The answer is learnt, and never its end."""


def write_chat(turns: list[tuple[str, list[int]]], marks: dict[str, int], end: int) -> tuple[list[int], list[bool]]:
    tokens: list[int] = []
    scored: list[bool] = []
    for speaker, said in turns:
        tokens += [marks[speaker], *said, end]
        scored += [False, *[speaker == "assistant"] * len(said), False]
    return tokens, scored
