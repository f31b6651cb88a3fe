"""Several servers behind Envoy, with the configuration of deploy/envoy/: what clients notice when servers die, restart,
hang, are overloaded or are added."""
