"""The long run: shipments are bought, strangers send rubbish, everything is broken; in the end the books must balance.

`./dev soak --minutes N`, or `python -m tests.soak --help`. Every moment and every byte of it comes from one seed.

    __main__    arguments, and the exit code: 0 where everything balances
    run         the whole of it: set up, break for so long, mend, wait until all is done, judge
    script      what is broken when (pure) · breaking: carries it out
    fleet       the bridge processes and who starts them again
    traffic     lives of shipments as webhooks, and what was acknowledged of them
    carrier     the simulated carrier with the faults of carrier.toml · merchant: creates shipments there
    inputs      a bad input by its number (pure), of: bodies · requests · wire · · · strangers: those who send them
    follower    a consumer's books: each event once, in sequence (pure) · consumer: what keeps them
    receipts    what events say of purchases (pure) · takings: what the carrier knows · spending: compares them
    settling    how long purchases stay open after the last trouble
    takeover    how long the work of a killed process lies about
    rules       which answers are allowed where (pure)
    auditing    the bridge's own audit
    logs        what must not stand in a log, and what the bridges logged as errors
    balance     what is checked in the end · screen: progress and summary
"""
