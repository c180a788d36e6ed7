"""ShipX Bridge. The way of a webhook:

1.  `ingress.receiver`       takes the bytes, behind a secret and from a known network (`ingress.verification`)
2.  `carriers.shipx.webhook` reads what they say; the same webhook always gets the same id
3.  `ingress.inbox`          waits for the commit that many requests share, then answers: from here nothing is lost
4.  `store.inbox`            is where they lie; what may not take effect is parked beside them
5.  `ingress.worker`         takes them from there, a batch in one transaction (`store.projecting`)
6.  `events.projection`      says what is new in each: facts (`events.catalogue`), by history and status table
7.  `store.facts`            writes every fact once, numbered, with its event's bytes (`events.cloudevents`)
8.  `egress.relay`           publishes to the broker (`broker.rabbit`), in order per subject, until it confirms
9.  `egress.feed`            shows the same events over HTTP
10. `purchasing.buyer`       meanwhile reads the shipment, decides (`purchasing.policy`), buys once, believes reads only
11. `connections.gate`       lets its calls through, no more than all replicas together may make (`limits.exchange`)
12. `app`                    puts all of it together; `cli` has the verbs; `lifecycle` starts and ends the loops
"""
