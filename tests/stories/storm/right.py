"""What each question is answered while nothing else is asked: whatever the storm brings must be that, or begin so."""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.factories.service import Service
from tests.stories.storm.questions import Question, of_application, of_district
from tests.stories.storm.town import CHANGED, WIDE, Place

Told = tuple[int, bytes]
"""Status and body."""

UUIDS: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SEED: Final = 20_000


@dataclass(frozen=True)
class Right:
    """The questions, and their right answers."""

    questions: Mapping[str, list[Question]]
    """By kind, those that anybody may ask at any time."""
    followed: Mapping[str, list[Question]]
    """By district those whose answers are to change with the answer to a save."""
    wide: Mapping[Question, Told]
    narrow: Mapping[Question, Told]
    """While less is shared with those whose part is changed; the others receive the same."""
    foreign: Mapping[str, frozenset[bytes]]
    """By district the ids of the others."""

    def answers(self, question: Question) -> list[Told]:
        """What a question may be answered; nothing if that depends on what others do."""
        return [] if question.moves else [self.wide[question], self.narrow[question]]

    def is_foreign(self, place: str, received: bytes) -> bool:
        """Whether something of another district is in what was received about one."""
        foreign = self.foreign[place]
        named = any(name.encode() in received for name in self.foreign if name != place)
        return named or not foreign.isdisjoint(UUIDS.findall(received))


async def learned(service: Service, places: list[Place]) -> Right:
    """Ask every question, those of the applications whose part is changed also while less is shared with them."""
    chance = random.Random(SEED)
    questions: dict[str, list[Question]] = defaultdict(list)
    followed: dict[str, list[Question]] = {}
    for place in places:
        others = [other for other in places if other is not place]
        asked = list(of_district(place, chance))
        for way in place.applications:
            asked += of_application(place, others, way, chance)
        token = place.applications["followed"].headers["Authorization"]
        followed[place.name] = [one for one in asked if one.authorization == token and not one.moves]
        for question in asked:
            if question.authorization != token:
                questions[question.kind].append(question)
    every = [one for group in (*questions.values(), *followed.values()) for one in group if not one.moves]
    wide = await told(service, every)
    await share_all(places, wide=False)
    changed = {place.applications[way].headers["Authorization"] for place in places for way in CHANGED}
    narrow = wide | await told(service, [one for one in every if one.authorization in changed])
    await share_all(places, wide=True)
    foreign = {place.name: frozenset(ids_of(other for other in places if other is not place)) for place in places}
    return Right(questions, followed, wide, narrow, foreign)


def ids_of(places: Iterable[Place]) -> Iterable[bytes]:
    """Every id of some districts."""
    for place in places:
        yield place.district.id.encode()
        yield from (record_id.encode() for record_id in place.ids.values())
        yield from (application.id.encode() for application in place.applications.values())


async def told(service: Service, questions: Iterable[Question]) -> dict[Question, Told]:
    """What questions are answered one after the other."""
    found = {}
    for question in questions:
        headers = {"Authorization": question.authorization, "Accept-Encoding": "identity"}
        answer = await service.client.request(question.method, question.path, json=question.body, headers=headers)
        found[question] = (answer.status_code, answer.content)
    return found


async def share_all(places: list[Place], *, wide: bool) -> None:
    """Widen or narrow what is shared with those whose part is changed."""
    for place in places:
        for way in CHANGED:
            await place.applications[way].share(WIDE if wide else place.narrow)
