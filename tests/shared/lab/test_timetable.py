"""How long recorded runs took, in words and as a table."""

from shared.lab.timetable import duration, timetable


def test_times_are_said_as_people_say_them():
    said = {0.04: "0.0 s", 9.4: "9.4 s", 48.2: "48 s", 429: "7 min", 3599: "1 h 0 min", 3900: "1 h 5 min"}
    assert {seconds: duration(seconds) for seconds in said} == said


def test_recorded_runs_are_listed_from_the_quickest():
    environment = {"threads": 2, "processor": "A processor"}
    results = {}
    for name, preset, seconds in (("train", "default", 90), ("train_long", "long", 600), ("look", "default", 2)):
        command, script = f"uv run x.py --record {preset}", f"{name.partition('_')[0]}.py"
        results[name] = {"script": script, "command": command, "seconds": seconds, "environment": environment}
    lines = timetable(results).splitlines()
    assert lines[0] == "<details><summary>How long each takes: 2.0 s to 10 min</summary>"
    assert lines[4:7] == [
        "| `look.py` | 2.0 s | 2 | A processor |",
        "| `train.py` | 90 s | 2 | A processor |",
        "| `train.py --preset long` | 10 min | 2 | A processor |",
    ]
