"""Addresses and places (DESIGN §3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prontodb.address import Address, Choice, Scope, check_delimiter, parse, parse_namespace, parse_place, split_context
from prontodb.errors import InvalidAddress, UsageError
from prontodb.suggest import address_for

DEFAULT = Choice("default", "default")
PLAIN = Scope(DEFAULT, DEFAULT)

letters = st.characters(categories=("Lu", "Ll", "Lo", "Lt", "Lm", "Nd"))
words = st.builds(lambda first, rest: first + rest, letters, st.text(st.one_of(letters, st.sampled_from("_-")), max_size=20))
key_marks = st.one_of(letters, st.sampled_from("_-/@+%"))
keys = st.text(key_marks, min_size=1, max_size=30)


def scope(project: str | None = None, namespace: str | None = None, source: str = "flag") -> Scope:
    """A scope in which the given layers come from `source`."""
    return Scope(*(Choice(value, source) if value else DEFAULT for value in (project, namespace)))


def valid(text: str, at: Scope = PLAIN) -> Address | None:
    """The address, or None where it is refused."""
    try:
        return parse(text, at)
    except InvalidAddress:
        return None


@given(words, words, keys)
def test_what_an_address_formats_to_parses_to_the_same_address(project: str, namespace: str, key: str) -> None:
    address = valid(f"{project}.{namespace}.{key}")
    if address is not None:
        assert parse(str(address), PLAIN) == address
        again = address.key + (f"__{address.context}" if address.context else "")
        assert (again, (address.project, address.namespace)) == (address.name, (project, namespace))


@given(words, words, words, words)
def test_every_address_built_of_valid_parts_is_valid(project: str, namespace: str, key: str, context: str) -> None:
    address = valid(f"{project}.{namespace}.{key}__{context}")
    assert address is not None
    assert address.name == f"{key}__{context}"


@given(st.text())
def test_any_text_is_an_address_or_a_clear_refusal(text: str) -> None:
    try:
        address = parse(text, PLAIN)
    except InvalidAddress as error:
        assert error.headline == f"Invalid address '{text}'"
        assert error.message.startswith(error.headline + ": ")
    else:
        assert parse(str(address), PLAIN) == address


@pytest.mark.parametrize(
    ("name", "key", "context"),
    [
        ("k", "k", ""),
        ("k__prod", "k", "prod"),
        ("k__a__b", "k__a", "b"),
        ("__prod", "__prod", ""),
        ("k__", "k__", ""),
        ("k___x", "k_", "x"),
        ("k__-x", "k__-x", ""),
        ("k__x__", "k__x__", ""),
        ("____x", "__", "x"),
        ("k__/x", "k__/x", ""),
    ],
)
def test_the_context_starts_after_the_last_double_underscore(name: str, key: str, context: str) -> None:
    assert split_context(name) == (key, context)
    assert parse(f"p.n.{name}", PLAIN).name == name


@pytest.mark.parametrize("text", ["a.b.c", "é.日本.k_-/@+%", "a.b.k__x", "1.2.3", "a-b.c_d.-x", "p.n./usr/bin"])
def test_these_are_addresses(text: str) -> None:
    assert str(parse(text, PLAIN)) == text


BAD = ["", ".", "..", "a..c", "a.b.", ".b.c", "a.b.c.d", "_a.b.c", "-a.b.c", "a._b.c", "a b.c.d", "a.b.c\n", "a.b.'c", 'a.b."', "a.b.c;d"]
BAD += [
    "a.b.c=d",
    "a.b.c:d",
    "a.b.c\\",
    "a.b.½",
    "a.b.²",
    "a.b.\0",
    "a.b.k__x/y",
    "a/b.c.d",
    "a.b.\udcff",
    "a.b.e\u0301",
    "a.b.🎉",
    "a.b.c*",
]


@pytest.mark.parametrize("text", BAD)
def test_these_are_not(text: str) -> None:
    with pytest.raises(InvalidAddress):
        parse(text, PLAIN)


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_a_part_has_at_most_255_bytes(layer: int) -> None:
    for size, fits in ((255, True), (256, False)):
        for part in ("a" * size, "é" * (size // 2) + "a" * (size % 2)):
            parts = ["p", "n", "k", "c"]
            parts[layer] = part
            text = ".".join(parts[:3]) + "__" + parts[3]
            assert (valid(text) is not None) == fits


def test_short_addresses_are_completed() -> None:
    assert str(parse("k", PLAIN)) == "default.default.k"
    assert str(parse("n.k", PLAIN)) == "default.n.k"
    assert str(parse("n.k", scope("work"))) == "work.n.k"
    assert str(parse("k", scope("work", "notes"))) == "work.notes.k"
    assert str(parse("k", scope(None, "notes"))) == "default.notes.k"
    assert str(parse("a.b.c", scope("work", "notes", "environment"))) == "a.b.c"


@pytest.mark.parametrize(
    ("text", "at"), [("n.k", scope("p", "n")), ("p.n.k", scope("p")), ("x.k", scope(None, "n")), ("k.", scope("p", "n"))]
)
def test_with_flags_the_address_is_what_they_leave_open(text: str, at: Scope) -> None:
    with pytest.raises(InvalidAddress):
        parse(text, at)


@pytest.mark.parametrize(
    ("text", "at", "lands"),
    [
        ("k", PLAIN, None),
        ("n.k", PLAIN, None),
        ("p.n.k", PLAIN, "p.n.k"),
        ("n.k", scope("work"), "work.n.k"),
        ("k", scope("work"), None),
        ("k", scope("work", "notes"), "work.notes.k"),
        ("k", scope(None, "notes"), None),
        ("k", scope("work", "notes", "environment"), "work.notes.k"),
    ],
)
def test_piped_content_needs_an_address_that_is_spelled_out(text: str, at: Scope, lands: str | None) -> None:
    if lands:
        assert str(parse(text, at, piped=True)) == lands
        return
    with pytest.raises(InvalidAddress, match="spelled out"):
        parse(text, at, piped=True)


@pytest.mark.parametrize(
    ("text", "at", "place"),
    [
        (None, PLAIN, "default.default"),
        (None, scope("p", "n"), "p.n"),
        (None, scope("p"), "p.default"),
        ("p.n", PLAIN, "p.n"),
        ("p.n.pre", PLAIN, "p.n.pre"),
        ("p.n.", PLAIN, "p.n"),
        ("pre", PLAIN, "default.default.pre"),
        ("pre", scope("p", "n"), "p.n.pre"),
        ("n", scope("p"), "p.n"),
        ("n.pre", scope("p"), "p.n.pre"),
        ("pre", scope(None, "n"), "default.n.pre"),
        ("a.b", scope("p", "n", "environment"), "a.b"),
        ("pre", scope("p", "n", "environment"), "p.n.pre"),
        ("p.n.a__", PLAIN, "p.n.a__"),
    ],
)
def test_places(text: str | None, at: Scope, place: str) -> None:
    assert str(parse_place(text, at)) == place


@pytest.mark.parametrize(
    ("text", "at"), [("a.b.c.d", PLAIN), ("a.b", scope("p", "n")), ("a.b.c", scope("p")), (".n", PLAIN), ("p.n.a b", PLAIN)]
)
def test_places_that_are_refused(text: str, at: Scope) -> None:
    with pytest.raises(InvalidAddress):
        parse_place(text, at)


def test_a_namespace_is_named_whole() -> None:
    assert str(parse_namespace("p.n", PLAIN)) == "p.n"
    assert str(parse_namespace("n", scope("p"))) == "p.n"
    assert str(parse_namespace("n", PLAIN)) == "default.n"
    assert str(parse_namespace(None, scope("p", "n"))) == "p.n"
    assert str(parse_namespace(None, scope(None, "n"))) == "default.n"
    for text, at in (
        (None, PLAIN),
        (None, scope("p")),
        ("p.n.k", PLAIN),
        ("p.n", scope("p")),
        ("n", scope("p", "n")),
        ("p.", PLAIN),
        ("", PLAIN),
    ):
        with pytest.raises(InvalidAddress):
            parse_namespace(text, at)


def test_another_delimiter() -> None:
    at = Scope(DEFAULT, DEFAULT, "|")
    assert str(parse("p|n|k", at)) == "p.n.k"
    assert valid("p.n.k", at) is None
    assert valid("org1.app|n|k", at) is None
    for bad in ("", "ab", "a", "1", "_", "-", " ", "\n", "é"):
        with pytest.raises(UsageError):
            check_delimiter(bad)


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("a..b.c", "a.b.c"),
        ("a.b.c.", "a.b.c"),
        ("invalid.address", "default.invalid.address"),
        ("k", "default.default.k"),
        ("a.b.2024.txt", "a.b.2024_txt"),
        ("a.b.my key", "a.b.my_key"),
        ("a.b.c;", "a.b.c_"),
        ("invalid...address", ""),
        ("", ""),
        ("...", ""),
        ("_a.b.c", ""),
    ],
)
def test_a_likely_address_is_offered_where_one_thing_is_wrong(text: str, likely: str) -> None:
    assert address_for(text, PLAIN) == likely


def test_an_address_shows_what_it_is_made_of() -> None:
    """As Python writes it: names that only look alike can be told."""
    address = Address("p", "n", "k__\u0430")
    assert repr(address) == "Address('p', 'n', 'k__\u0430')"
    assert eval(repr(address)) == address
