"""What is deployed, looked at before anybody deploys it: `python -m tests.deploy` is a part of `./dev check`.

`rendering`  makes the overlays what the cluster would get, the production one with `values.env` of this folder
`schemas`    holds every object against Kubernetes' schema, or its operator's (`operators.json`: types and names alone)
`pods`       takes containers, their environment and their files out of what was rendered
`rules`      says what must be so of every overlay, `production` what must be so of that one
`compose`    says the same of compose.yaml; `dockerfile` reads the Dockerfile and what the builder is sent
`image`      builds the image in a clean root and runs it there: `./dev image`
"""
