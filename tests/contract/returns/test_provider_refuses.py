"""What is refused: by us before it is sent, by the provider, or for who we are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.errors import CarrierRefused
from bridge.limits.connection import Verdict
from bridge.returns.draft import Party
from bridge.shipping.returns.account import is_about_the_account
from tests.contract.returns.providers import Opened
from tests.contract.returns.stage import PERSONAL, ProviderStage

LONG = "x" * 300
WRONG = {
    "no reference": ({"reference": ""}, {}, "reference"),
    "a reference that nobody prints": ({"reference": LONG}, {}, "reference"),
    "a reference of two lines": ({"reference": "one\ntwo"}, {}, "reference"),
    "a NUL": ({"reference": "one\x00"}, {}, "reference"),
    "no e-mail": ({}, {"email": None}, "sender.email"),
    "an e-mail that is none": ({}, {"email": "ewa@"}, "sender.email"),
    "an e-mail without end": ({}, {"email": f"{LONG}@example.com"}, "sender.email"),
    "an option that there is not": ({"provider_options": {"colour": "red"}}, {}, "provider_options"),
}


@pytest.mark.parametrize(("changes", "sender", "field"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_is_named_by_its_field_without_asking_anybody(
    changes: dict[str, object], sender: dict[str, object], field: str, stage: ProviderStage
) -> None:
    draft = replace(stage.draft, **changes, sender=replace(stage.draft.sender, **sender))  # type: ignore[arg-type]
    found = stage.broken(draft)
    assert [one.field for one in found if one.field.startswith(field)], found
    assert LONG not in repr(found)
    assert stage.asked() == []


async def test_everything_is_wrong_with_a_return_of_nobody_and_what_is_right_is_not(stage: ProviderStage) -> None:
    assert {one.field for one in stage.broken(replace(stage.draft, sender=Party()))} >= {"sender.email"}
    assert stage.broken(stage.draft) == []


async def test_a_no_of_the_provider_is_one_in_a_word_of_ours_and_nothing_was_done(
    provider: type[ProviderStage], opened: Opened
) -> None:
    stage = await opened(provider.REFUSES)
    with pytest.raises(CarrierRefused) as caught:
        await stage.make()
    assert stage.sent() == 1, "a no is no reason to ask again"
    assert await stage.made() == 0
    assert caught.value.key.isidentifier()
    assert stage.permits.outcomes[-1].verdict is Verdict.answered, "the provider works"
    assert not any(one in str(caught.value) for one in PERSONAL)


async def test_a_refused_login_is_a_no_and_the_connection_shows_it(opened: Opened) -> None:
    stage = await opened(secret="another")
    with pytest.raises(CarrierRefused) as caught:
        await stage.make()
    assert is_about_the_account(caught.value), "nothing was sent, so another provider may be asked"
    assert stage.permits.outcomes[-1].verdict is Verdict.token_refused
    assert "another" not in f"{caught.value!r}{caught.value.__cause__!r}"
    assert await stage.made() == 0


@pytest.mark.parametrize(
    "text", ["a & b + 100% <c>", "Łódź, ulica Żółta", "]]> &amp; &#65;", "%26%3D=&content=", "'\""]
)
async def test_whatever_a_reference_says_it_arrives_as_it_is(text: str, stage: ProviderStage) -> None:
    stage.draft = replace(stage.draft, reference=text)
    assert stage.broken(stage.draft) == []
    await stage.make()
    assert await stage.reference() == text
