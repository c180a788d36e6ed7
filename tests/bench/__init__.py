"""The benchmarks: how fast, next to what it is compared with. `./dev bench`, or `python -m tests.bench --help`.

__main__    arguments; every measure in turn; the table
measures/   what is measured, one file each: accepts, messages, steady, replicas, history, start, crowd, outage
rivals/     what it is compared with: small honest programs
size        how much is sent in a round, and how many rounds there are
stage       the private broker and database server, fresh virtual hosts and databases, rounds told as they pass
server      one server process on its core · cores: who runs where
load        the program that sends webhooks · crowd: the one that opens a thousand connections
consumer    the program that stamps when an event arrives
figure      quantiles and ratios · goal: what they have to reach · row · table
"""
