"""Pytest plugin: the fixture `gradcheck(layer, x)`, which fails with the checker's report.

Pytest imports every installed plugin at each start, so this module stands outside the
package and imports it only when a test uses the fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from numpycnn import GradientReport


@pytest.fixture
def gradcheck() -> Callable[..., GradientReport]:
    """Check the gradients of a layer with several random upstream gradients.

    `gradcheck(layer, x, n_seeds=3, **options)` takes the options of
    `numpycnn.check_gradients` (`only`, `skip`, `method`, `tolerance`), and fails with the
    report unless every gradient is correct.
    """
    from numpycnn import GradientError, check_gradients
    from numpycnn._validation import check_int

    def check(layer: Any, x: Any, *, n_seeds: int = 3, **options: Any) -> GradientReport:
        __tracebackhide__ = True  # the failure points to the line in the test
        for seed in range(check_int("gradcheck", "n_seeds", n_seeds)):
            report = check_gradients(layer, x, rng=seed, **options)
            if not report.ok:
                raise GradientError(report._replace(notes=(*report.notes, f"rng={seed}")))
        return report

    return check
