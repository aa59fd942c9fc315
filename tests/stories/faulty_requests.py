"""Every faulty request of the table; `tests.stories.faulty.shape` says how to read one."""

from tests.stories.faulty.callers import (
    FORBIDDEN,
    LEAKS,
    OPERATOR,
    REPEATS,
    ROTATIONS,
    TOKENS,
    UNAUTHENTICATED,
)
from tests.stories.faulty.districts import BLOCKS, FIELDS, PATHS, QUERIES, SITES
from tests.stories.faulty.partners import PARTNER, PARTNER_CALLERS
from tests.stories.faulty.permissions import NO_JSON, OTHER_CONTENT, PERMISSIONS, PREVIEWS, TOO_DEEP, VERSIONS
from tests.stories.faulty.shape import FaultyRequest
from tests.stories.faulty.uploads import UPLOADS

FAULTY_REQUESTS: tuple[FaultyRequest, ...] = (
    *(
        *NO_JSON,
        *TOO_DEEP,
        *OTHER_CONTENT,
        *PERMISSIONS,
        *PREVIEWS,
        *VERSIONS,
        *PATHS,
        *QUERIES,
        *BLOCKS,
        *SITES,
        *FIELDS,
    ),
    *(
        *FORBIDDEN,
        *UNAUTHENTICATED,
        *TOKENS,
        *ROTATIONS,
        *LEAKS,
        *OPERATOR,
        *REPEATS,
        *UPLOADS,
        *PARTNER,
        *PARTNER_CALLERS,
    ),
)
