"""The flows F1 to F15 on the sample plant: real nodes, adapters placed by the cluster, invariants read from the counterparts themselves."""
