"""Which shipments a rule is for. What is unknown of a shipment fulfils no condition on it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bridge.model import OrganizationId
from bridge.purchasing.policy import Buy, Decline, decide
from bridge.purchasing.shipment import Traits
from tests.unit.purchasing.policy.making import AT, COURIER, LOCKER, ORGANIZATION, offer, pln, policy, rule, shipment


def is_for(when: str, traits: Traits, at: datetime = AT, organization: OrganizationId = ORGANIZATION) -> bool:
    """Say whether the first of two rules decides."""
    found = policy(rule(COURIER, more=f"when = {{ {when} }}"), rule(LOCKER))
    offers = (offer(1, LOCKER, left=None), offer(2, COURIER, left=None))
    decision = decide(shipment(*offers, traits=traits, at=at), found, organization)
    assert isinstance(decision, Buy)
    return decision.rule_id == "a"


@pytest.mark.parametrize(
    ("when", "traits", "holds"),
    [
        pytest.param("organization = 4821", Traits(), True, id="the organization"),
        pytest.param("organization = [1, 4821]", Traits(), True, id="one of several"),
        pytest.param("organization = 4822", Traits(), False, id="another one"),
        pytest.param('mpk = "Sklep"', Traits(mpk="Sklep"), True, id="the cost centre"),
        pytest.param('mpk = "Sklep"', Traits(mpk="sklep"), False, id="to the letter"),
        pytest.param('mpk = ["A", "B"]', Traits(mpk="B"), True, id="one of several cost centres"),
        pytest.param('mpk = "Sklep"', Traits(), False, id="no cost centre"),
        pytest.param('external_customer_id = "8877xxx"', Traits(external_customer_id="8877xxx"), True, id="customer"),
        pytest.param('external_customer_id = "8877xxx"', Traits(), False, id="no customer"),
        pytest.param('reference_prefix = "B2B-"', Traits(reference="B2B-17"), True, id="how the reference begins"),
        pytest.param('reference_prefix = ["X", "B2B-"]', Traits(reference="B2B-17"), True, id="in one of several ways"),
        pytest.param('reference_prefix = "B2B-"', Traits(reference="17-B2B-"), False, id="not how it ends"),
        pytest.param('reference_prefix = "B2B-"', Traits(), False, id="no reference"),
        pytest.param("cod = true", Traits(cod=pln("1.00")), True, id="cash on delivery"),
        pytest.param("cod = true", Traits(), False, id="none"),
        pytest.param("cod = false", Traits(), True, id="none, where none may be"),
        pytest.param("insurance = true", Traits(insurance=pln("1.00")), True, id="insured"),
        pytest.param("insurance = false", Traits(insurance=pln("1.00")), False, id="insured, where it may not be"),
        pytest.param('receiver = "locker"', Traits(receiver="locker"), True, id="to a locker"),
        pytest.param('receiver = "address"', Traits(receiver="locker"), False, id="not to an address"),
        pytest.param('receiver = "address"', Traits(), False, id="to nobody knows where"),
        pytest.param('weight_kg = { up_to = "5" }', Traits(weight_kg=Decimal(5)), True, id="up to and with"),
        pytest.param('weight_kg = { over = "5" }', Traits(weight_kg=Decimal(5)), False, id="over, and not with"),
        pytest.param("weight_kg = { over = 5, up_to = 25.5 }", Traits(weight_kg=Decimal("25.5")), True, id="a band"),
        pytest.param(
            "weight_kg = { over = 5, up_to = 25.5 }", Traits(weight_kg=Decimal("25.6")), False, id="beyond it"
        ),
        pytest.param("weight_kg = { over = 0 }", Traits(), False, id="an unknown weight is in no band"),
        pytest.param("organization = 4821, cod = true", Traits(), False, id="all of it has to be so"),
        pytest.param("organization = 4821, cod = true", Traits(cod=pln("1.00")), True, id="and all of it is"),
    ],
)
def test_a_rule_is_for_what_it_says(when: str, traits: Traits, holds: bool) -> None:
    assert is_for(when, traits) is holds


@pytest.mark.parametrize(
    ("hours", "at", "holds"),
    [
        pytest.param(("08:00", "16:00"), datetime(2026, 1, 5, 7, 0, tzinfo=UTC), True, id="8 in winter is 7 in UTC"),
        pytest.param(("08:00", "16:00"), datetime(2026, 7, 6, 6, 0, tzinfo=UTC), True, id="and 6 in summer"),
        pytest.param(("08:00", "16:00"), datetime(2026, 7, 6, 5, 59, 59, 999999, tzinfo=UTC), False, id="just before"),
        pytest.param(("08:00", "16:00"), datetime(2026, 1, 5, 15, 0, tzinfo=UTC), False, id="the end is not in it"),
        pytest.param(("22:00", "06:00"), datetime(2026, 1, 5, 22, 30, tzinfo=UTC), True, id="past midnight: 23:30"),
        pytest.param(("22:00", "06:00"), datetime(2026, 1, 5, 4, 59, tzinfo=UTC), True, id="and 5:59"),
        pytest.param(("22:00", "06:00"), datetime(2026, 1, 5, 5, 0, tzinfo=UTC), False, id="but not 6:00"),
        pytest.param(
            ("02:30", "03:30"), datetime(2026, 3, 29, 1, 15, tzinfo=UTC), True, id="3:15, the clock put forward"
        ),
        pytest.param(
            ("02:30", "03:00"), datetime(2026, 3, 29, 1, 0, tzinfo=UTC), False, id="an hour that is not there"
        ),
        pytest.param(("02:30", "03:00"), datetime(2026, 10, 25, 0, 45, tzinfo=UTC), True, id="2:45 for the first time"),
        pytest.param(("02:30", "03:00"), datetime(2026, 10, 25, 1, 45, tzinfo=UTC), True, id="and for the second"),
    ],
)
def test_the_time_of_day_is_that_of_warsaw_by_the_carriers_clock(
    hours: tuple[str, str], at: datetime, holds: bool
) -> None:
    assert is_for(f'time_of_day = {{ from = "{hours[0]}", until = "{hours[1]}" }}', Traits(), at) is holds
    assert is_for(f"time_of_day = {{ from = {hours[0]}:00, until = {hours[1]}:00 }}", Traits(), at) is holds


def test_nobody_elses_organization_falls_under_a_rule() -> None:
    found = policy(rule(LOCKER, more="when = { organization = 4821 }"))
    decision = decide(shipment(offer(1)), found, OrganizationId(4822))
    assert isinstance(decision, Decline)
    assert (decision.reason, decision.rule_id) == ("no_rule_match", None)


def test_a_shipment_tells_nothing_of_what_may_name_a_person() -> None:
    told = repr(Traits(mpk="SECRET", external_customer_id="SECRET", reference="SECRET"))
    assert "SECRET" not in told
