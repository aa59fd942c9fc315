"""The storm itself: many clients that ask for everybody at once, and what is found wrong with what they receive."""

import asyncio
import random
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from tests.factories.service import Json
from tests.stories.storm.connections import Address, Answer, Line, any_cut, hang_up
from tests.stories.storm.questions import SHARES, Question
from tests.stories.storm.right import Right, Told
from tests.stories.storm.town import WIDE, Place

CLIENTS: Final = 32
"""Who ask at once: more than there are connections in any pool."""
CUTS: Final = 0.3
CLAP: Final = 2 * CLIENTS
"""Requests at the end of a wave that are all cut, so that nobody comes after them and tidies up."""
DECISIONS: Final = 3
"""Saves of each district in a wave behind which the very next answer must be another one."""
READS: Final = 5
"""Answers after each of them."""


class Storm:
    """Requests to one service, wave after wave."""

    def __init__(self, address: Address, right: Right, places: Sequence[Place], *, seed: int) -> None:
        """Begin with nothing asked."""
        self.asked = self.cut = 0
        self.found: list[str] = []
        """What is wrong, in sentences."""
        self._address, self._right, self._places = address, right, places
        self._chance = random.Random(seed)
        self._usual = 0.05
        """Seconds that an answer has taken of late."""

    async def wave(self, requests: int) -> None:
        """So many requests from all sides, and decisions of each district meanwhile; fewer if something is found."""
        decided = DECISIONS * (1 + READS) * len(self._places)
        drawn = self._drawn(requests - decided)
        async with asyncio.TaskGroup() as asking:
            for _ in range(CLIENTS):
                asking.create_task(self._keep_asking(drawn))
            for place in self._places:
                asking.create_task(self._decide(place))

    async def calm(self) -> None:
        """Share everything again with those whose part was changed, and ask every question once more."""
        right = self._right
        async with Line(self._address) as line:
            torn = [question for question in right.questions["save"] if question.body == WIDE]
            for question in (*torn, *(saving(place, WIDE) for place in self._places)):
                await self._ask(line, question, ())
            for question, told in right.wide.items():
                await self._ask(line, question, [told])

    def _drawn(self, number: int) -> Iterator[tuple[Question, bool]]:
        """Questions, and whether they are cut."""
        kinds, shares = zip(*SHARES.items(), strict=True)
        before = (CUTS * number - CLAP) / (number - CLAP)
        for place in range(number):
            [kind] = self._chance.choices(kinds, shares)
            cut = place >= number - CLAP or self._chance.random() < before
            yield self._chance.choice(self._right.questions[kind]), cut

    async def _keep_asking(self, drawn: Iterator[tuple[Question, bool]]) -> None:
        async with Line(self._address) as line:
            for question, cut in drawn:
                if self.found:
                    break
                if cut:
                    await self._cut(question, self._right.answers(question))
                else:
                    await self._ask(line, question, self._right.answers(question))

    async def _decide(self, place: Place) -> None:
        """Widen and narrow, and read what the answer to the save has made the only right answer."""
        followed, right = self._right.followed[place.name], self._right
        async with Line(self._address) as line:
            for _ in range(DECISIONS):
                if self.found:
                    break
                wide = self._chance.random() < 0.5
                await self._ask(line, saving(place, WIDE if wide else place.narrow), ())
                for question in self._chance.choices(followed, k=READS):
                    told = [(right.wide if wide else right.narrow)[question]]
                    if self._chance.random() < CUTS:
                        await self._cut(question, told)
                    else:
                        await self._ask(line, question, told)

    async def _ask(self, line: Line, question: Question, right: Collection[Told]) -> None:
        start = time.perf_counter()
        answer = await line.ask(question.text)
        self._usual += (time.perf_counter() - start - self._usual) / CLIENTS
        self.asked += 1
        if not answer.is_whole:
            self.found.append(f"{question} is not answered")
        self._check(question, answer, right)

    async def _cut(self, question: Question, right: Collection[Told]) -> None:
        length = max((len(body) for _, body in right), default=0)
        cut = any_cut(self._chance, usual=self._usual, length=length)
        answer = await hang_up(self._address, question.text, cut)
        self.asked += 1
        self.cut += 1
        self._check(question, answer, right)

    def _check(self, question: Question, answer: Answer, right: Collection[Told]) -> None:
        """What has come is of the right district and, whole or not, what is right or its beginning."""
        if self._right.is_foreign(question.place, bytes(answer.received)):
            self.found.append(f"{question} tells of another district")
        if answer.status is None:
            return
        if right and not any(answer.begins(status, body) for status, body in right):
            self.found.append(f"{question} is answered otherwise, {answer.status}")
        if not right and answer.status != 200:
            self.found.append(f"{question} is answered {answer.status}")


def saving(place: Place, sharing: Json) -> Question:
    """The save that decides what the followed application receives."""
    path = f"{place.district.path}{place.applications['followed'].path}/sharing"
    return Question("save", place.name, place.district.admin["Authorization"], "PUT", path, sharing, moves=True)
