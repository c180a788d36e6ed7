"""stand-in until merge"""
from __future__ import annotations
from bridge.store.purchase import Decided, Purchase
from bridge.store.database import Transaction
from bridge.model import micros

def write(transaction: Transaction, one: Purchase, decided: Decided) -> None:
    transaction.insert("decisions (organization, shipment, at, intent_id, policy_sha256, body)",
      [(one.organization, one.shipment, micros(decided.at), one.intent, decided.policy_sha256, decided.body)],
      tail="ON CONFLICT DO NOTHING")
