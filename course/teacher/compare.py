"""`course compare`: pairs of copies that have in common what no lesson asks for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from course import lesson
from course.teacher.material import Material, normal

# More copies than this, or than this share of the class, have what an exercise asks
# for, or what somebody has passed round: a group, and no pair.
MOST_OF_A_GROUP = 3
SHARE_OF_A_GROUP = 0.1


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
    materials: Mapping[str, Material], solutions: Iterable[Material] = ()
) -> Comparison:
    """Compare each copy with each other.

    Args:
        materials: what each student has written.
        solutions: what solutions have, which anybody may have as well.
    """
    most = max(MOST_OF_A_GROUP, int(len(materials) * SHARE_OF_A_GROUP))
    expected = _items(solutions)
    page = _pages()
    reasons: dict[tuple[str, str], list[str]] = {}
    groups = []
    for (kind, item), handles in _owners(materials).items():
        if (kind, item) in expected or item in page:
            continue
        places = [materials[handle].kinds()[kind][item] for handle in handles]
        if len(handles) > most:
            groups.append(Group(handles, f"{kind}: {places[0]}"))
            continue
        for (one, here), (other, there) in combinations(zip(handles, places), 2):
            where = " and ".join(dict.fromkeys((here, there)))
            reasons.setdefault((one, other), []).append(f"{kind}: {where}")
    pairs = [Pair(*names, listed) for names, listed in reasons.items()]
    pairs.sort(key=lambda pair: -len(pair.reasons))
    return Comparison(pairs, groups)


def _owners(materials: Mapping[str, Material]) -> dict[tuple[str, str], list[str]]:
    """Return who has each item, by its kind and itself."""
    owners: dict[tuple[str, str], list[str]] = {}
    for handle, material in materials.items():
        for kind, items in material.kinds().items():
            for item in items:
                owners.setdefault((kind, item), []).append(handle)
    return owners


def _items(materials: Iterable[Material]) -> set[tuple[str, str]]:
    items: set[tuple[str, str]] = set()
    for material in materials:
        for kind, listed in material.kinds().items():
            items.update((kind, item) for item in listed)
    return items


def _pages() -> set[str]:
    """Return the sentences of the lessons, which a student may well copy."""
    sentences = set()
    for each in lesson.every():
        for path in sorted(Path(each.path).iterdir()):
            if path.suffix in (".md", ".py"):
                for line in path.read_text("utf-8").splitlines():
                    sentences.add(normal(line))
    return sentences
