"""The Grafana dashboard, made by code so that every panel has what a panel needs."""
