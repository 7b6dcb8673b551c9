"""The worker: it owns torch, trains the nets and computes every path statistic."""
