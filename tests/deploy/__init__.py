"""What is deployed, looked at before anybody deploys it: `python -m tests.deploy` is a part of `./dev check`.

`rendering` makes the overlays what the cluster would get, the production one with `values.env` of this folder; `pods`
takes containers, their environment and their files out of it. Then the rules:

`schemas`        every object against Kubernetes' schema, or its operator's (`operators.json`: names and types alone)
`confinement`    what pods may do to their node
`exposure`       what can be reached, from outside and inside
`selection`      what names others by labels or ports finds them
`reach`          policies let each pod to what its settings name, and in what has to come to it
`availability`   probes, room, replicas
`configuration`  what a container is told, loaded as settings
`production`     what must be so of that overlay alone, the broker's topology above all
`compose`        compose.yaml; `dockerfile` the image's instructions, and what the builder is sent

`alerts` writes the rules of config/alerts.yaml as the Prometheus operator takes them. `image` builds the image in a
clean root and tries it there (`root`, `trial`): `./dev image`.
"""
