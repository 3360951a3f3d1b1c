"""The sandbox's mesh: istiod's work, the proxy, the callers, and the telemetry of their side.

Belongs here: VirtualServices, DestinationRules and pods turned into routes and clusters, real Envoy (or the
picker that takes its place), the load, Istio's metrics as the caller's sidecar gives them, and `demo.DemoMesh`,
all of it in one object. Does not belong here: decisions about releases; the mesh does what the API says.
Imported by `bot.sandbox` and tests.
"""
