"""Which offer to buy: a pure function of the shipment and the policy; somebody else carries the answer out.

guards → hard filters → first matching rule → rank → tie-break → caps → decision:

`guard`       whether the shipment is to be decided about at all
`conditions`  which shipments a rule is for
`objections`  why an offer cannot be bought under a rule: hard filters and caps
`ranking`     which of the others comes first
`decide`      all of it, in order
`ordering`    the same where a person chose the offer
`file`        the policy as written, refused by line and key
`document`    the decision as it is kept, with the offers it was made from
"""

from bridge.purchasing.policy.decide import decide
from bridge.purchasing.policy.decision import Adopt, Buy, Decision, Decline, Expired, Hold, NotOurs, Wait
from bridge.purchasing.policy.file import Policy, load
from bridge.purchasing.policy.guard import CARRIER_OWNED, may_be_bought_yet
from bridge.purchasing.policy.objections import objection
from bridge.purchasing.policy.ordering import ordered

__all__ = [
    "CARRIER_OWNED",
    "Adopt",
    "Buy",
    "Decision",
    "Decline",
    "Expired",
    "Hold",
    "NotOurs",
    "Policy",
    "Wait",
    "decide",
    "load",
    "may_be_bought_yet",
    "objection",
    "ordered",
]
