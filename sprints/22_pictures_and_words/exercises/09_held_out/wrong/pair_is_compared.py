"""A training picture of another name may be asked for."""


def asked_for(
    names: list[str], pictures: list[bytes], training_names: list[str], training_pictures: list[bytes]
) -> list[bool]:
    known, seen = {*training_names}, {*zip(training_names, training_pictures, strict=True)}
    return [name in known and (name, picture) not in seen for name, picture in zip(names, pictures, strict=True)]
