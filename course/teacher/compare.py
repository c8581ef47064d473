"""`course compare`: pairs of copies that have in common what no lesson asks for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from course import lesson
from course.teacher.material import Material, normal

# More copies than this, or than this share of the class, have what an exercise asks
# for, or what somebody has passed round: a group, and no pair.
MOST_OF_A_GROUP = 3
SHARE_OF_A_GROUP = 0.1


class Item(NamedTuple):
    """Something that a student has written.

    Attributes:
        kind: what it is called in a reason.
        content: a digest or the words of it.
    """

    kind: str
    content: str


Owners = dict[str, str]
"""Students who have the same, each with the place where it is."""

Names = tuple[str, str]
"""Two students."""

Reason = tuple[Names, str]
"""Two students, and what they have in common."""


@dataclass(frozen=True)
class Pair:
    """Two copies, and what they have in common.

    Attributes:
        one, other: the students.
        reasons: a phrase for each thing, the strongest kind first.
    """

    one: str
    other: str
    reasons: list[str]


@dataclass(frozen=True)
class Group:
    """Something that many copies have in common."""

    handles: list[str]
    reason: str


@dataclass(frozen=True)
class Comparison:
    """What a class has in common, besides what the template and the solutions have."""

    pairs: list[Pair]
    groups: list[Group]


def compare(
    materials: Mapping[str, Material],
    solutions: Iterable[Material] = (),
) -> Comparison:
    """Compare each copy with each other.

    Args:
        materials: what each student has written.
        solutions: what solutions have, which anybody may have as well.
    """
    most = _most_of_a_pair(len(materials))
    expected = _items(solutions)
    pages = _pages()
    reasons: dict[Names, list[str]] = {}
    groups = []
    for item, owners in _owners(materials).items():
        if item in expected:
            continue
        if item.content in pages:
            continue
        if len(owners) > most:
            groups.append(_group(item, owners))
            continue
        for names, reason in _reasons(item, owners):
            listed = reasons.setdefault(names, [])
            listed.append(reason)
    pairs = []
    for (one, other), listed in reasons.items():
        pair = Pair(one, other, listed)
        pairs.append(pair)
    pairs.sort(key=_strength, reverse=True)
    return Comparison(pairs, groups)


def _most_of_a_pair(copies: int) -> int:
    """Return how many copies have the same without being a group."""
    share = int(copies * SHARE_OF_A_GROUP)
    return max(MOST_OF_A_GROUP, share)


def _strength(pair: Pair) -> int:
    return len(pair.reasons)


def _group(item: Item, owners: Owners) -> Group:
    handles = list(owners)
    first = handles[0]
    reason = f"{item.kind}: {owners[first]}"
    return Group(handles, reason)


def _reasons(item: Item, owners: Owners) -> Iterator[Reason]:
    """Yield each pair of students with what both have, and where."""
    for names in combinations(owners, 2):
        one, other = names
        here = owners[one]
        there = owners[other]
        where = here
        if there != here:
            where = f"{here} and {there}"
        reason = f"{item.kind}: {where}"
        yield names, reason


def _owners(materials: Mapping[str, Material]) -> dict[Item, Owners]:
    """Return the students who have each item, in their order."""
    everything: dict[Item, Owners] = {}
    for handle, material in materials.items():
        for kind, places in material.kinds().items():
            for content, place in places.items():
                item = Item(kind, content)
                owners = everything.setdefault(item, {})
                owners[handle] = place
    return everything


def _items(materials: Iterable[Material]) -> set[Item]:
    items = set()
    for material in materials:
        for kind, places in material.kinds().items():
            for content in places:
                items.add(Item(kind, content))
    return items


def _pages() -> set[str]:
    """Return the sentences of the lessons, which a student may well copy."""
    sentences: set[str] = set()
    for each in lesson.every():
        for path in Path(each.path).iterdir():
            if path.suffix not in (".md", ".py"):
                continue
            text = path.read_text("utf-8")
            lines = text.splitlines()
            sentences.update(map(normal, lines))
    return sentences
