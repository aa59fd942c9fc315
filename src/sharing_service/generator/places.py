"""Where people live and how they are reached: invented streets and towns, reserved domains and telephone numbers."""

import random
from typing import Final, NamedTuple

DOMAIN: Final = "riverbend.k12.example"
"""Below `.example`, which RFC 2606 keeps out of the real world."""
STUDENT_DOMAIN: Final = f"students.{DOMAIN}"
FAMILY_DOMAINS: Final = ("mail.example", "post.example", "inbox.example")
STATE: Final = "CO"

WORDS: Final = (
    *("Aspen", "Birch", "Briar", "Bramble", "Cedar", "Chestnut", "Clover", "Copper", "Cottonwood"),
    *("Crystal", "Eagle", "Falcon", "Fox", "Golden", "Granite", "Hawthorn", "Heron", "Juniper"),
    *("Larkspur", "Laurel", "Linden", "Magnolia", "Maple", "Hazel", "Mesa", "Oak", "Pine", "Prairie"),
    *("Quail", "Sage", "Silver", "Spruce", "Stone", "Sumac", "Sunset", "Timber", "Walnut", "Willow"),
    *("Wren", "Yarrow"),
)
FEATURES: Final = (
    *("Bend", "Bluff", "Bridge", "Brook", "Canyon", "Cove", "Creek", "Crest", "Crossing", "Falls"),
    *("Field", "Flats", "Ford", "Fork", "Gate", "Glen", "Grove", "Heights", "Hill", "Hollow", "Knoll"),
    *("Lake", "Landing", "Meadows", "Mill", "Park", "Pass", "Peak", "Point", "Pond", "Ranch", "Ridge"),
    *("Rock", "Run", "Springs", "Trail", "Valley", "View", "Vista", "Woods"),
)
_WAYS: Final = ("St", "St", "Ave", "Ave", "Dr", "Ln", "Ct", "Rd", "Way", "Blvd")
_AREAS: Final = ("303", "720", "970", "719")


class Address(NamedTuple):
    """One address of the district."""

    street: str
    city: str
    zip: str


def town_of(cluster: int) -> tuple[str, str]:
    """The town of a group of schools that feed each other, and its ZIP code."""
    word, feature = WORDS[cluster * 7 % len(WORDS)], FEATURES[(cluster * 11 + cluster // len(WORDS)) % len(FEATURES)]
    return ("Riverbend" if cluster == 0 else f"{word} {feature}", f"80{101 + cluster % 800:03}")


def draw_address(rng: random.Random, town: tuple[str, str]) -> Address:
    """An address in the town, sometimes with an apartment."""
    street = f"{rng.randint(100, 9899)} {rng.choice(WORDS)} {rng.choice(FEATURES)} {rng.choice(_WAYS)}"
    if rng.random() < 0.2:
        street += f", Apt {rng.randint(1, 48)}{rng.choice('ABC')}"
    return Address(street, *town)


def draw_phone(rng: random.Random) -> str:
    """A number that is nobody's: 555-0100 to 555-0199 are kept for stories."""
    return f"({rng.choice(_AREAS)}) 555-01{rng.randrange(100):02}"
