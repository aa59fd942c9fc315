"""Names that look like those of a real district: pools drawn from Faker once, combined by the caller's random numbers.

Another version of Faker may know other names and so change the bytes of a district; the locked one never does.
"""

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final, Literal, NamedTuple

from faker import Faker

Sex = Literal["F", "M"]
"""Which first names a person draws from; what a record says of gender is apart."""


@dataclass(frozen=True, slots=True)
class Heritage:
    """Families whose names, race and languages go together."""

    weight: float
    locales: tuple[tuple[str, int], ...]
    """Locale of Faker, and how many names of each sort are drawn from it."""
    races: str
    """Codes of the upload, each as often as it is likely."""
    languages: tuple[str, ...]
    """Home languages, each as often as it is likely."""
    hispanic: float = 0.02
    two_surnames: float = 0.02
    first_names: tuple[str, ...] = ()
    last_names: tuple[str, ...] = ()


HERITAGES: Final = (
    Heritage(
        0.43,
        (("en_US", 500), ("en_GB", 80), ("de_DE", 25), ("pl_PL", 25), ("ga_IE", 10), ("fr_FR", 25), ("no_NO", 15)),
        races="W" * 30 + "M",
        languages=("English",) * 30 + ("Polish", "Ukrainian", "French"),
        first_names=("Anne-Marie", "Mary-Kate", "Zoë", "Renée"),
        last_names=("O'Brien", "O'Connor", "O'Neill", "D'Angelo", "McKay", "St. Clair"),
    ),
    Heritage(
        0.27,
        (("es_MX", 500), ("es", 100), ("pt_BR", 30)),
        races="WWWWWWMMBI",
        languages=("Spanish",) * 11 + ("English",) * 9,
        hispanic=0.97,
        two_surnames=0.2,
        last_names=("D'Acosta", "de la O"),
    ),
    Heritage(
        0.14,
        (("en_US", 400), ("yo_NG", 25), ("sw", 25)),
        races="B" * 12 + "M",
        languages=("English",) * 28 + ("Somali", "Yoruba", "Swahili", "French"),
        first_names=("De'Andre", "D'Marcus", "Ja'Nae", "Ta'Liyah", "Kiara", "Malik", "Imani", "Darnell"),
        last_names=("N'Diaye", "M'Baye", "Washington", "Booker"),
    ),
    Heritage(0.035, (("en_IN", 300),), races="A", languages=("English", "English", "Hindi", "Telugu", "Gujarati")),
    Heritage(0.03, (("vi_VN", 200),), races="A", languages=("Vietnamese", "Vietnamese", "English")),
    Heritage(0.03, (("zh_CN:romanized", 200),), races="A", languages=("Mandarin", "Cantonese", "English", "English")),
    Heritage(0.02, (("en_US", 200),), races="IIP", languages=("English",) * 6 + ("Navajo", "Samoan")),
    Heritage(0.041, (("en_US", 200), ("es_MX", 50)), races="M", languages=("English",), hispanic=0.2),
    Heritage(0.001, (("zh_TW", 100),), races="A", languages=("Mandarin",)),
    Heritage(0.001, (("ko_KR", 50),), races="A", languages=("Korean",)),
    Heritage(0.001, (("ar_AA", 100),), races="WWM", languages=("Arabic",)),
    Heritage(0.0005, (("hi_IN", 100),), races="A", languages=("Hindi",)),
    Heritage(0.0005, (("uk_UA", 100),), races="W", languages=("Ukrainian",)),
)
_UP_TO: Final = tuple(accumulate(heritage.weight for heritage in HERITAGES))

_PLAIN: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "\u0131": "i", "þ": "th", "ð": "d"}
)
_FAKER_SEED: Final = 1


class Written(NamedTuple):
    """One name, and its letters as a login has them: a to z only, possibly none."""

    text: str
    plain: str


class Name(NamedTuple):
    """What a person is called."""

    first: Written
    middle: str
    last: Written

    @property
    def full(self) -> str:
        """First and last name, as a contact is written."""
        return f"{self.first.text} {self.last.text}"

    def login(self, number: int, *, otherwise: str) -> str:
        """Initial, last name and number; for a name that a to z cannot write, a word and the number."""
        return f"{self.first.plain[:1]}{self.last.plain}{number}" if self.last.plain else f"{otherwise}{number}"


class Pool(NamedTuple):
    """Names to choose from; a frequent one stands here several times."""

    first: dict[Sex, tuple[Written, ...]]
    last: tuple[Written, ...]


def draw_heritage(rng: random.Random) -> Heritage:
    """The heritage of one family."""
    return rng.choices(HERITAGES, cum_weights=_UP_TO)[0]


def draw_last(rng: random.Random, heritage: Heritage) -> Written:
    """The last name of one family, now and then of two."""
    names = _pool(heritage).last
    name = rng.choice(names)
    if rng.random() >= heritage.two_surnames:
        return name
    other, joint = rng.choice(names), rng.choice("- ")
    return name if other.text == name.text else Written(f"{name.text}{joint}{other.text}", name.plain)


def draw_name(rng: random.Random, heritage: Heritage, sex: Sex, *, last: Written | None = None) -> Name:
    """The name of one person, of the given family if there is one."""
    first_names = _pool(heritage).first[sex]
    first, middle = rng.choice(first_names), rng.choice(first_names)
    with_middle = rng.random() < 0.6 and middle != first
    return Name(first, middle.text if with_middle else "", last or draw_last(rng, heritage))


def plain(text: str) -> str:
    """The letters of a name as a login has them: lower case, a to z."""
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_PLAIN))
    return "".join(letter for letter in decomposed if "a" <= letter <= "z")


@cache
def _pool(heritage: Heritage) -> Pool:
    first: dict[Sex, list[str]] = {"F": list(heritage.first_names), "M": list(heritage.first_names)}
    last = list(heritage.last_names)
    for locale, count in heritage.locales:
        female, male, family = _drawing(locale)
        first["F"] += [female() for _ in range(count)]
        first["M"] += [male() for _ in range(count)]
        last += [family() for _ in range(count)]
    return Pool({sex: _written(names) for sex, names in first.items()}, _written(last))


def _drawing(locale: str) -> tuple[Callable[[], str], Callable[[], str], Callable[[], str]]:
    name, _, script = locale.partition(":")
    fake = Faker(name, providers=["faker.providers.person"])
    fake.seed_instance(_FAKER_SEED)
    if script == "romanized":
        return fake.first_romanized_name, fake.first_romanized_name, fake.last_romanized_name
    return fake.first_name_female, fake.first_name_male, fake.last_name


def _written(names: list[str]) -> tuple[Written, ...]:
    return tuple(Written(name, plain(name)) for name in names)
