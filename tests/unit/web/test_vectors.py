"""The shared evidence vectors under the Python verifier; tests/e2e/consumer/ puts them to the browser."""

import pytest

from ledger import verify
from tests.vectors.evidence import generate, patching

VECTORS = patching.load()


def test_the_file_is_what_the_program_makes() -> None:
    assert generate.vectors() == VECTORS


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_python_agrees_with_the_vectors(case: dict) -> None:
    bundle = patching.apply(VECTORS["bundles"][case["bundle"]], case["patch"])
    if case["accept"]:
        assert verify.check(bundle, VECTORS["vkey"]).entries
    else:
        with pytest.raises(verify.BundleError):
            verify.check(bundle, VECTORS["vkey"])


def test_every_alteration_is_refused() -> None:
    bundle = VECTORS["bundles"]["single"]
    altered = list(patching.alterations(bundle))
    assert len(altered) > 100
    for name, other in altered:
        with pytest.raises(verify.BundleError):
            raise AssertionError(f"accepted with {name} altered: {verify.check(other, VECTORS['vkey'])}")
