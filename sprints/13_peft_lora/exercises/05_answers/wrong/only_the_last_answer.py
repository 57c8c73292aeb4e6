"""Earlier answers count as part of the question."""


def write_chat(turns: list[tuple[str, list[int]]], marks: dict[str, int], end: int) -> tuple[list[int], list[bool]]:
    tokens: list[int] = []
    scored: list[bool] = []
    for number, (speaker, said) in enumerate(turns, start=1):
        tokens += [marks[speaker], *said, end]
        scored += [False, *[speaker == "assistant" and number == len(turns)] * (len(said) + 1)]
    return tokens, scored
