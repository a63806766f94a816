"""The durable path of a request: workflow, batches, invites, membership, throttle, engine, dispatcher."""
